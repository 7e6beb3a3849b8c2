# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors
"""Model servers from PyPI with a model that does nothing: they are no proxies, but what a prediction costs elsewhere."""
import contextlib
import json
import os
import subprocess
import sys
import time
import urllib.request

from serving import servers

_VENVS = os.path.join(os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache")), "hydro", "bench")
_MLSERVER_PORT, _KSERVE_PORT = 18950, 18955
_NOOP_MLSERVER = """
from mlserver import MLModel
from mlserver.types import InferenceResponse, ResponseOutput


class Noop(MLModel):
    async def load(self):
        return True

    async def predict(self, payload):
        output = ResponseOutput(name="score", shape=[1], datatype="FP64", data=[0.42])
        return InferenceResponse(model_name=self.name, outputs=[output])
"""
_NOOP_KSERVE = """
import sys
from kserve import InferOutput, InferResponse, Model, ModelServer


class Noop(Model):
    def __init__(self, name):
        super().__init__(name)
        self.ready = True

    async def predict(self, payload, headers=None, response_headers=None):
        output = InferOutput(name="score", shape=[1], datatype="FP64", data=[0.42])
        return InferResponse(response_id="1", model_name=self.name, infer_outputs=[output])


ModelServer(http_port=int(sys.argv[1]), enable_grpc=False, workers=1).start([Noop("one")])
"""


def prepared():
    """{package: folder of its own environment}, made from PyPI if they are not there."""
    return {name: _environment(name) for name in ("mlserver", "kserve")}


@contextlib.contextmanager
def mlserver(venv, folder):
    home = os.path.join(folder, "mlserver")
    os.mkdir(home)
    settings = {"host": "127.0.0.1", "http_port": _MLSERVER_PORT, "grpc_port": _MLSERVER_PORT + 1, "metrics_port": _MLSERVER_PORT + 2,
                "parallel_workers": 0, "debug": False}
    for name, text in (("noop.py", _NOOP_MLSERVER), ("settings.json", json.dumps(settings)),
                       ("model-settings.json", json.dumps({"name": "one", "implementation": "noop.Noop"}))):
        _write(os.path.join(home, name), text)
    with _serving("MLServer", [f"{venv}/bin/mlserver", "start", home], _MLSERVER_PORT, home) as server:
        yield server


@contextlib.contextmanager
def kserve(venv, folder):
    home = os.path.join(folder, "kserve")
    os.mkdir(home)
    _write(os.path.join(home, "noop.py"), _NOOP_KSERVE)
    with _serving("KServe", [f"{venv}/bin/python", f"{home}/noop.py", str(_KSERVE_PORT)], _KSERVE_PORT, home) as server:
        yield server


@contextlib.contextmanager
def _serving(name, command, port, home):
    with open(os.path.join(home, "log"), "w", encoding="utf-8") as log:
        process = subprocess.Popen(command, cwd=home, env={**os.environ, "PYTHONPATH": home}, stdout=log, stderr=log)
    try:
        _wait_until_ready(name, f"http://127.0.0.1:{port}/v2/models/one/ready", process, log.name)
        yield servers.Server(name, process, f"http://127.0.0.1:{port}", "")
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def _wait_until_ready(name, url, process, log):
    end = time.monotonic() + 120
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=2):
            return
        time.sleep(0.2)
    with open(log, encoding="utf-8") as file:
        raise SystemExit(f"wanted {name} to be ready, found:\n{file.read()[-2000:]}")


def _environment(package):
    venv = os.path.join(_VENVS, package)
    if not os.path.exists(f"{venv}/ready"):
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        subprocess.run([f"{venv}/bin/pip", "install", "--quiet", "--disable-pip-version-check", package], check=True)
        _write(f"{venv}/ready", "")
    return venv


def _write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
