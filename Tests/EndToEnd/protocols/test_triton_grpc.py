# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors
"""`tritonclient.grpc`, sync, streaming and asyncio, used as its README shows."""
import asyncio
import queue

import grpc
import numpy as np
import pytest
import tritonclient.grpc as client_grpc
import tritonclient.grpc.aio as client_aio
from tritonclient.grpc import service_pb2, service_pb2_grpc
from tritonclient.utils import InferenceServerException

from exchange import ARRAYS, mirrored


@pytest.fixture
def client(gateway):
    with client_grpc.InferenceServerClient(gateway.grpc) as client:
        yield client


@pytest.fixture
def stub(gateway):
    with grpc.insecure_channel(gateway.grpc) as channel:
        yield service_pb2_grpc.GRPCInferenceServiceStub(channel)


def simple():
    left, right = np.arange(16, dtype=np.int32).reshape(1, 16), np.ones((1, 16), np.int32)
    inputs = [client_grpc.InferInput("INPUT0", [1, 16], "INT32"), client_grpc.InferInput("INPUT1", [1, 16], "INT32")]
    inputs[0].set_data_from_numpy(left)
    inputs[1].set_data_from_numpy(right)
    return inputs, [client_grpc.InferRequestedOutput("OUTPUT0"), client_grpc.InferRequestedOutput("OUTPUT1")], left + right, left - right


def zeros():
    inputs = [client_grpc.InferInput("x", [1], "FP64")]
    inputs[0].set_data_from_numpy(np.zeros(1))
    return inputs


def test_the_server_and_its_models_say_what_they_are(client):
    assert client.is_server_live() and client.is_server_ready() and client.is_model_ready("simple") and client.is_model_ready("versions", "2")
    assert client.get_server_metadata().name == "hydro-gateway"
    said = client.get_model_metadata("versions", as_json=True)
    assert said == {"name": "versions", "versions": ["1", "2"], "platform": "hydro", "inputs": [
        {"name": "x", "datatype": "FP64", "shape": ["-1"]}], "outputs": [{"name": "version", "datatype": "INT64"}]}
    for ask in (client.is_model_ready, client.get_model_metadata):
        with pytest.raises(InferenceServerException, match="nobody") as refused:
            ask("nobody")
        assert refused.value.status() == "StatusCode.NOT_FOUND"


def test_a_prediction_is_the_models(client):
    inputs, outputs, total, difference = simple()
    answer = client.infer("simple", inputs, outputs=outputs, request_id="a1", parameters={"colour": "mauve"})
    np.testing.assert_array_equal(answer.as_numpy("OUTPUT0"), total)
    np.testing.assert_array_equal(answer.as_numpy("OUTPUT1"), difference)
    said = answer.get_response()
    assert (said.model_name, said.model_version, said.id) == ("simple", "1", "a1")
    assert client.infer("simple", inputs, outputs=outputs[1:]).as_numpy("OUTPUT0") is None


@pytest.mark.parametrize("dtype", ARRAYS)
def test_every_type_comes_back_bit_by_bit(client, dtype):
    came = mirrored(client_grpc, client, {dtype: ARRAYS[dtype]}).as_numpy(f"out_{dtype}")
    if dtype == "string":
        assert came.tolist() == ARRAYS[dtype].tolist()
    else:
        assert came.dtype == ARRAYS[dtype].dtype and came.tobytes() == ARRAYS[dtype].tobytes()


def test_typed_contents_are_answered_in_kind(stub):
    asked = service_pb2.ModelInferRequest(model_name="versions", id="7")
    asked.inputs.add(name="x", datatype="FP64", shape=[2]).contents.fp64_contents.extend([1, 2])
    said = stub.ModelInfer(asked)
    assert list(said.outputs[0].contents.int64_contents) == [1] and not said.raw_output_contents and said.id == "7"


def test_versions_namespaces_and_servables(client, stage):
    for version, wanted in [("", 1), ("1", 1), ("2", 2)]:
        answer = client.infer("versions", zeros(), model_version=version)
        assert answer.as_numpy("version") == wanted and answer.get_response().model_version == str(wanted)
    with pytest.raises(InferenceServerException, match="wanted version 3 .*found 1, 2") as refused:
        client.infer("versions", zeros(), model_version="3")
    assert refused.value.status() == "StatusCode.NOT_FOUND"
    inputs = [client_grpc.InferInput("text", [1], "BYTES")]
    inputs[0].set_data_from_numpy(np.array([b"hey"], dtype=object))
    assert client.infer("text-alone", inputs).as_numpy("loud").tolist() == [b"HEY"]
    assert client.infer("text-elsewhere", inputs, headers={"hydro-namespace": stage.other}).as_numpy("loud").tolist() == [b"HEY"]
    assert client.is_model_ready("text-elsewhere", headers={"hydro-namespace": stage.other})


def test_the_repository_and_statistics(client):
    index = client.get_model_repository_index(as_json=True)["models"]
    assert {"name": "versions", "version": "2", "state": "READY"} in index
    before = client.get_inference_statistics("simple").model_stats[0]
    client.infer("simple", simple()[0])
    after = client.get_inference_statistics("simple").model_stats[0]
    assert after.inference_count == before.inference_count + 1 and after.inference_stats.success.ns > before.inference_stats.success.ns
    for refuse in (lambda: client.load_model("simple"), lambda: client.unload_model("simple"), lambda: client.get_model_config("simple"),
                   client.get_system_shared_memory_status, client.get_log_settings):
        with pytest.raises(InferenceServerException) as refused:
            refuse()
        assert refused.value.status() == "StatusCode.UNIMPLEMENTED"


def _asked(**tensor):
    asked = service_pb2.ModelInferRequest(model_name="versions")
    asked.inputs.add(**tensor)
    return asked


@pytest.mark.parametrize("asked, tensor", [
    (_asked(name="x", datatype="FP65", shape=[1]), '"x"'), (_asked(name="x", datatype="FP64", shape=[2]), '"x"'),
    (_asked(name="y", datatype="FP64", shape=[0]), '"y"'), (_asked(name="x", datatype="FP64", shape=[-1]), '"x"'),
    (_asked(name="x", datatype="FP64", shape=[1 << 62, 1 << 62]), '"x"'),
    (_asked(name="x", datatype="INT64", shape=[1], contents=service_pb2.InferTensorContents(int64_contents=[1])), '"x"')])
def test_what_is_wrong_is_invalid_and_names_the_tensor(stub, asked, tensor):
    with pytest.raises(grpc.RpcError) as refused:
        stub.ModelInfer(asked)
    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT and tensor in refused.value.details()


def test_failures_keep_the_models_words_and_the_request_id(client, stub):
    with pytest.raises(InferenceServerException, match="no such colour: mauve") as refused:
        client.infer("failing", zeros())
    assert refused.value.status() == "StatusCode.INTERNAL"
    asked = service_pb2.ModelInferRequest(model_name="nobody")
    with pytest.raises(grpc.RpcError) as refused:
        stub.ModelInfer(asked, metadata=[("x-request-id", "r-17")])
    assert dict(refused.value.initial_metadata() or ()).get("x-request-id") or dict(refused.value.trailing_metadata())["x-request-id"] == "r-17"


def test_a_stream_answers_in_order_and_survives_errors(client):
    answers = queue.Queue()
    client.start_stream(callback=lambda result, error: answers.put((result, error)))
    inputs, outputs, total, _ = simple()
    for each in range(10):
        client.async_stream_infer("nobody" if each == 4 else "simple", inputs, outputs=outputs, request_id=str(each))
    for each in range(10):
        result, error = answers.get(timeout=20)
        if each == 4:
            assert result is None and "nobody" in error.message()
        else:
            assert error is None and result.get_response().id == str(each)
            np.testing.assert_array_equal(result.as_numpy("OUTPUT0"), total)
    client.stop_stream()


def test_asyncio_and_its_stream(gateway):
    async def story():
        async with client_aio.InferenceServerClient(gateway.grpc) as client:
            assert await client.is_server_live()
            inputs, outputs, total, _ = simple()
            answers = await asyncio.gather(*[client.infer("simple", inputs, outputs=outputs, request_id=str(each)) for each in range(20)])
            for each, answer in enumerate(answers):
                np.testing.assert_array_equal(answer.as_numpy("OUTPUT0"), total)
                assert answer.get_response().id == str(each)

            async def questions():
                for each in range(5):
                    yield {"model_name": "simple", "inputs": inputs, "outputs": outputs, "request_id": str(each)}
            seen = []
            async for result, error in client.stream_infer(questions()):
                assert error is None
                seen.append(result.get_response().id)
            assert seen == ["0", "1", "2", "3", "4"]
    asyncio.run(story())


def test_a_future_answers_later_and_compression_is_refused_clearly(client):
    answers = queue.Queue()
    inputs, _, total, _ = simple()
    client.async_infer("simple", inputs, callback=lambda result, error: answers.put((result, error)))
    result, error = answers.get(timeout=20)
    assert error is None
    np.testing.assert_array_equal(result.as_numpy("OUTPUT0"), total)
    with pytest.raises(InferenceServerException, match="compressed") as refused:
        client.infer("simple", inputs, compression_algorithm="gzip")
    assert refused.value.status() == "StatusCode.UNIMPLEMENTED"
