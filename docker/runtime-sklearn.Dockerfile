# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors

# The Python runtime with scikit-learn and pandas. From the repository's root:
#   docker build -f docker/runtime-sklearn.Dockerfile --build-arg BASE=hydro-runtime-python:dev -t hydro-runtime-sklearn:dev .
ARG BASE=hydro-runtime-python:dev

FROM ${BASE}
USER 0:0
RUN apt-get update \
 && apt-get install -y --no-install-recommends python3-joblib python3-pandas python3-sklearn \
 && rm -rf /var/lib/apt/lists/*
USER 65532:65532
