# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors
"""The real gateway before real models, with an API server and no node.

What the operator would publish is written by hand: `status.activeRoute` of Applications, and EndpointSlices with this machine's
own address. `Stage` starts and ends all of it.
"""
import base64
import contextlib
import http.client
import json
import os
import pathlib
import queue
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import urllib.parse
import uuid

import yaml

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
PYTHON = "/usr/bin/python3"
DEADLINE = 60
GROUP = "/apis/hydrosphere.io/v1alpha1"


def own_address():
    """An address of this machine that is not loopback, which EndpointSlices refuse. Nothing is sent."""
    for far in ("192.0.2.1", "10.0.0.1"):
        with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect((far, 9))
            if not probe.getsockname()[0].startswith("127."):
                return probe.getsockname()[0]
    found = subprocess.run(["hostname", "-I"], capture_output=True, text=True, timeout=10).stdout.split()
    return next(each for each in found if ":" not in each)


def wait_for(what, check, deadline=DEADLINE):
    """Asks until the answer is true, and gives it."""
    end = time.monotonic() + deadline
    while True:
        answer = check()
        if answer:
            return answer
        if time.monotonic() > end:
            raise TimeoutError(f"wanted {what} within {deadline}s")
        time.sleep(0.05)


class Cluster:
    """An API server, by the certificates of a kubeconfig."""

    def __init__(self, kubeconfig):
        config = yaml.safe_load(pathlib.Path(kubeconfig).read_text())
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        self._host = urllib.parse.urlparse(cluster["server"]).netloc
        self._context = ssl.create_default_context(cadata=_text(cluster, "certificate-authority").decode())
        with tempfile.NamedTemporaryFile() as pair:
            pair.write(_text(user, "client-certificate") + b"\n" + _text(user, "client-key"))
            pair.flush()
            self._context.load_cert_chain(pair.name)

    def call(self, method, path, given=None, kind="application/json"):
        """Status and object of one request."""
        connection = http.client.HTTPSConnection(self._host, context=self._context, timeout=30)
        with contextlib.closing(connection):
            connection.request(method, path, given and json.dumps(given), {"content-type": kind})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"{}")

    def put(self, path, given):
        """Applies an object as it is."""
        status, answer = self.call("PATCH", f"{path}?fieldManager=protocols&force=true", given, "application/apply-patch+yaml")
        assert status < 300, f"{path}: {status} {answer.get('message')}"
        return answer

    def install_kinds(self):
        for file in sorted((REPOSITORY / "crds").glob("*.yaml")):
            crd = yaml.safe_load(file.read_text())
            kind = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
            path = f"{kind}/{crd['metadata']['name']}"
            # Not by server-side apply: Kubernetes 1.20 knows nothing of the rules in them, and would refuse instead of dropping them.
            status, there = self.call("GET", path)
            if status == 200:
                crd["metadata"]["resourceVersion"] = there["metadata"]["resourceVersion"]
            status, answer = self.call("PUT", path, crd) if status == 200 else self.call("POST", kind, crd)
            assert status < 300, f"{path}: {status} {answer.get('message')}"
            wait_for(path, lambda path=path: any(
                each["type"] == "Established" and each["status"] == "True"
                for each in self.call("GET", path)[1].get("status", {}).get("conditions") or []))


def _text(holder, name):
    if f"{name}-data" in holder:
        return base64.b64decode(holder[f"{name}-data"])
    return pathlib.Path(holder[name]).read_bytes()


class Process:
    """A program that logs JSON lines on its standard error."""

    def __init__(self, command, folder, **environment):
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("HYDRO_", "PYTHON"))}
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=folder, env={**clean, **environment})
        self.lines = []
        self._fresh = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        with self.process.stderr as lines:
            for line in lines:
                self.lines.append(line)
                self._fresh.put(line)
        self._fresh.put(None)

    def logged(self, message):
        """The facts of the next line with that message."""
        while True:
            line = self._fresh.get(timeout=DEADLINE)
            assert line is not None, f"wanted the line '{message}', the program ended: {''.join(self.lines[-20:])}"
            with contextlib.suppress(ValueError):
                facts = json.loads(line)
                if message in (facts.get("message"), facts.get("msg"), facts.get("event")):
                    return facts

    def stop(self):
        """Ends the program, by force if it does not care; its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
        self._reader.join(10)
        return self.process.returncode


def field(name, dtype, shape=None):
    """A field of a signature, as manifests write it."""
    return {"name": name, "dtype": dtype, **({} if shape is None else {"shape": shape})}


def signature(inputs, outputs):
    """A signature of `(name, dtype, shape)` triples."""
    return {"name": "predict", "inputs": [field(*each) for each in inputs], "outputs": [field(*each) for each in outputs]}


_CONTRACT = """
import json, pathlib, sys
from hydro_runtime.protos import ModelField, ModelSignature, TensorShape, types
given = json.load(sys.stdin)
def read(each):
    shape = None if "shape" not in each else TensorShape(dims=each["shape"])
    return ModelField(name=each["name"], dtype=types.DataType.Value("DT_" + each["dtype"].upper()), shape=shape)
message = ModelSignature(signature_name=given["name"], inputs=map(read, given["inputs"]), outputs=map(read, given["outputs"]))
pathlib.Path(sys.argv[1]).write_bytes(message.SerializeToString())
"""


class Model:
    """The Python runtime with a model made on the spot, as a process."""

    protocol = "hydrosphere"

    def __init__(self, folder, source, signature):
        self.signature = signature
        files = pathlib.Path(folder) / "files" / "src"
        files.mkdir(parents=True)
        (files / "func_main.py").write_text(source)
        runtime = REPOSITORY / "runtimes" / "python"
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        clean["PYTHONDONTWRITEBYTECODE"] = "1"
        subprocess.run([PYTHON, "-c", _CONTRACT, str(pathlib.Path(folder) / "contract.protobin")], input=json.dumps(signature), text=True,
                       cwd=runtime, env=clean, check=True, timeout=60)
        self._process = Process(
            [PYTHON, "-m", "hydro_runtime"], runtime, APP_PORT="0", HEALTH_PORT="0", MODEL_DIR=str(folder), HYDRO_DRAIN_SECONDS="0",
            HYDRO_FAILED_SECONDS="0", PYTHONDONTWRITEBYTECODE="1", TERMINATION_LOG=str(pathlib.Path(folder) / "termination"))
        self.port = int(self._process.logged("listening")["port"])
        self._process.logged("serving")

    def stop(self):
        self._process.stop()


class Stage:
    """An API server's namespaces, models, and a gateway before them. A context: all of it ends with it."""

    def __init__(self, kubeconfig, gateway):
        self.kubeconfig = kubeconfig
        self.cluster = Cluster(kubeconfig)
        self._program = gateway
        self._ends = contextlib.ExitStack()
        mark = uuid.uuid4().hex[:8]
        self.namespace, self.other = f"protocols-{mark}", f"elsewhere-{mark}"
        self.address = own_address()
        self.gateway = None

    def __enter__(self):
        self.cluster.install_kinds()
        for namespace in (self.namespace, self.other):
            self.cluster.put(f"/api/v1/namespaces/{namespace}", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
            self._ends.callback(self._forget, namespace)
        return self

    def __exit__(self, *_):
        self._ends.close()

    def _forget(self, namespace):
        # No controllers run here, so a namespace would not go by itself.
        for plural in ("applications", "servables"):
            self.cluster.call("DELETE", f"{GROUP}/namespaces/{namespace}/{plural}")
        self.cluster.call("DELETE", f"/apis/discovery.k8s.io/v1beta1/namespaces/{namespace}/endpointslices")
        self.cluster.call("DELETE", f"/api/v1/namespaces/{namespace}")

    def model(self, source, signature):
        """A model of the Python runtime, running."""
        folder = self._ends.enter_context(tempfile.TemporaryDirectory(prefix="hydro-model-"))
        model = Model(folder, source, signature)
        self._ends.callback(model.stop)
        return model

    def start_gateway(self, **environment):
        """The gateway, ready. `http` and `grpc` are its addresses."""
        settings = {
            "KUBECONFIG": self.kubeconfig, "HYDRO_ADDRESS": "127.0.0.1", "HYDRO_HTTP_PORT": "0", "HYDRO_GRPC_PORT": "0", "HYDRO_ADMIN_PORT": "0",
            "HYDRO_LOG_FORMAT": "json", "HYDRO_DEFAULT_NAMESPACE": self.namespace, "HYDRO_WATCH_NAMESPACES": f"{self.namespace},{self.other}",
            "HYDRO_DRAIN_DELAY": "0s", "HYDRO_DRAIN_TIMEOUT": "5s", "HYDRO_LOOPS": "1", **environment}
        self.gateway = Gateway(self._program, settings)
        self._ends.callback(self.gateway.stop)
        wait_for("a ready gateway", self.gateway.is_ready)
        return self.gateway

    def serve(self, application, models, weights=None, namespace=None, wait=True, **route):
        """Publishes an application of one stage with a variant for each model, versions 1, 2, …; waits until the gateway serves it."""
        namespace = namespace or self.namespace
        weights = weights or [100] + [0] * (len(models) - 1)
        variants = []
        for version, (model, weight) in enumerate(zip(models, weights), 1):
            servable = f"{application}-{version}"
            self.endpoints(namespace, servable, model.port)
            variants.append({"servable": servable, "service": servable, "port": model.port, "protocol": model.protocol, "model": application,
                             "version": version, "weight": weight})
        contract = models[0].signature
        stages = [{"name": "stage-0", "signature": contract, "variants": variants}]
        return self.publish(application, contract, stages, namespace, wait, **route)

    def publish(self, application, contract, stages, namespace=None, wait=True, **route):
        """Writes an application whose operator would have published these stages."""
        namespace = namespace or self.namespace
        spec = {"stages": [{"variants": [{"model": each["model"], "version": each["version"],
                                          **({"weight": each["weight"]} if len(stage["variants"]) > 1 else {})}
                                         for each in stage["variants"]]} for stage in stages]}
        head = {"apiVersion": "hydrosphere.io/v1alpha1", "kind": "Application", "metadata": {"name": application, "namespace": namespace}}
        path = f"{GROUP}/namespaces/{namespace}/applications/{application}"
        self.cluster.put(path, {**head, "spec": spec})
        active = {"generation": 1, "timeout": "10s", "signature": contract, "stages": stages, **route}
        self.cluster.put(f"{path}/status", {**head, "status": {"activeRoute": active}})
        if wait and self.gateway:
            wait_for(f"{application} served", lambda: self.gateway.serves(application, namespace))

    def servable(self, name, model, version=1):
        """Publishes a servable alone."""
        head = {"apiVersion": "hydrosphere.io/v1alpha1", "kind": "Servable", "metadata": {"name": name, "namespace": self.namespace}}
        path = f"{GROUP}/namespaces/{self.namespace}/servables/{name}"
        self.endpoints(self.namespace, name, model.port)
        self.cluster.put(path, {**head, "spec": {"modelVersion": f"{name}-{version}"}})
        self.cluster.put(f"{path}/status", {**head, "status": {
            "service": name, "port": model.port, "protocol": model.protocol, "model": name, "version": version, "signature": model.signature}})
        wait_for(f"servable {name}", lambda: self.gateway.call("GET", f"/gateway/servable/{name}/generateInputs")[0] == 200)

    def endpoints(self, namespace, service, port):
        """An EndpointSlice with one pod: this machine."""
        path = f"/apis/discovery.k8s.io/v1beta1/namespaces/{namespace}/endpointslices/{service}"
        self.cluster.put(path, {
            "apiVersion": "discovery.k8s.io/v1beta1", "kind": "EndpointSlice",
            "metadata": {"name": service, "namespace": namespace, "labels": {"kubernetes.io/service-name": service}},
            "addressType": "IPv4", "endpoints": [{"addresses": [self.address], "conditions": {"ready": True}}],
            "ports": [{"name": "grpc", "port": port, "protocol": "TCP"}]})


class Gateway:
    """The gateway's program."""

    def __init__(self, program, settings):
        self._process = Process([str(program)], REPOSITORY, **settings)
        ports = self._process.logged("listening")
        self.http, self.grpc, self.admin = (f"127.0.0.1:{ports[name]}" for name in ("http", "grpc", "admin"))

    @property
    def lines(self):
        return self._process.lines

    def call(self, method, path, body=None, headers=None, port=None):
        """Status, headers in lower case, and body of one request."""
        connection = http.client.HTTPConnection(port or self.http, timeout=30)
        with contextlib.closing(connection):
            connection.request(method, path, json.dumps(body) if isinstance(body, (dict, list)) else body, headers or {})
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()

    def is_ready(self):
        with contextlib.suppress(OSError):
            return self.call("GET", "/readyz", port=self.admin)[0] == 200
        return False

    def serves(self, application, namespace):
        status, _, body = self.call("GET", f"/namespaces/{namespace}/gateway/application")
        return status == 200 and any(each["name"] == application and each["status"] == "Ready" for each in json.loads(body))

    def stop(self):
        return self._process.stop()
