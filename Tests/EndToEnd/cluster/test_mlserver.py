# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors

"""A servable that speaks the Open Inference Protocol: MLServer of PyPI, asked by callers of every protocol.

    hack/images hydro-runtime-mlserver
"""

import http.client
import json
import os
import pathlib
import struct
import urllib.error
import urllib.request

import grpc
import pytest

import catalogue
from messages import messages

_example = pathlib.Path(__file__).parents[3] / "examples" / "iris"
_flowers = json.loads((_example / "requests.json").read_text())
_rows = _flowers["features"]
_raw = struct.pack(f"<{4 * len(_rows)}d", *(value for row in _rows for value in row))


@pytest.fixture(scope="module")
def image(system):
    """The image under the name that pods know; without it the tests are left out."""
    pulled = system.get("runtimes.hydrosphere.io", catalogue.RUNTIME)["spec"]["image"]
    name = "hydro-runtime-mlserver"
    registry = os.environ.get("HYDRO_REGISTRY", "")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        opener.open(f"http://{registry}/v2/{name}/tags/list", timeout=10)
    except (urllib.error.URLError, OSError, ValueError) as error:
        pytest.skip(f"wants the image {name} in the registry, found: {error}")
    return pulled.rpartition("/")[0] + f"/{name}:dev"


@pytest.fixture(scope="module")
def iris(shared_space, image):
    """The example, ready."""
    shared_space.apply(catalogue.hydro("Runtime", "mlserver", {
        "image": image, "protocol": "open-inference", "healthPort": 9092,
        "probes": {"startup": {"http": {"path": "/v2/health/ready", "port": 9092}, "periodSeconds": 1, "failureThreshold": 300}}}))
    shared_space.kubectl("apply", "-k", str(_example))
    shared_space.wait_ready("applications.hydrosphere.io", "iris", 240)
    return shared_space.name


def _check(classes, probabilities):
    assert [int(each) for each in classes] == _flowers["predict"]
    assert list(probabilities) == pytest.approx([each for row in _flowers["predict_proba"] for each in row], abs=1e-9)


def _post(addresses, path, body, headers=None):
    host, _, port = addresses["http"].rpartition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=30)
    connection.request("POST", path, body, headers or {"Content-Type": "application/json"})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    assert answer.status == 200, content
    return answer.headers, content


def _call(addresses, namespace, path, request, reply):
    with grpc.insecure_channel(addresses["grpc"], options=[("grpc.enable_http_proxy", 0)]) as channel:
        call = channel.unary_unary(path, type(request).SerializeToString, reply.FromString)
        return call(request, metadata=[("hydro-namespace", namespace)], timeout=30)


def test_hydrosphere_over_http(iris, addresses):
    _, content = _post(addresses, f"/namespaces/{iris}/gateway/application/iris", json.dumps({"features": _rows}))
    answer = json.loads(content)
    _check([each[0] for each in answer["predict"]], [each for row in answer["predict_proba"] for each in row])


def test_hydrosphere_over_grpc(iris, addresses):
    names = messages()
    tensor = names["hydrosphere.serving.contract.Tensor"](
        dtype=2, tensor_shape={"dims": [len(_rows), 4]}, double_val=[value for row in _rows for value in row])
    request = names["hydrosphere.serving.gateway.GatewayPredictRequest"](name="iris", data={"features": tensor})
    reply = _call(addresses, iris, "/hydrosphere.serving.gateway.GatewayService/PredictApplication", request,
                  names["hydrosphere.serving.runtime.PredictResponse"])
    _check(reply.outputs["predict"].int64_val, reply.outputs["predict_proba"].double_val)


def test_open_inference_over_http_as_json(iris, addresses):
    body = {"id": "one", "inputs": [{"name": "features", "datatype": "FP64", "shape": [len(_rows), 4], "data": _rows}]}
    _, content = _post(addresses, f"/namespaces/{iris}/v2/models/iris/infer", json.dumps(body))
    answer = json.loads(content)
    assert answer["id"] == "one" and answer["model_name"] == "iris"
    outputs = {each["name"]: each for each in answer["outputs"]}
    assert outputs["predict"]["shape"] == [len(_rows), 1]
    # MLServer says so of what it makes, and it comes all the way.
    assert outputs["predict"]["parameters"]["content_type"] == "np"
    _check(outputs["predict"]["data"], outputs["predict_proba"]["data"])


def test_open_inference_over_http_as_bytes(iris, addresses):
    head = json.dumps({
        "inputs": [{"name": "features", "datatype": "FP64", "shape": [len(_rows), 4], "parameters": {"binary_data_size": len(_raw)}}],
        "parameters": {"binary_data_output": True}}).encode()
    headers, content = _post(addresses, f"/namespaces/{iris}/v2/models/iris/infer", head + _raw, {
        "Content-Type": "application/octet-stream", "Inference-Header-Content-Length": str(len(head))})
    length = int(headers["Inference-Header-Content-Length"])
    at, found = length, {}
    for output in json.loads(content[:length])["outputs"]:
        size = output["parameters"]["binary_data_size"]
        found[output["name"]] = content[at:at + size]
        at += size
    assert at == len(content)
    _check(struct.unpack(f"<{len(_rows)}q", found["predict"]), struct.unpack(f"<{3 * len(_rows)}d", found["predict_proba"]))


@pytest.mark.parametrize("is_raw", [True, False])
def test_open_inference_over_grpc(iris, addresses, is_raw):
    names = messages()
    request = names["inference.ModelInferRequest"](model_name="iris", id="two")
    tensor = request.inputs.add(name="features", datatype="FP64", shape=[len(_rows), 4])
    if is_raw:
        request.raw_input_contents.append(_raw)
    else:
        tensor.contents.fp64_contents.extend(value for row in _rows for value in row)
    reply = _call(addresses, iris, "/inference.GRPCInferenceService/ModelInfer", request, names["inference.ModelInferResponse"])
    assert reply.id == "two" and [each.name for each in reply.outputs] == ["predict", "predict_proba"]
    if is_raw:
        classes, probabilities = reply.raw_output_contents
        _check(struct.unpack(f"<{len(_rows)}q", classes), struct.unpack(f"<{3 * len(_rows)}d", probabilities))
    else:
        _check(reply.outputs[0].contents.int64_contents, reply.outputs[1].contents.fp64_contents)


def test_tensorflow_over_grpc(iris, addresses):
    names = messages()
    request = names["tensorflow.serving.PredictRequest"](model_spec={"name": "iris"})
    tensor = request.inputs["features"]
    tensor.dtype = 2
    for size in (len(_rows), 4):
        tensor.tensor_shape.dim.add(size=size)
    tensor.double_val.extend(value for row in _rows for value in row)
    reply = _call(addresses, iris, "/tensorflow.serving.PredictionService/Predict", request, names["tensorflow.serving.PredictResponse"])
    _check(reply.outputs["predict"].int64_val, reply.outputs["predict_proba"].double_val)
