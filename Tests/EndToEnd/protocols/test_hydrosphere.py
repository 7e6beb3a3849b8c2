# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors
"""Hydrosphere's HTTP, and its own gRPC client from PyPI."""
import gzip
import json
import subprocess

import pytest

CLIENT = """
import json, sys, grpc
from hydro_serving_grpc.serving.contract.tensor_pb2 import Tensor, TensorShape
from hydro_serving_grpc.serving.contract.types_pb2 import DT_STRING
from hydro_serving_grpc.serving.gateway.api_pb2 import GatewayPredictRequest
from hydro_serving_grpc.serving.gateway.api_pb2_grpc import GatewayServiceStub
address, method, name, namespace = sys.argv[1:]
stub = GatewayServiceStub(grpc.insecure_channel(address))
given = Tensor(dtype=DT_STRING, tensor_shape=TensorShape(dims=[2]), string_val=[b"so", b"loud"])
try:
    said = getattr(stub, method)(GatewayPredictRequest(name=name, data={"text": given}),
                                 metadata=[("hydro-namespace", namespace)] if namespace else None)
    loud = said.outputs["loud"]
    print(json.dumps({"values": [each.decode() for each in loud.string_val], "shape": list(loud.tensor_shape.dims)}))
except grpc.RpcError as error:
    print(json.dumps({"code": error.code().name, "details": error.details()}))
"""


@pytest.mark.parametrize("method, name", [
    ("PredictApplication", "text"), ("PredictServable", "text-alone"), ("ShadowlessPredictServable", "text-alone")])
def test_hydro_serving_grpc_predicts(gateway, hydrosphere_client, method, name):
    said = json.loads(hydrosphere_client(CLIENT, gateway.grpc, method, name, ""))
    assert said == {"values": ["SO", "LOUD"], "shape": [2]}


def test_hydro_serving_grpc_in_another_namespace_and_in_the_wrong_one(gateway, hydrosphere_client, stage):
    said = json.loads(hydrosphere_client(CLIENT, gateway.grpc, "PredictApplication", "text-elsewhere", stage.other))
    assert said["values"] == ["SO", "LOUD"]
    said = json.loads(hydrosphere_client(CLIENT, gateway.grpc, "PredictApplication", "text-elsewhere", ""))
    assert said["code"] == "NOT_FOUND" and "text-elsewhere" in said["details"]


def test_json_in_and_out_for_applications_and_servables(gateway, stage):
    for path in ("/gateway/application/text", "/gateway/servable/text-alone", f"/namespaces/{stage.other}/gateway/application/text-elsewhere"):
        status, headers, body = gateway.call("POST", path, {"text": ["so", "loud"]}, {"x-request-id": "r1"})
        assert (status, json.loads(body), headers["x-request-id"]) == (200, {"loud": ["SO", "LOUD"]}, "r1")


def test_the_listing_examples_health_and_build(gateway):
    listed = {each["name"]: each for each in json.loads(gateway.call("GET", "/gateway/application")[2])}
    assert listed["versions"]["status"] == "Ready" and listed["versions"]["signature"]["inputs"][0]["name"] == "x"
    assert [(each["servable"], each["modelVersion"], each["weight"]) for each in listed["versions"]["stages"][0]["variants"]] == [
        ("versions-1", "versions:1", 100), ("versions-2", "versions:2", 0)]
    assert json.loads(gateway.call("GET", "/gateway/application/text/generateInputs")[2]) == {"text": ["foo"]}
    assert gateway.call("GET", "/health")[::2] == (200, b"OK\n")
    assert json.loads(gateway.call("GET", "/gateway/buildinfo")[2])["name"] == "hydro-gateway"


def test_an_application_without_a_route_is_listed_as_assembling(gateway, stage):
    head = {"apiVersion": "hydrosphere.io/v1alpha1", "kind": "Application", "metadata": {"name": "soon", "namespace": stage.namespace}}
    stage.cluster.put(f"/apis/hydrosphere.io/v1alpha1/namespaces/{stage.namespace}/applications/soon",
                      {**head, "spec": {"stages": [{"variants": [{"model": "soon"}]}]}})

    def listed():
        return next((each for each in json.loads(gateway.call("GET", "/gateway/application")[2]) if each["name"] == "soon"), None)
    from stage import wait_for
    assert wait_for("soon listed", listed)["status"] == "Assembling"
    status, headers, _ = gateway.call("POST", "/gateway/application/soon", {})
    assert status == 503 and headers["retry-after"]
    assert gateway.call("GET", "/v2/models/soon/ready")[0] == 503
    assert {"name": "soon", "version": "", "state": "UNAVAILABLE"}.items() <= next(
        each for each in json.loads(gateway.call("POST", "/v2/repository/index")[2]) if each["name"] == "soon").items()
    assert not any(each["name"] == "soon" for each in json.loads(gateway.call("POST", "/v2/repository/index", {"ready": True})[2]))


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_curl_packs_and_unpacks(gateway, coding, tmp_path):
    text = ["loud" * 1000, "so"]
    plain = json.dumps({"text": text}).encode()
    import zlib
    (tmp_path / "body").write_bytes(gzip.compress(plain) if coding == "gzip" else zlib.compress(plain))
    done = subprocess.run(
        ["curl", "-sS", "--compressed", "-D", str(tmp_path / "head"), "-H", f"content-encoding: {coding}", "--data-binary", f"@{tmp_path / 'body'}",
         f"http://{gateway.http}/gateway/application/text"], capture_output=True, timeout=30, check=True)
    assert json.loads(done.stdout) == {"loud": [each.upper() for each in text]}
    assert "content-encoding: gzip" in (tmp_path / "head").read_text().lower()


def _error(answer):
    status, _, body = answer
    return status, json.loads(body)


@pytest.mark.parametrize("method, path, body, headers, status, word", [
    ("POST", "/gateway/application/nobody", "{}", {}, 404, "NotFound"),
    ("GET", "/gateway/application/text", None, {}, 405, "BadRequest"),
    ("POST", "/gateway/nothing", "{}", {}, 404, "BadRequest"),
    ("POST", "/gateway/application/text", "{", {}, 400, "BadRequest"),
    ("POST", "/gateway/application/text", '{"tex": ["a"]}', {}, 400, "ContractViolationError"),
    ("POST", "/gateway/application/text", "{}", {"content-encoding": "br"}, 415, "BadRequest"),
    ("POST", "/gateway/application/text", "{}", {"content-encoding": "gzip"}, 400, "BadRequest"),
    ("POST", "/gateway/application/text", "{}", {"x-request-timeout": "soon"}, 400, "BadRequest"),
    ("POST", "/gateway/application/text", "x" * (60 << 20), {}, 413, "RequestTooLarge"),
    ("POST", "/gateway/application/text", "{}", {"x-long": "x" * 60_000}, 431, "BadRequest"),
])
def test_errors_have_a_word_and_a_sentence(gateway, method, path, body, headers, status, word):
    found, said = _error(gateway.call(method, path, body, headers))
    assert (found, said["error"]) == (status, word) and said["information"]


def _tensor(**changes):
    return json.dumps({"inputs": [{"name": "x", "datatype": "FP64", "shape": [2], "data": [1, 2], **changes}]})


@pytest.mark.parametrize("path, body, headers, status, part", [
    ("/v2/models/nobody/infer", _tensor(), {}, 404, "nobody"), ("/v2/nothing", "{}", {}, 404, "/v2/nothing"),
    ("/v2/models/versions/versions/9/infer", _tensor(), {}, 404, "found 1, 2"),
    ("/v2/models/versions/versions/x/infer", _tensor(), {}, 400, '"x"'),
    ("/v2/models/versions/infer", "{", {}, 400, ""), ("/v2/models/versions/infer", "[]", {}, 400, ""),
    ("/v2/models/versions/infer", _tensor(shape=[3]), {}, 400, '"x"'), ("/v2/models/versions/infer", _tensor(datatype="FP65"), {}, 400, '"x"'),
    ("/v2/models/versions/infer", _tensor(data=["a", "b"]), {}, 400, '"x"'), ("/v2/models/versions/infer", _tensor(name="y"), {}, 400, '"y"'),
    ("/v2/models/versions/infer", _tensor(shape=[1 << 40, 1 << 40]), {}, 400, '"x"'),
    ("/v2/models/versions/infer", _tensor(parameters={"binary_data_size": 16}), {}, 400, '"x"'),
    ("/v2/models/versions/infer", _tensor(), {"inference-header-content-length": "x"}, 400, "inference-header-content-length"),
    ("/v2/models/versions/infer", _tensor(), {"inference-header-content-length": "100000"}, 400, "100000"),
    ("/v2/models/versions/infer", "x" * (60 << 20), {}, 413, ""), ("/v2/models/versions/infer", "{}", {"x-long": "x" * 60_000}, 431, ""),
    ("/v2/models/versions/infer", gzip.compress(b"0" * (60 << 20)), {"content-encoding": "gzip"}, 413, "52428800"),
])
def test_errors_of_open_inference_are_one_sentence(gateway, path, body, headers, status, part):
    found, said = _error(gateway.call("POST", path, body, headers))
    assert found == status and list(said) == ["error"] and part in said["error"], said
