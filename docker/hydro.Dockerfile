# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors

# The operator and the gateway. From the repository's root:
#   docker build -f docker/hydro.Dockerfile -t hydro:dev .
ARG SWIFT=swift:6.3-bookworm
ARG BASE=debian:bookworm-slim

FROM ${SWIFT} AS build
RUN apt-get update \
 && apt-get install -y --no-install-recommends libcurl4-openssl-dev libnghttp2-dev librdkafka-dev libssl-dev libyaml-dev libzstd-dev zlib1g-dev pkg-config \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /hydro
COPY Package.swift Package.resolved* ./
COPY Sources Sources
COPY Tests Tests
RUN for program in hydro-operator hydro-gateway; do \
      swift build -c release --static-swift-stdlib --product $program && strip -o /usr/local/bin/$program .build/release/$program || exit 1; \
    done

FROM ${BASE}
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates libcurl4 libnghttp2-14 librdkafka1 libssl3 libyaml-0-2 libzstd1 zlib1g \
 && rm -rf /var/lib/apt/lists/*
COPY --from=build /usr/local/bin/hydro-operator /usr/local/bin/hydro-gateway /usr/local/bin/
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/hydro-operator"]
