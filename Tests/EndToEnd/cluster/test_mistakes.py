# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors

"""Ordinary mistakes, each with an answer that says what was wanted and what was found."""

import pathlib
import sys

import grpc
import pytest

import catalogue
from kube import wait_for

sys.path.append(str(pathlib.Path(__file__).parents[3] / "runtimes/python/hydro_runtime/generated"))

from hydro_serving_grpc.serving.contract.tensor_pb2 import Tensor, TensorShape  # noqa: E402
from hydro_serving_grpc.serving.contract.types_pb2 import DT_DOUBLE, DT_INT64  # noqa: E402
from hydro_serving_grpc.serving.gateway.api_pb2 import GatewayPredictRequest  # noqa: E402
from hydro_serving_grpc.serving.runtime.api_pb2 import PredictResponse  # noqa: E402

APPLICATION = "applications.hydrosphere.io"

_signature = {
    "name": "predict",
    "inputs": [{"name": "age", "dtype": "int64", "shape": []}, {"name": "scores", "dtype": "double", "shape": [3]}],
    "outputs": [{"name": "sum", "dtype": "double", "shape": []}],
}
_code = """
def predict(age, scores):
    if age < 0:
        raise ValueError(f"nobody is {age} years old")
    return {"sum": "a lot" if age > 200 else scores.sum() + age}
"""
_good = {"age": 40, "scores": [0.5, 0.5, 1.0]}


@pytest.fixture(scope="module")
def people(shared_space, shared_gateway):
    """An application whose inputs are easy to get wrong."""
    shared_space.apply(catalogue.code("people", _code), catalogue.model("people", signature=_signature),
                       catalogue.application("people", [{"model": "people"}]))
    shared_space.wait_ready(APPLICATION, "people")
    assert wait_for("an answer", lambda: shared_gateway.ask("people", _good), 10) == (200, {"sum": 42.0})
    return shared_gateway


@pytest.mark.parametrize("body, status, words", [
    pytest.param({**_good, "age": "forty"}, 400, ["age", "int64", "string"], id="a string for a number"),
    pytest.param({**_good, "age": 40.5}, 400, ["age", "int64"], id="a fraction for an integer"),
    pytest.param({**_good, "age": [40]}, 400, ["age"], id="a list for a scalar"),
    pytest.param({**_good, "scores": [1, 2]}, 400, ["scores", "3", "2"], id="two for three"),
    pytest.param({**_good, "scores": 1.0}, 400, ["scores"], id="a scalar for a list"),
    pytest.param({**_good, "scores": [1, None, 2]}, 400, ["scores", "null"], id="null for a number"),
    pytest.param({"scores": [1, 2, 3]}, 400, ["age"], id="a field missing"),
    pytest.param({**_good, "agee": 1}, 400, ["agee"], id="a field too many"),
    pytest.param({"age": "forty"}, 400, ["age", "scores"], id="two mistakes at once"),
    pytest.param([1, 2], 400, ["object"], id="no object"),
    pytest.param(b'{"age": 40, ', 400, [], id="no JSON"),
    pytest.param({**_good, "age": -1}, 500, ["nobody is -1 years old"], id="an exception in the model"),
    pytest.param({**_good, "age": 201}, 500, ["sum", "double", "string"], id="an answer that breaks the contract"),
])
def test_a_wrong_request_over_http(people, body, status, words):
    found, answer = people.ask("people", body)
    # What the model did is of the 500s; which of them is the gateway's choice.
    assert found == status or (status == 500 and found in (500, 502)), answer
    assert set(answer) == {"error", "information"}
    for word in words:
        assert word in answer["information"], answer


def test_an_unknown_application_over_http(people):
    status, answer = people.ask("nobody", _good)
    assert status == 404
    assert "nobody" in answer["information"]


@pytest.fixture(scope="module")
def predict(addresses, shared_space, people):
    """One call over gRPC: its outputs, or its status and text."""
    channel = grpc.insecure_channel(addresses["grpc"], options=[("grpc.enable_http_proxy", 0)])
    call = channel.unary_unary("/hydrosphere.serving.gateway.GatewayService/PredictApplication",
                               GatewayPredictRequest.SerializeToString, PredictResponse.FromString)

    def ask(name, **data):
        try:
            request = GatewayPredictRequest(name=name, data=data)
            return call(request, timeout=15, metadata=[("hydro-namespace", shared_space.name)]).outputs
        except grpc.RpcError as error:
            return error.code(), error.details()

    yield ask
    channel.close()


def _age(value):
    return Tensor(dtype=DT_INT64, tensor_shape=TensorShape(), int64_val=[value])


def _scores(*values):
    return Tensor(dtype=DT_DOUBLE, tensor_shape=TensorShape(dims=[len(values)]), double_val=values)


def test_wrong_requests_over_grpc(predict):
    assert predict("people", age=_age(40), scores=_scores(1, 1, 0))["sum"].double_val[0] == 42
    for data, code, words in [
        ({"age": _age(40)}, grpc.StatusCode.INVALID_ARGUMENT, ["scores"]),
        ({"age": _age(40), "scores": _scores(1, 2)}, grpc.StatusCode.INVALID_ARGUMENT, ["scores", "3", "2"]),
        ({"age": _scores(1), "scores": _scores(1, 2, 3)}, grpc.StatusCode.INVALID_ARGUMENT, ["age", "int64", "double"]),
        ({"age": _age(40), "scores": _scores(1, 2, 3), "agee": _age(1)}, grpc.StatusCode.INVALID_ARGUMENT, ["agee"]),
        ({"age": _age(-1), "scores": _scores(1, 2, 3)}, grpc.StatusCode.INTERNAL, ["nobody is -1 years old"]),
    ]:
        found, text = predict("people", **data)
        assert found == code, text
        for word in words:
            assert word in text
    found, text = predict("nobody", age=_age(1))
    assert found == grpc.StatusCode.NOT_FOUND and "nobody" in text


def test_an_application_of_unknown_models_says_which_and_heals(space, gateway):
    space.apply(catalogue.application("early", [{"model": "late"}]))
    wrong = space.wait_condition(APPLICATION, "early", "Ready", "False", 30, saying="late")
    assert wrong["reason"]
    status, _ = gateway.ask("early", {"x": 1.0})
    assert status in (404, 503)
    space.apply(catalogue.code("late", catalogue.answers(1)), catalogue.model("late"))
    space.wait_ready(APPLICATION, "early")
    wait_for("an answer", lambda: gateway.version("early") == 1, 10)


def test_an_application_of_a_version_that_was_never_made_says_so(space):
    space.apply(catalogue.code("young", catalogue.answers(1)), catalogue.model("young"),
                catalogue.application("old", [{"model": "young", "version": 7}]))
    wrong = space.wait_condition(APPLICATION, "old", "Ready", "False", 30, saying="7")
    assert "young" in wrong["message"]


def test_a_missing_config_map_is_named_and_heals_when_it_comes(space):
    space.apply(catalogue.model("empty"))
    wrong = space.wait_condition("model", "empty", "Ready", "False", 30, saying="empty-files")
    assert "SourceNotFound" in wrong["reason"]
    space.apply(catalogue.code("empty", catalogue.answers(1)))
    space.wait_ready("model", "empty", 90)


def test_an_unknown_runtime_is_named(space):
    space.apply(catalogue.code("odd", catalogue.answers(1)), catalogue.model("odd", runtime={"name": "cobol-85"}))
    wrong = space.wait_condition("model", "odd", "Ready", "False", 30, saying="cobol-85")
    assert "RuntimeNotFound" in wrong["reason"]


def test_an_unreachable_registry_is_named_and_tried_again(space):
    space.apply(catalogue.code("far", catalogue.answers(1)), catalogue.model("far", runtime={"image": "127.0.0.1:9/runtime:1"}))
    space.wait_condition("model", "far", "Ready", "False", 60, saying="127.0.0.1:9")
    assert space.get("model", "far")["status"].get("latestReleasedVersion") is None
    for each in space.list("modelversions"):
        # What can heal is not a failure.
        assert each["status"].get("phase") != "Failed"
    space.patch("model", "far", {"spec": {"runtime": {"image": None, "name": catalogue.RUNTIME}}})
    space.wait_ready("model", "far", 90)


@pytest.mark.parametrize("spec, words", [
    pytest.param({"source": {}}, ["source"], id="no source"),
    pytest.param({"source": {"configMap": {"name": "a"}, "http": {"url": "http://b/c"}}}, ["source"], id="two sources"),
    pytest.param({"source": {"configMap": {"name": "a"}}, "signature": {
        "inputs": [{"name": "x", "dtype": "decimal"}], "outputs": [{"name": "y", "dtype": "double"}]}}, ["dtype", "decimal"],
        id="no such dtype"),
    pytest.param({"source": {"http": {"url": "gopher://b/c"}}}, ["url"], id="no such scheme"),
    pytest.param({"source": {"configMap": {"name": "a"}}, "versionHistoryLimit": -1}, ["versionHistoryLimit"], id="a negative limit"),
])
def test_a_model_that_the_schema_forbids_is_refused_at_once(space, spec, words):
    refusal = space.refusal(catalogue.hydro("Model", "wrong", {"runtime": {"name": catalogue.RUNTIME}, **spec}))
    assert refusal, "wants a refusal, got none"
    for word in words:
        assert word in refusal


@pytest.mark.parametrize("kind, name, spec, words", [
    pytest.param("Model", "wrong", {"runtime": {"name": "a", "image": "b"}, "source": {"configMap": {"name": "a"}},
                                    "signature": catalogue.SIGNATURE}, ["name", "image"], id="a runtime twice"),
    pytest.param("Application", "wrong", {"stages": [{"variants": [
        {"model": "a", "version": 1, "weight": 90}, {"model": "a", "version": 2, "weight": 20}]}]}, ["100"], id="weights of 110"),
])
def test_a_rule_beyond_the_schema_is_refused_or_a_condition(space, kind, name, spec, words):
    """Servers with CEL refuse at once; for older ones the operator says the same in a condition."""
    found = space.refusal(catalogue.hydro(kind, name, spec))
    if found is None:
        plural = APPLICATION if kind == "Application" else "model"
        one = space.wait_condition(plural, name, "Stalled", "True", 30)
        found = one["message"]
    for word in words:
        assert word in found
