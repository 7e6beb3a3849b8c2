# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors
"""`tritonclient.http`, sync and asyncio, used as its README shows."""
import asyncio

import numpy as np
import pytest
import tritonclient.http as client_http
import tritonclient.http.aio as client_aio
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

from exchange import ARRAYS, mirrored


@pytest.fixture
def client(gateway):
    with client_http.InferenceServerClient(gateway.http) as client:
        yield client


def simple(binary_in=True, binary_out=True, requested=True):
    left, right = np.arange(16, dtype=np.int32).reshape(1, 16), np.ones((1, 16), np.int32)
    inputs = [client_http.InferInput("INPUT0", [1, 16], "INT32"), client_http.InferInput("INPUT1", [1, 16], "INT32")]
    inputs[0].set_data_from_numpy(left, binary_data=binary_in)
    inputs[1].set_data_from_numpy(right, binary_data=binary_in)
    names = ["OUTPUT0", "OUTPUT1"] if requested else []
    outputs = [client_http.InferRequestedOutput(name, binary_data=binary_out) for name in names] or None
    return inputs, outputs, left + right, left - right


def test_the_server_lives_is_ready_and_says_what_it_is(client):
    assert client.is_server_live() and client.is_server_ready()
    said = client.get_server_metadata()
    assert said["name"] == "hydro-gateway" and said["version"] and "binary_tensor_data" in said["extensions"]


def test_a_model_is_described(client):
    assert client.is_model_ready("simple") and client.is_model_ready("simple", "1")
    assert not client.is_model_ready("nobody") and not client.is_model_ready("simple", "9")
    said = client.get_model_metadata("simple")
    assert said == {"name": "simple", "versions": ["1"], "platform": "hydro", "inputs": [
        {"name": "INPUT0", "datatype": "INT32", "shape": [1, 16]}, {"name": "INPUT1", "datatype": "INT32", "shape": [1, 16]}], "outputs": [
        {"name": "OUTPUT0", "datatype": "INT32", "shape": [1, 16]}, {"name": "OUTPUT1", "datatype": "INT32", "shape": [1, 16]}]}


@pytest.mark.parametrize("binary_in", [True, False])
@pytest.mark.parametrize("binary_out", [True, False])
@pytest.mark.parametrize("requested", [True, False])
def test_a_prediction_is_the_models(client, binary_in, binary_out, requested):
    inputs, outputs, total, difference = simple(binary_in, binary_out, requested)
    answer = client.infer("simple", inputs, outputs=outputs, request_id="17")
    np.testing.assert_array_equal(answer.as_numpy("OUTPUT0"), total)
    np.testing.assert_array_equal(answer.as_numpy("OUTPUT1"), difference)
    said = answer.get_response()
    assert said["id"] == "17" and said["model_name"] == "simple" and said["model_version"] == "1"


def test_only_requested_outputs_come_in_their_order_each_in_its_way(client):
    inputs, _, total, difference = simple()
    wanted = [client_http.InferRequestedOutput("OUTPUT1", binary_data=False), client_http.InferRequestedOutput("OUTPUT0", binary_data=True)]
    answer = client.infer("simple", inputs, outputs=wanted)
    assert [each["name"] for each in answer.get_response()["outputs"]] == ["OUTPUT1", "OUTPUT0"]
    np.testing.assert_array_equal(answer.as_numpy("OUTPUT0"), total)
    np.testing.assert_array_equal(answer.as_numpy("OUTPUT1"), difference)
    answer = client.infer("simple", inputs, outputs=wanted[:1])
    assert answer.as_numpy("OUTPUT0") is None


@pytest.mark.parametrize("coming", [None, "gzip", "deflate"])
@pytest.mark.parametrize("going", [None, "gzip", "deflate"])
def test_bodies_are_packed_either_way(client, going, coming):
    array = np.arange(40_000, dtype=np.float64).reshape(20_000, 2)
    answer = mirrored(client_http, client, {"double": array}, request_compression_algorithm=going, response_compression_algorithm=coming)
    np.testing.assert_array_equal(answer.as_numpy("out_double"), array)


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("dtype", ARRAYS)
def test_every_type_comes_back_bit_by_bit(client, dtype, binary):
    if dtype == "half" and not binary:
        pytest.skip("the client has no JSON for FP16")
    answer = mirrored(client_http, client, {dtype: ARRAYS[dtype]}, binary=binary)
    came = answer.as_numpy(f"out_{dtype}")
    if dtype == "string":
        assert [bytes(each) if binary else each for each in came.flat] == [each if binary else each.decode() for each in ARRAYS[dtype].flat]
    else:
        assert came.dtype == ARRAYS[dtype].dtype and came.tobytes() == ARRAYS[dtype].tobytes()


def test_versions_are_chosen_by_name(client):
    inputs = [client_http.InferInput("x", [1], "FP64")]
    inputs[0].set_data_from_numpy(np.zeros(1))
    for version, wanted in [("", 1), ("1", 1), ("2", 2)]:
        answer = client.infer("versions", inputs, model_version=version)
        assert answer.as_numpy("version") == wanted and answer.get_response()["model_version"] == str(wanted)
    with pytest.raises(InferenceServerException, match="wanted version 3 .*found 1, 2") as refused:
        client.infer("versions", inputs, model_version="3")
    assert refused.value.status() == "404"


def test_a_servable_answers_by_its_name(client):
    inputs = [client_http.InferInput("text", [1], "BYTES")]
    inputs[0].set_data_from_numpy(np.array(["hey"], dtype=object))
    answer = client.infer("text-alone", inputs)
    assert answer.as_numpy("loud").tolist() == [b"HEY"] and answer.get_response()["model_version"] == "7"


def test_another_namespace_is_a_prefix_of_the_address(gateway, stage):
    inputs = [client_http.InferInput("text", [1], "BYTES")]
    inputs[0].set_data_from_numpy(np.array(["hey"], dtype=object))
    with client_http.InferenceServerClient(f"{gateway.http}/namespaces/{stage.other}") as client:
        assert client.infer("text-elsewhere", inputs).as_numpy("loud").tolist() == [b"HEY"]
        assert client.infer("text-elsewhere", inputs, headers={"hydro-namespace": "ignored"}).as_numpy("loud").tolist() == [b"HEY"]
    with client_http.InferenceServerClient(gateway.http) as client:
        assert client.infer("text-elsewhere", inputs, headers={"hydro-namespace": stage.other}).as_numpy("loud").tolist() == [b"HEY"]
        with pytest.raises(InferenceServerException, match="text-elsewhere"):
            client.infer("text-elsewhere", inputs)


def test_the_repository_lists_versions_and_loads_nothing(client):
    index = client.get_model_repository_index()
    assert {"name": "versions", "version": "2", "state": "READY", "reason": ""} in index
    assert [each["name"] for each in index] == sorted(each["name"] for each in index)
    for refuse in (client.load_model, client.unload_model):
        with pytest.raises(InferenceServerException, match="declare") as refused:
            refuse("simple")
        assert refused.value.status() == "501"


def test_statistics_count_what_was_answered_and_what_failed(client):
    def counts(name):
        [said] = client.get_inference_statistics(name)["model_stats"]
        return said["inference_count"], said["inference_stats"]["success"]["ns"], said["inference_stats"]["fail"]["count"]
    before, inputs = counts("simple"), simple()[0]
    client.infer("simple", inputs)
    client.infer("simple", inputs)
    after = counts("simple")
    assert after[0] == before[0] + 2 and after[1] > before[1]
    bad = [client_http.InferInput("x", [1], "FP64")]
    bad[0].set_data_from_numpy(np.zeros(1))
    failed = counts("failing")[2]
    with pytest.raises(InferenceServerException, match="no such colour: mauve") as refused:
        client.infer("failing", bad)
    assert refused.value.status() == "500" and counts("failing")[2] == failed + 1
    assert {"simple", "versions"} <= {each["name"] for each in client.get_inference_statistics()["model_stats"]}


@pytest.mark.parametrize("ask", [
    lambda client: client.get_model_config("simple"), lambda client: client.get_trace_settings(), lambda client: client.get_log_settings(),
    lambda client: client.get_system_shared_memory_status(), lambda client: client.get_cuda_shared_memory_status()])
def test_what_a_gateway_cannot_have_is_refused_clearly(client, ask):
    with pytest.raises(InferenceServerException, match="the gateway has no") as refused:
        ask(client)
    assert refused.value.status() == "501"


def test_asyncio_and_many_at_once(gateway):
    async def story():
        async with client_aio.InferenceServerClient(gateway.http) as client:
            assert await client.is_server_live() and await client.is_model_ready("simple")
            inputs, outputs, total, _ = simple()
            answers = await asyncio.gather(*[client.infer("simple", inputs, outputs=outputs, request_id=str(each)) for each in range(20)])
            for each, answer in enumerate(answers):
                np.testing.assert_array_equal(answer.as_numpy("OUTPUT0"), total)
                assert answer.get_response()["id"] == str(each)
    asyncio.run(story())


def test_the_threaded_client_answers_later(gateway):
    with client_http.InferenceServerClient(gateway.http, concurrency=4) as client:
        inputs, outputs, total, _ = simple()
        for each in [client.async_infer("simple", inputs, outputs=outputs) for _ in range(8)]:
            np.testing.assert_array_equal(each.get_result().as_numpy("OUTPUT0"), total)


def test_types_are_the_clients_own():
    assert {np_to_triton_dtype(each.dtype) for name, each in ARRAYS.items() if name != "string"} >= {"BOOL", "FP16", "UINT64"}
