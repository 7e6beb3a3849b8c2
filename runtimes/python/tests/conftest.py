# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors

"""A model folder made on the spot, and the runtime as a process that serves it."""

import json
import os
import pathlib
import queue
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request

import grpc
import pytest

_runtime = pathlib.Path(__file__).parents[1]
sys.path.insert(0, str(_runtime))

from hydro_runtime.protos import (  # noqa: E402
    ModelField, ModelSignature, PredictRequest, PredictResponse, TensorShape, types)

_deadline = 20


def field(name, dtype, dims=None):
    """A field of a signature; `dims` of None declares no shape."""
    return ModelField(name=name, dtype=types.DataType.Value(f"DT_{dtype.upper()}"),
                      shape=None if dims is None else TensorShape(dims=dims))


def signature(inputs, outputs, name="predict"):
    """A signature of `(name, dtype, dims)` triples."""
    return ModelSignature(signature_name=name, inputs=[field(*each) for each in inputs],
                          outputs=[field(*each) for each in outputs])


class Process:
    """The runtime, running; its log as parsed lines."""

    def __init__(self, folder, **environment):
        self._process = subprocess.Popen(
            [sys.executable, "-m", "hydro_runtime"], stderr=subprocess.PIPE, text=True, cwd=_runtime,
            env={**os.environ, "APP_PORT": "0", "HEALTH_PORT": "0", "MODEL_DIR": str(folder), "HYDRO_DRAIN_SECONDS": "0",
                 "HYDRO_FAILED_SECONDS": "0", "PYTHONDONTWRITEBYTECODE": "1", **environment})
        self._lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        listening = self.logged("listening")
        self.health_port = listening["health_port"]
        self.channel = grpc.insecure_channel(f'127.0.0.1:{listening["port"]}', options=[
            ("grpc.max_receive_message_length", 1 << 28), ("grpc.max_send_message_length", 1 << 28)])

    def _read(self):
        for line in self._process.stderr:
            self._lines.put(line)
        self._lines.put(None)

    def logged(self, message):
        """The next log line that says `message`."""
        seen = []
        while (line := self._lines.get(timeout=_deadline)) is not None:
            seen.append(line)
            try:
                facts = json.loads(line)
            except ValueError:
                continue
            if facts["message"] == message:
                return facts
        raise AssertionError(f'wants "{message}" in the log, got {seen}')

    def predict(self, timeout=_deadline, metadata=(), **inputs):
        """The outputs of one call."""
        call = self.channel.unary_unary("/hydrosphere.serving.runtime.PredictionService/Predict",
                                        PredictRequest.SerializeToString, PredictResponse.FromString)
        return call(PredictRequest(inputs=inputs), timeout=timeout, metadata=metadata).outputs

    def check(self, service=b""):
        """The answer of grpc.health.v1.Health/Check."""
        call = self.channel.unary_unary("/grpc.health.v1.Health/Check", bytes, bytes)
        return call(service, timeout=_deadline, wait_for_ready=True)

    def watch(self):
        """The stream of grpc.health.v1.Health/Watch."""
        return self.channel.unary_stream("/grpc.health.v1.Health/Watch", bytes, bytes)(b"", timeout=_deadline)

    def healthz(self, path="/healthz"):
        """Status and body over HTTP."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.health_port}{path}", timeout=_deadline) as answer:
                return answer.status, answer.read().decode().strip()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode().strip()

    def terminate(self):
        """Asks it to stop."""
        self._process.send_signal(signal.SIGTERM)

    def wait(self):
        """Its exit status."""
        return self._process.wait(_deadline)

    def close(self):
        """Ends it, whatever it does."""
        self._process.kill()
        self._process.wait(_deadline)


@pytest.fixture
def start(tmp_path):
    """`start(code, signature)`: a process that serves that model."""
    running = []

    def begin(code, declared, place="files/src", **environment):
        source = tmp_path / place
        source.mkdir(parents=True, exist_ok=True)
        (source / "func_main.py").write_text(code)
        if declared is not None:
            (tmp_path / "contract.protobin").write_bytes(declared.SerializeToString())
        running.append(Process(tmp_path, **environment))
        return running[-1]

    yield begin
    for process in running:
        process.close()
