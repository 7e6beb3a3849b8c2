# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors

"""Topics whose messages are requests, with a broker on this machine that pods reach.

HYDRO_KAFKA_BROKER is the broker's program; HYDRO_TEST_ADDRESS an address of this machine as pods see it, where it is not the near end of
the node's cable.
"""

import json
import math
import os
import pathlib
import struct
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "kafka"))

from broker import Broker  # noqa: E402
from kube import condition, wait_for  # noqa: E402
from model import chunk, fields, wire  # noqa: E402

_example = pathlib.Path(__file__).parents[3] / "examples" / "tumour"
_rows = json.loads((_example / "requests" / "rows.json").read_text())
_expected = json.loads((_example / "requests" / "expected.json").read_text())["v1"]
_APPLICATION = "applications.hydrosphere.io"


@pytest.fixture
def broker(tmp_path):
    """A broker with nothing in it."""
    program = os.environ.get("HYDRO_KAFKA_BROKER", "")
    if not os.access(program, os.X_OK):
        pytest.skip(f"wants a broker's program in HYDRO_KAFKA_BROKER, found \"{program}\"")
    with Broker(program, tmp_path / "broker", os.environ.get("HYDRO_TEST_ADDRESS", "10.200.0.1")) as running:
        yield running


def application(broker, **more):
    """The example's model behind a topic."""
    entry = {"bootstrapServers": broker.address, "sourceTopic": "in", "destinationTopic": "out", "errorTopic": "errors",
             "consumerGroup": "tumour", **more}
    return {"apiVersion": "hydrosphere.io/v1alpha1", "kind": "Application", "metadata": {"name": "tumour-latest"},
            "spec": {"stages": [{"variants": [{"model": "tumour"}]}], "kafka": [entry]}}


def request(row):
    """A PredictRequest of one row."""
    # Tensor: dtype 1 = DT_DOUBLE (2), shape 2, double_val 6.
    tensor = wire(1 << 3) + wire(2) + chunk(2, chunk(1, wire(len(row)))) + chunk(6, struct.pack(f"<{len(row)}d", *row))
    return chunk(1, chunk(1, b"features") + chunk(2, tensor))


def right(message):
    """Whether the answer is what scikit-learn says of the row that the key names."""
    answer, row = json.loads(message.value()), int(message.key())
    return answer["malignant"] == _expected["malignant"][row] and math.isclose(
        answer["probability"], _expected["probability"][row], rel_tol=1e-9, abs_tol=1e-12)


def write(broker, rows):
    """Rows as JSON, each with its place as the key."""
    broker.write("in", [(str(row), json.dumps({"features": _rows[row]}).encode(), {"x-request-id": f"row-{row}"}) for row in rows])


def read(broker, topic, count, seconds=60):
    """So many messages from the beginning of a topic."""
    reader = broker.read(topic, 2)
    try:
        return reader.wait(count, seconds)
    finally:
        reader.close()


def test_messages_are_answered_and_every_trouble_is_a_condition_that_heals(space, broker):
    broker.make("in", "errors", partitions=2)
    space.kubectl("apply", "-k", str(_example))
    space.apply(application(broker))
    ready = space.wait_ready(_APPLICATION, "tumour-latest", 240)
    assert ready["status"]["activeRoute"]["kafka"][0]["sourceTopic"] == "in"

    # A topic that is missing is named, costs HTTP nothing, and heals.
    missing = space.wait_condition(_APPLICATION, "tumour-latest", "KafkaReady", "False", 60, "TopicNotFound")
    assert '"out"' in missing["message"] and broker.address in missing["message"]
    assert condition(space.get(_APPLICATION, "tumour-latest"), "Ready")["status"] == "True"
    write(broker, range(10))
    broker.make("out", partitions=2)
    space.wait_condition(_APPLICATION, "tumour-latest", "KafkaReady", "True", 90)
    found = read(broker, "out", 10)
    assert {int(each.key()) for each in found} == set(range(10)) and all(right(each) for each in found)
    said = {name: value.decode() for name, value in found[0].headers()}
    assert said["hydro-variant"] == "tumour:1" and said["hydro-application"] == "tumour-latest" and said["x-request-id"].startswith("row-")

    # Protocol buffers in, protocol buffers out; what is wrong goes to the error topic.
    broker.write("in", [("p", request(_rows[0]), {"content-type": "application/x-protobuf"}), ("bad", b'{"features": [1]}', {})])
    wrong = read(broker, "errors", 1)[0]
    assert wrong.key() == b"bad" and wrong.value() == b'{"features": [1]}'
    assert dict(wrong.headers())["hydro-error"] == b"ContractViolationError"
    answer = next(each for each in read(broker, "out", 11) if each.key() == b"p")
    assert {dict(fields(entry))[1] for field, entry in fields(answer.value()) if field == 1} == {b"malignant", b"probability"}

    # A broker that is away is a condition; what was written before and after it is answered.
    write(broker, range(10, 30))
    broker.stop()
    gone = space.wait_condition(_APPLICATION, "tumour-latest", "KafkaReady", "False", 90, "BrokerUnreachable")
    assert broker.address in gone["message"]
    broker.start()
    write(broker, range(30, 50))
    space.wait_condition(_APPLICATION, "tumour-latest", "KafkaReady", "True", 90)

    def answered():
        reader = broker.read("out", 2)
        try:
            return [each for each in reader.take(3) if each.key() != b"p"]
        finally:
            reader.close()

    wait_for("every message to be answered", lambda: {int(each.key()) for each in answered()} == set(range(50)), 90)
    assert all(right(each) for each in answered())


def test_a_secret_is_read_by_its_name_alone_and_waited_for(space, system, broker):
    broker.make("in", "out", "errors", partitions=2)
    space.kubectl("apply", "-k", str(_example))
    space.apply(application(broker, secretName="claims-kafka", consumerGroup="secret"))
    space.wait_ready(_APPLICATION, "tumour-latest", 240)
    missing = space.wait_condition(_APPLICATION, "tumour-latest", "KafkaReady", "False", 60, "SecretNotFound")
    assert "claims-kafka" in missing["message"]
    account = f"system:serviceaccount:{system.name}:hydro-gateway"
    allowed = space.kubectl("auth", "can-i", "get", "secrets/claims-kafka", f"--as={account}", statuses=(0, 1))
    others = space.kubectl("auth", "can-i", "get", "secrets/other", f"--as={account}", statuses=(0, 1))
    assert (allowed.strip(), others.strip()) == ("yes", "no")
    space.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "claims-kafka"}, "stringData": {"tls": "false"}})
    space.wait_condition(_APPLICATION, "tumour-latest", "KafkaReady", "True", 90)
    write(broker, range(3))
    assert all(right(each) for each in read(broker, "out", 3))

    space.patch(_APPLICATION, "tumour-latest", {"spec": {"kafka": None}})
    wait_for("the grant to go with the entry", lambda: space.get("role", "hydro-gateway.tumour-latest") is None, 60)
    assert not condition(space.get(_APPLICATION, "tumour-latest"), "KafkaReady")
