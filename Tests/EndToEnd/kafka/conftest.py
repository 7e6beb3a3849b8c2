# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors

"""A broker, an API server that plays a part, a model, and the real gateway, all on loopback.

    HYDRO_GATEWAY=.build/debug/hydro-gateway HYDRO_KAFKA_BROKER=.../noida-db python3 -m pytest Tests/EndToEnd/kafka
"""

import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))

from broker import Broker  # noqa: E402
from cluster import ApiServer  # noqa: E402
from model import Model  # noqa: E402


@pytest.fixture(scope="session", autouse=True)
def programs():
    """Says what is missing before the first test says it worse."""
    for name in ("HYDRO_GATEWAY", "HYDRO_KAFKA_BROKER"):
        path = os.environ.get(name, "")
        if not os.access(path, os.X_OK):
            pytest.exit(f"wants a program in {name}, found \"{path}\"", returncode=2)


@pytest.fixture
def broker(tmp_path):
    """A Kafka-compatible broker with nothing in it."""
    with Broker(os.environ["HYDRO_KAFKA_BROKER"], tmp_path / "broker") as running:
        yield running


@pytest.fixture
def model():
    """A pod of a model: adds one to a number."""
    with Model() as running:
        yield running


@pytest.fixture
def api(tmp_path, model):
    """What the gateway watches: one application on that model."""
    with ApiServer(tmp_path, model.port) as running:
        yield running
