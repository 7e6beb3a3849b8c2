# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors

.DEFAULT_GOAL := help
.PHONY: help build test verify format golden protos images e2e

BUILD := $(or $(HYDRO_BUILD),$(or $(HYDRO_STATE),$(HOME)/.cache/hydro)/build)

help: ## this list
	@awk -F ': ## ' '/^[a-z0-9]+: ## / {printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## the programs, for debugging
	hack/setup
	swift build --scratch-path $(BUILD)

test: ## every test that needs no node: values, modules, the runtime, real API servers
	hack/test value api

verify: ## the gate: format, words, scripts, rendered files, and a build with warnings as errors
	hack/verify

format: ## rewrite the Swift sources as .swift-format says
	swift format --in-place --parallel --recursive Sources Tests

golden: ## rewrite the golden files; review the difference like code
	HYDRO_GOLDEN=write swift test --disable-xctest --scratch-path $(BUILD) --filter Golden

protos: ## generate Swift and Python from the protocol buffers
	hack/protos

images: ## the images, pushed to the registry of the cluster at hand
	eval "$$(hack/cluster env)" && hack/images

e2e: ## the tests on a real cluster, brought up if there is none
	hack/test cluster
