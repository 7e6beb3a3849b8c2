# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors
"""Every caller's protocol to every model's: every type in every shape arrives and comes back to the bit."""
import json
from concurrent import futures

import grpc
import numpy as np
import pytest

import dtypes
from messages import messages
from stage import signature

_longest = [("grpc.enable_http_proxy", 0)]
UPSTREAMS = ["hydrosphere", "tensorflow", "open-inference"]


class Echo:
    """A model that speaks one protocol, keeps what it was given as arrays, and gives it back."""

    def __init__(self, protocol, signature):
        self.protocol, self.signature, self.given, self.called = protocol, signature, None, None
        names = messages()
        method, request, reply = {
            "hydrosphere": ("hydrosphere.serving.runtime.PredictionService/Predict", names["hydrosphere.serving.runtime.PredictRequest"],
                            self._hydrosphere),
            "tensorflow": ("tensorflow.serving.PredictionService/Predict", names["tensorflow.serving.PredictRequest"], self._tensorflow),
            "open-inference": ("inference.GRPCInferenceService/ModelInfer", names["inference.ModelInferRequest"], self._infer),
        }[protocol]
        service, _, name = method.partition("/")
        handler = grpc.unary_unary_rpc_method_handler(
            lambda message, context: reply(message), request.FromString, lambda message: message.SerializeToString())
        self._server = grpc.server(futures.ThreadPoolExecutor(2), handlers=[grpc.method_handlers_generic_handler(service, {name: handler})])
        self.port = self._server.add_insecure_port("0.0.0.0:0")
        self._server.start()

    def stop(self):
        self._server.stop(0).wait(5)

    def _hydrosphere(self, message):
        self.given = {name: dtypes.untensor(each) for name, each in message.inputs.items()}
        return self._filled(messages()["hydrosphere.serving.runtime.PredictResponse"]())

    def _tensorflow(self, message):
        self.given, self.called = {name: dtypes.untensor(each) for name, each in message.inputs.items()}, message.model_spec.name
        return self._filled(messages()["tensorflow.serving.PredictResponse"]())

    def _infer(self, message):
        self.given, self.called = dtypes.uninfer(message.inputs, message.raw_input_contents), message.model_name
        reply = messages()["inference.ModelInferResponse"](id=message.id)
        return dtypes.infer(reply, reply.outputs, reply.raw_output_contents, self.given, is_raw=True)

    def _filled(self, reply):
        for name, array in self.given.items():
            dtypes.tensor(array, name.partition("-")[0], reply.outputs[name])
        return reply


class Callers:
    """One way of asking for each protocol that callers may speak: arrays in, arrays out."""

    def __init__(self, gateway, application):
        self._gateway, self._application = gateway, application

    def hydrosphere_json(self, arrays):
        body = {name: _jsonable(array) for name, array in arrays.items()}
        answer = self._post(f"/gateway/application/{self._application}", json.dumps(body))
        return {name: _unjson(answer[name], name.partition("-")[0], array.shape) for name, array in arrays.items()}

    def hydrosphere_grpc(self, arrays):
        names = messages()
        request = names["hydrosphere.serving.gateway.GatewayPredictRequest"](name=self._application)
        for name, array in arrays.items():
            dtypes.tensor(array, name.partition("-")[0], request.data[name])
        reply = self._call("hydrosphere.serving.gateway.GatewayService/PredictApplication", request,
                           names["hydrosphere.serving.runtime.PredictResponse"])
        return {name: dtypes.untensor(each) for name, each in reply.outputs.items()}

    def tensorflow_grpc(self, arrays):
        names = messages()
        request = names["tensorflow.serving.PredictRequest"](model_spec={"name": self._application})
        for name, array in arrays.items():
            dtypes.tensor(array, name.partition("-")[0], request.inputs[name])
        reply = self._call("tensorflow.serving.PredictionService/Predict", request, names["tensorflow.serving.PredictResponse"])
        return {name: dtypes.untensor(each) for name, each in reply.outputs.items()}

    def infer_json(self, arrays):
        inputs = [{**_described(name, array), "data": _flat(array)} for name, array in arrays.items()]
        outputs = self._post(f"/v2/models/{self._application}/infer", json.dumps({"inputs": inputs}))["outputs"]
        return {each["name"]: _unjson(each["data"], each["name"].partition("-")[0], tuple(each["shape"])) for each in outputs}

    def infer_binary(self, arrays):
        blobs = [dtypes.raw(array) for array in arrays.values()]
        inputs = [{**_described(name, array), "parameters": {"binary_data_size": len(blob)}}
                  for (name, array), blob in zip(arrays.items(), blobs)]
        head = json.dumps({"inputs": inputs, "parameters": {"binary_data_output": True}}).encode()
        status, headers, body = self._gateway.call("POST", f"/v2/models/{self._application}/infer", head + b"".join(blobs), {
            "content-type": "application/octet-stream", "inference-header-content-length": str(len(head))})
        assert status == 200, body
        at, found = int(headers["inference-header-content-length"]), {}
        for each in json.loads(body[:at])["outputs"]:
            size = each["parameters"]["binary_data_size"]
            found[each["name"]] = dtypes.unraw(body[at:at + size], each["name"].partition("-")[0], tuple(each["shape"]))
            at += size
        assert at == len(body)
        return found

    def infer_grpc_raw(self, arrays):
        return self._infer(arrays, is_raw=True)

    def infer_grpc_typed(self, arrays):
        return self._infer(arrays, is_raw=False)

    def _infer(self, arrays, is_raw):
        names = messages()
        request = names["inference.ModelInferRequest"](model_name=self._application)
        dtypes.infer(request, request.inputs, request.raw_input_contents, arrays, is_raw)
        reply = self._call("inference.GRPCInferenceService/ModelInfer", request, names["inference.ModelInferResponse"])
        assert bool(reply.raw_output_contents) == is_raw
        return dtypes.uninfer(reply.outputs, reply.raw_output_contents)

    def _post(self, path, body):
        status, _, content = self._gateway.call("POST", path, body, {"content-type": "application/json"})
        assert status == 200, content
        return json.loads(content)

    def _call(self, method, request, reply):
        with grpc.insecure_channel(self._gateway.grpc, options=_longest) as channel:
            call = channel.unary_unary("/" + method, lambda message: message.SerializeToString(), reply.FromString)
            return call(request, timeout=30)


def _described(name, array):
    return {"name": name, "datatype": dtypes.TYPES[name.partition("-")[0]][3], "shape": list(array.shape)}


def _flat(array):
    return [each.decode() if isinstance(each, bytes) else each for each in array.ravel().tolist()]


def _jsonable(array):
    if array.dtype != object:
        return array.tolist()
    return np.array(_flat(array) or [""], object)[:array.size].reshape(array.shape).tolist()


def _unjson(values, dtype, shape):
    if dtype != "string":
        return np.array(values, dtypes.TYPES[dtype][0]).reshape(shape)
    made = np.empty(int(np.prod(shape)), object)
    made[:] = [each.encode() for each in np.array(values, object).ravel().tolist()]
    return made.reshape(shape)


JSON = ["hydrosphere_json", "infer_json"]
CALLERS = ["hydrosphere_json", "hydrosphere_grpc", "tensorflow_grpc", "infer_json", "infer_binary", "infer_grpc_raw", "infer_grpc_typed"]


@pytest.fixture(scope="module", params=UPSTREAMS)
def upstream(request, stage):
    """Two applications before models of one protocol: with all types, and without halves, which typed contents cannot carry."""
    echoes = {}
    for name, without in (("all", ()), ("typed", ("half",))):
        fields = dtypes.fields(dtypes.arrays(False, without))
        echo = echoes[f"matrix-{request.param}-{name}"] = Echo(request.param, signature(fields, fields))
        stage.serve(f"matrix-{request.param}-{name}", [echo])
    yield request.param, echoes
    for echo in echoes.values():
        echo.stop()


@pytest.mark.parametrize("caller", CALLERS)
def test_what_goes_in_comes_out(upstream, gateway, caller):
    protocol, echoes = upstream
    is_typed = caller == "infer_grpc_typed"
    application = f"matrix-{protocol}-{'typed' if is_typed else 'all'}"
    arrays = dtypes.arrays(caller in JSON, ("half",) if is_typed else ())
    echo = echoes[application]
    found = getattr(Callers(gateway, application), caller)(arrays)
    assert set(echo.given) == set(found) == set(arrays)
    assert echo.called in (None, application)
    wrong = [name for name, array in arrays.items() if not dtypes.same(echo.given[name], array)]
    assert not wrong, f"the model got other values: {[(each, arrays[each], echo.given[each]) for each in wrong[:3]]}"
    wrong = [name for name, array in arrays.items() if not dtypes.same(found[name], array)]
    assert not wrong, f"the caller got other values: {[(each, arrays[each], found[each]) for each in wrong[:3]]}"
