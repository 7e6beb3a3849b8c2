# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors

"""The runtime as Kubernetes and the gateway see it."""

import threading
import urllib.request

import grpc
import pytest

from conftest import signature
from hydro_runtime.protos import Tensor, TensorShape, types

_double = signature([("x", "double", [-1])], [("y", "double", [-1])])
_serving, _not_serving = b"\x08\x01", b"\x08\x02"


def _vector(*values):
    return Tensor(dtype=types.DT_DOUBLE, tensor_shape=TensorShape(dims=[len(values)]), double_val=values)


def _refused(process, **inputs):
    with pytest.raises(grpc.RpcError) as refused:
        process.predict(**inputs)
    return refused.value.code(), refused.value.details()


@pytest.mark.parametrize("place", ["files/src", "files/src/lib", "files", "."])
def test_a_model_is_found_wherever_hydrosphere_looked_and_in_a_flat_folder(start, place):
    process = start("def predict(x): return {'y': x * 2}", _double, place)
    process.logged("serving")
    assert list(process.predict(x=_vector(1, 2.5))["y"].double_val) == [2, 5]


def test_the_signature_names_the_function(start):
    process = start("predict = None\ndef infer(x): return {'y': x}",
                    signature([("x", "double", [-1])], [("y", "double", [-1])], name="infer"))
    process.logged("serving")
    assert list(process.predict(x=_vector(3))["y"].double_val) == [3]


def test_a_scalar_comes_as_a_numpy_scalar(start):
    process = start("def predict(x): return {'y': type(x).__name__}", signature([("x", "int8", [])], [("y", "string", [])]))
    process.logged("serving")
    answer = process.predict(x=Tensor(dtype=types.DT_INT8, tensor_shape=TensorShape(), int_val=[4]))
    assert list(answer["y"].string_val) == [b"int8"]


def test_a_model_may_return_the_tensors_of_hydro_serving_grpc(start):
    process = start(
        "from hydro_serving_grpc.serving.contract.tensor_pb2 import Tensor, TensorShape\n"
        "from hydro_serving_grpc.serving.contract.types_pb2 import DT_DOUBLE\n"
        "def predict(x): return {'y': Tensor(dtype=DT_DOUBLE, tensor_shape=TensorShape(dims=[1]), double_val=[7])}", _double)
    process.logged("serving")
    assert list(process.predict(x=_vector(1))["y"].double_val) == [7]


def test_wrong_inputs_are_the_callers_fault_and_all_are_named(start):
    process = start("def predict(**k): return {'y': 1}", signature(
        [("a", "double", [2]), ("b", "int64", []), ("c", "string", [])], [("y", "double", [])]))
    process.logged("serving")
    code, details = _refused(process, a=_vector(1, 2, 3), b=Tensor(dtype=types.DT_STRING, string_val=[b"one"]))
    assert code == grpc.StatusCode.INVALID_ARGUMENT
    assert details == ('field "a" wants double [2], got double [3]; field "b" wants int64 [], got string []; '
                       'field "c" wants string [], got nothing')


def test_an_exception_in_the_model_is_internal_with_its_text_and_logs_its_traceback(start):
    process = start("def predict(x): raise RuntimeError('no such colour: mauve')", _double)
    process.logged("serving")
    assert _refused(process, x=_vector(1)) == (grpc.StatusCode.INTERNAL, "RuntimeError: no such colour: mauve")
    assert "func_main.py" in process.logged("the model raised")["traceback"]


def test_a_model_that_exits_fails_its_request_only(start):
    process = start("import sys\ndef predict(x): sys.exit(3) if x[0] else None\n    ", _double)
    process.logged("serving")
    assert _refused(process, x=_vector(1)) == (grpc.StatusCode.INTERNAL, "SystemExit: 3")
    assert process.healthz() == (200, "ok")


@pytest.mark.parametrize("code, details", [
    ("def predict(x): return {'z': x}", '"predict" wants "y", got "z"'),
    ("def predict(x): return {}", '"predict" wants "y", got nothing'),
    ("def predict(x): return {'y': x, 'z': x}", '"predict" wants "y", got "y", "z"'),
    ("def predict(x): return x", '"predict" wants a dict, got ndarray'),
    ("def predict(x): return {'y': ['a']}", 'field "y" wants double, got string'),
    ("def predict(x): return {'y': [[1, 2], [3, 4]]}", 'field "y" wants double [-1], got shape [2, 2]'),
    ("def predict(x): return {'y': [[1, 2], [3]]}", 'field "y" wants double [-1], got what numpy refuses'),
])
def test_a_model_that_breaks_its_contract_is_internal(start, code, details):
    process = start(code, _double)
    process.logged("serving")
    code, found = _refused(process, x=_vector(1))
    assert code == grpc.StatusCode.INTERNAL
    assert found.startswith(details)


def test_it_is_not_serving_until_the_model_has_loaded(start, tmp_path):
    gate = tmp_path / "gate"
    process = start(f"import os\nos.mkfifo({str(gate)!r})\nprint('up', flush=True)\nopen({str(gate)!r}).read()\n"
                    "def predict(x): return {'y': x}", _double)
    assert process.check() == _not_serving
    assert process.healthz() == (503, "loading")
    assert _refused(process, x=_vector(1))[0] == grpc.StatusCode.UNAVAILABLE
    watched = process.watch()
    assert next(watched) == _not_serving
    while not gate.exists():
        threading.Event().wait(0.01)
    gate.write_text("go")
    assert next(watched) == _serving
    process.logged("serving")
    assert process.healthz() == (200, "ok")
    assert process.check(b"\x0a\x2dhydrosphere.serving.runtime.PredictionService") == _serving


def test_health_does_not_know_other_services_and_http_no_other_pages(start):
    process = start("def predict(x): return {'y': x}", _double)
    process.logged("serving")
    with pytest.raises(grpc.RpcError) as refused:
        process.check(b"\x0a\x04cats")
    assert refused.value.code() == grpc.StatusCode.NOT_FOUND
    assert process.healthz("/metrics")[0] == 404


@pytest.mark.parametrize("code, reason", [
    ("import colours_of_the_wind", "ModuleNotFoundError: No module named 'colours_of_the_wind'"),
    ("def predict(x) return", "SyntaxError"),
    ("def guess(x): pass", 'wants a function "predict"'),
    ("raise SystemExit(4)", "SystemExit: 4"),
])
def test_a_model_that_does_not_load_says_why_everywhere(start, tmp_path, code, reason):
    note = tmp_path / "termination"
    note.touch()
    process = start(code, _double, TERMINATION_LOG=str(note), HYDRO_FAILED_SECONDS="60")
    assert reason in process.logged("the model did not load")["traceback"]
    assert process.check() == _not_serving
    status, body = process.healthz()
    assert status == 503 and reason in body
    process.terminate()
    assert process.wait() == 1
    text = note.read_text()
    assert text.startswith("the model did not load: ") and reason in text and "Traceback" in text
    assert len(text) <= 4096


def test_without_a_contract_it_says_so_and_exits(start, tmp_path):
    process = start("def predict(x): pass", None)
    assert f"{tmp_path}/contract.protobin" in process.logged("the model did not load")["traceback"]
    assert process.wait() == 1


def test_a_call_under_way_is_finished_after_sigterm(start, tmp_path):
    gate = tmp_path / "gate"
    process = start(f"import os\ndef predict(x):\n    os.mkfifo({str(gate)!r})\n    open({str(gate)!r}).read()\n"
                    "    return {'y': x}", _double)
    process.logged("serving")
    answers = []
    caller = threading.Thread(target=lambda: answers.append(process.predict(x=_vector(9))))
    caller.start()
    while not gate.exists():
        threading.Event().wait(0.01)
    process.terminate()
    process.logged("draining")
    assert process.healthz() == (503, "stopping")
    gate.write_text("go")
    caller.join(20)
    assert list(answers[0]["y"].double_val) == [9]
    assert process.wait() == 0


def test_a_call_that_never_ends_is_cut_off_after_the_grace(start, tmp_path):
    gate = tmp_path / "gate"
    process = start(f"import os, threading\ndef predict(x):\n    os.mkfifo({str(gate)!r})\n    threading.Event().wait()",
                    _double, HYDRO_GRACE_SECONDS="0.1")
    process.logged("serving")
    caller = threading.Thread(target=lambda: _refused(process, x=_vector(9)))
    caller.start()
    while not gate.exists():
        threading.Event().wait(0.01)
    process.terminate()
    assert process.wait() == 0
    caller.join(20)


def test_while_draining_new_calls_are_still_answered(start):
    process = start("def predict(x): return {'y': x}", _double, HYDRO_DRAIN_SECONDS="1")
    process.logged("serving")
    process.terminate()
    process.logged("draining")
    assert list(process.predict(x=_vector(1))["y"].double_val) == [1]
    assert process.check() == _not_serving
    assert process.wait() == 0


def test_sigterm_stops_a_model_that_still_loads(start):
    process = start("import threading\nthreading.Event().wait()\n", _double)
    process.terminate()
    assert process.wait() == 0


def test_one_worker_runs_one_call_at_a_time_and_health_still_answers(start, tmp_path):
    gate = tmp_path / "gate"
    process = start(
        "import os, threading\nbusy = threading.Lock()\ndef predict(x):\n    assert busy.acquire(blocking=False)\n"
        f"    if x[0] == 0:\n        os.mkfifo({str(gate)!r})\n        open({str(gate)!r}).read()\n"
        "    busy.release()\n    return {'y': x}", _double, HYDRO_WORKERS="1")
    process.logged("serving")
    answers = []
    callers = [threading.Thread(target=lambda n=n: answers.append(process.predict(x=_vector(n))["y"].double_val[0]))
               for n in range(3)]
    callers[0].start()
    while not gate.exists():
        threading.Event().wait(0.01)
    for caller in callers[1:]:
        caller.start()
    assert process.check() == _serving
    gate.write_text("go")
    for caller in callers:
        caller.join(20)
    assert sorted(answers) == [0, 1, 2]


def test_a_big_tensor_goes_through(start):
    process = start("def predict(x): return {'y': x}", _double)
    process.logged("serving")
    values = [float(n) for n in range(1_000_000)]
    assert process.predict(x=_vector(*values))["y"].double_val == values


def test_many_health_watchers_do_not_keep_predictions_waiting(start):
    process = start("def predict(x): return {'y': x}", _double, HYDRO_WORKERS="1")
    process.logged("serving")
    watches = [process.watch() for _ in range(20)]
    assert all(next(each) == _serving for each in watches)
    assert list(process.predict(x=_vector(1))["y"].double_val) == [1]


def test_a_slow_http_client_does_not_hold_up_the_probe(start):
    import socket
    process = start("def predict(x): return {'y': x}", _double)
    process.logged("serving")
    with socket.create_connection(("127.0.0.1", process.health_port)) as slow:
        slow.send(b"GET /hea")
        with urllib.request.urlopen(f"http://127.0.0.1:{process.health_port}/healthz", timeout=3) as answer:
            assert answer.status == 200
