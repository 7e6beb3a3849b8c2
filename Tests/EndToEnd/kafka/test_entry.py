# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors

"""One entry, from the message to the result, and everything that can be wrong with it."""

import json
import time

import pytest

from cluster import Gateway
from model import message, number


@pytest.fixture
def gateway(api, tmp_path):
    """The gateway, which is stopped as Kubernetes does it."""
    replica = Gateway(api, tmp_path / "gateway.log", kafka_session="6s").start()
    yield replica
    assert replica.stop() == 0
    assert "librdkafka" not in (tmp_path / "gateway.log").read_text()


def entry(broker, **more):
    """An entry of the application."""
    return {"bootstrapServers": broker.address, "sourceTopic": "in", "destinationTopic": "out", **more}


def headers(found):
    """A message's headers as text."""
    return {name: value.decode() for name, value in found.headers() or []}


def test_json_and_protobuf_are_answered_in_kind_with_key_and_headers(broker, api, gateway):
    broker.make("in", "out", partitions=2)
    api.serve(entry(broker))
    gateway.wait_state("Consuming")
    broker.write("in", [("a", b'{"x": 41}', {"x-request-id": "one", "traceparent": f"00-{'1' * 32}-{'2' * 16}-01"}),
                        ("b", message("x", 6), {"content-type": "application/x-protobuf"}),
                        ("c", message("x", 7), {"content-type": "application/grpc+proto"})])
    reader = broker.read("out", 2)
    found = {each.key(): each for each in reader.wait(3)}
    reader.close()
    assert json.loads(found[b"a"].value()) == {"y": 42}
    assert number(found[b"b"].value()) == 7 and number(found[b"c"].value()) == 8
    said = headers(found[b"a"])
    assert said["x-request-id"] == "one" and said["traceparent"].startswith(f"00-{'1' * 32}-")
    assert said["hydro-application"] == "adder" and said["hydro-variant"] == "adder:1" and said["content-type"] == "application/json"
    assert float(said["hydro-latency-ms"]) > 0 and said["hydro-source-topic"] == "in"
    assert headers(found[b"b"])["content-type"] == "application/x-protobuf" and len(headers(found[b"b"])["x-request-id"]) == 36
    told = gateway.ask("/metrics").splitlines()
    counted = [each for each in told if each.startswith("hydro_gateway_kafka_messages_total{") and 'outcome="answered"' in each]
    assert len(counted) == 1 and counted[0].endswith(" 3") and 'application="adder"' in counted[0], counted
    assert any('protocol="kafka"' in each for each in told)


def test_what_is_wrong_with_a_message_goes_to_the_error_topic_with_the_original(broker, api, gateway):
    broker.make("in", "out", "errors")
    api.serve(entry(broker, errorTopic="errors"))
    gateway.wait_state("Consuming")
    broker.write("in", [("bad", b'{"x": "text"}', {"mine": "kept", "x-request-id": "r"}), ("none", None, {}), ("torn", b"{", {}),
                        ("what", b"1", {"content-type": "text/csv"}), ("good", b'{"x": 1}', {})])
    reader, results = broker.read("errors"), broker.read("out")
    found = reader.wait(4)
    assert [each.key() for each in found] == [b"bad", b"none", b"torn", b"what"]
    assert json.loads(results.wait(1)[0].value()) == {"y": 2}
    first = headers(found[0])
    assert found[0].value() == b'{"x": "text"}' and first["mine"] == "kept" and first["x-request-id"] == "r"
    assert first["hydro-error"] == "ContractViolationError" and first["hydro-error-code"] == "400" and '"x"' in first["hydro-error-message"]
    assert (first["hydro-source-topic"], first["hydro-source-partition"], first["hydro-source-offset"]) == ("in", "0", "0")
    assert found[1].value() is None and "tombstone" in headers(found[1])["hydro-error-message"]
    assert "text/csv" in headers(found[3])["hydro-error-message"]
    reader.close()
    results.close()


def test_without_an_error_topic_a_failure_is_counted_and_logged(broker, api, gateway, tmp_path):
    broker.make("in", "out")
    api.serve(entry(broker))
    gateway.wait_state("Consuming")
    broker.write("in", [(None, b"{", {})] * 20 + [(None, b'{"x": 1}', {})])
    reader = broker.read("out")
    reader.wait(1)
    reader.close()
    told = [line for line in gateway.ask("/metrics").splitlines() if line.startswith("hydro_gateway_kafka_messages_total{")]
    assert any('outcome="dropped"' in line and line.endswith(" 20") for line in told), told
    assert 1 <= (tmp_path / "gateway.log").read_text().count("message failed and no topic keeps it") <= 2


def test_a_missing_topic_is_named_and_heals_when_it_is_made(broker, api, gateway):
    broker.make("in")
    api.serve(entry(broker))
    assert '"out"' in gateway.wait_state("TopicNotFound")["message"]
    broker.write("in", [("k", b'{"x": 1}', {})])
    broker.make("out")
    reader = broker.read("out")
    reader.wait(1)
    reader.close()
    gateway.wait_state("Consuming")


def test_a_broker_that_goes_and_comes_back_costs_no_message_and_no_order(broker, api, gateway):
    broker.make("in", "out")
    api.serve(entry(broker))
    gateway.wait_state("Consuming")
    broker.write("in", [("k", json.dumps({"x": each}).encode(), {}) for each in range(200)])
    broker.stop()
    state = gateway.wait_state("BrokerUnreachable")
    assert broker.address in state["message"]
    broker.start()
    broker.write("in", [("k", json.dumps({"x": each}).encode(), {}) for each in range(200, 400)])
    gateway.wait_state("Consuming")
    reader = broker.read("out")
    found = []
    while len(set(found)) < 400:
        found += [json.loads(each.value())["y"] for each in reader.wait(1)]
    reader.close()
    first = list(dict.fromkeys(found))
    assert first == list(range(1, 401))


def test_a_model_that_is_away_holds_messages_until_it_is_back(broker, api, gateway, model):
    broker.make("in", "out", "errors")
    api.serve(entry(broker, errorTopic="errors"))
    gateway.wait_state("Consuming")
    model.stop()
    broker.write("in", [("k", b'{"x": 1}', {}), ("k", b'{"x": 2}', {})])
    results, errors = broker.read("out"), broker.read("errors")
    assert results.take(3) == [] and errors.take(0.5) == []
    model.start()
    assert [json.loads(each.value()) for each in results.wait(2)] == [{"y": 2}, {"y": 3}]
    results.close()
    errors.close()


def test_an_entry_that_is_taken_away_leaves_its_group_and_one_with_a_missing_secret_says_so(broker, api, gateway):
    broker.make("in", "out")
    api.serve(entry(broker))
    gateway.wait_state("Consuming")
    api.serve(entry(broker, secretName="keys"))
    deadline = time.monotonic() + 30
    while [each["state"] for each in gateway.entries()] != ["SecretNotFound"]:
        assert time.monotonic() < deadline, gateway.entries()
        time.sleep(0.1)
    assert "keys" in gateway.entries()[0]["message"]
    api.serve()
    while gateway.entries():
        assert time.monotonic() < deadline, gateway.entries()
        time.sleep(0.1)
    assert gateway.ask("/kafka") == "{}"
