# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors

# The Python runtime. From the repository's root:
#   docker build -f docker/runtime-python.Dockerfile -t hydro-runtime-python:dev .
ARG BASE=debian:bookworm-slim

FROM ${BASE}
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates python3 python3-grpcio python3-numpy python3-protobuf \
 && rm -rf /var/lib/apt/lists/*
COPY runtimes/python/hydro_runtime /opt/hydro-runtime/hydro_runtime
ENV PYTHONPATH=/opt/hydro-runtime PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 APP_PORT=9091 HEALTH_PORT=9092
EXPOSE 9091 9092
USER 65532:65532
ENTRYPOINT ["/usr/bin/python3", "-m", "hydro_runtime"]
