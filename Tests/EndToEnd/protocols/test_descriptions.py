# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors
"""What the gateway tells of itself: reflection, OpenAPI, lists, examples."""
import json

import grpc
import jsonschema
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from openapi_spec_validator import validate


@pytest.fixture(scope="module")
def pool(gateway):
    with grpc.insecure_channel(gateway.grpc) as channel:
        yield descriptor_pool.DescriptorPool(ProtoReflectionDescriptorDatabase(channel))


def message(pool, name, **fields):
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(name))(**fields)


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
def test_reflection_lists_services_and_says_what_is_missing(gateway, version):
    method = f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo"
    with grpc.insecure_channel(gateway.grpc) as channel:
        call = channel.stream_stream(method, reflection_pb2.ServerReflectionRequest.SerializeToString,
                                     reflection_pb2.ServerReflectionResponse.FromString)
        listed, missing, file = call(iter([
            reflection_pb2.ServerReflectionRequest(list_services=""), reflection_pb2.ServerReflectionRequest(file_containing_symbol="a.B"),
            reflection_pb2.ServerReflectionRequest(file_containing_symbol="inference.GRPCInferenceService.ModelInfer")]))
    assert {"inference.GRPCInferenceService", "hydrosphere.serving.gateway.GatewayService", "tensorflow.serving.PredictionService"} <= {
        each.name for each in listed.list_services_response.service}
    assert missing.error_response.error_code == grpc.StatusCode.NOT_FOUND.value[0]
    names = [descriptor_pb2.FileDescriptorProto.FromString(each).name for each in file.file_descriptor_response.file_descriptor_proto]
    assert any(name.startswith("inference/") for name in names)


def test_every_listed_service_can_be_called_by_what_reflection_says(gateway):
    with grpc.insecure_channel(gateway.grpc) as channel:
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        [listed] = stub.ServerReflectionInfo(iter([reflection_pb2.ServerReflectionRequest(list_services="")]))
        pool = descriptor_pool.DescriptorPool(ProtoReflectionDescriptorDatabase(channel))
        for service in listed.list_services_response.service:
            assert pool.FindServiceByName(service.name).methods


def test_tensorflow_servings_predict_by_reflection_alone(gateway, pool):
    with grpc.insecure_channel(gateway.grpc) as channel:
        method = pool.FindServiceByName("tensorflow.serving.PredictionService").FindMethodByName("Predict")
        answer_class = message_factory.GetMessageClass(method.output_type)
        call = channel.unary_unary("/tensorflow.serving.PredictionService/Predict", lambda each: each.SerializeToString(), answer_class.FromString)
        asked = message(pool, "tensorflow.serving.PredictRequest")
        asked.model_spec.name = "versions"
        tensor = asked.inputs["x"]
        tensor.dtype = 2
        tensor.tensor_shape.dim.add(size=2)
        tensor.double_val.extend([1, 2])
        said = call(asked)
        assert list(said.outputs["version"].int64_val) == [1] and said.model_spec.name == "versions" and said.model_spec.version.value == 1
        asked.model_spec.version.value = 2
        said = call(asked)
        assert list(said.outputs["version"].int64_val) == [2] and said.model_spec.version.value == 2
        asked.output_filter.append("colour")
        with pytest.raises(grpc.RpcError) as refused:
            call(asked)
        assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT and '"colour"' in refused.value.details()
        other = channel.unary_unary("/tensorflow.serving.PredictionService/GetModelMetadata", lambda each: each, lambda each: each)
        with pytest.raises(grpc.RpcError) as refused:
            other(b"")
        assert refused.value.code() == grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize("name", ["simple", "mirror", "versions", "text"])
def test_openapi_is_valid_and_true(gateway, name):
    status, headers, body = gateway.call("GET", f"/openapi/{name}.json")
    assert status == 200 and headers["content-type"] == "application/json"
    document = json.loads(body)
    validate(document)
    post = document["paths"][f"/gateway/application/{name}"]["post"]

    def check(value, schema):
        # References are into the document.
        jsonschema.Draft202012Validator({"$ref": f"#/components/schemas/{schema}", "components": document["components"]}).validate(value)
    sample = json.loads(gateway.call("GET", f"/gateway/application/{name}/generateInputs")[2])
    assert post["requestBody"]["content"]["application/json"]["example"] == sample
    check(sample, "Inputs")
    status, _, answer = gateway.call("POST", f"/gateway/application/{name}", sample)
    assert status == 200
    check(json.loads(answer), "Outputs")
    with pytest.raises(jsonschema.ValidationError):
        check({**sample, "stranger": 1}, "Inputs")
    check(json.loads(gateway.call("POST", f"/gateway/application/{name}", {})[2]), "Fault")
    check(json.loads(gateway.call("GET", f"/v2/models/{name}")[2]), "ModelMetadata")
    check(json.loads(gateway.call("POST", f"/v2/models/{name}/infer", "{}")[2]), "InferFault")


def test_openapi_describes_the_open_inference_request_that_works(gateway):
    document = json.loads(gateway.call("GET", "/openapi/versions.json")[2])
    asked = {"id": "1", "inputs": [{"name": "x", "datatype": "FP64", "shape": [2], "data": [1, 2]}]}
    status, _, answer = gateway.call("POST", "/v2/models/versions/infer", asked)
    assert status == 200
    for value, schema in [(asked, "InferRequest"), (json.loads(answer), "InferResponse")]:
        jsonschema.Draft202012Validator({"$ref": f"#/components/schemas/{schema}", "components": document["components"]}).validate(value)


def test_openapi_of_another_namespace_has_its_prefix(gateway, stage):
    document = json.loads(gateway.call("GET", f"/namespaces/{stage.other}/openapi/text-elsewhere.json")[2])
    validate(document)
    [path] = [each for each in document["paths"] if each.endswith("/infer")]
    assert gateway.call("GET", path.removesuffix("/infer"))[0] == 200
    assert gateway.call("GET", "/openapi/text-elsewhere.json")[0] == 404
