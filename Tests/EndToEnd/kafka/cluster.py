# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors

"""As much of an API server as a gateway asks for, and the gateway itself."""

import http.server
import json
import os
import signal
import subprocess
import threading
import time
import urllib.request

from broker import free_port

SIGNATURE = {"name": "predict", "inputs": [{"name": "x", "dtype": "int64", "shape": []}],
             "outputs": [{"name": "y", "dtype": "int64", "shape": []}]}


def application(port, kafka):
    """An Application whose route goes to one pod."""
    variant = {"servable": "adder-1", "service": "adder-1", "port": port, "protocol": "hydrosphere", "model": "adder", "version": 1,
               "weight": 100}
    stage = {"name": "stage-0", "signature": SIGNATURE, "variants": [variant]}
    route = {"generation": 1, "timeout": "10s", "signature": SIGNATURE, "stages": [stage], "kafka": kafka}
    return {"apiVersion": "hydrosphere.io/v1alpha1", "kind": "Application",
            "metadata": {"name": "adder", "namespace": "default", "uid": "u", "resourceVersion": "5", "generation": 1},
            "spec": {"stages": [{"variants": [{"model": "adder"}]}]}, "status": {"activeRoute": route}}


class ApiServer:
    """Lists once, and watches in which nothing happens until `serve` says what is new."""

    def __init__(self, folder, model_port):
        self._model_port = model_port
        self.kubeconfig = folder / "kubeconfig"
        self._objects = {"applications": [], "servables": [], "endpointslices": [self._slice()]}
        self._changed = threading.Condition()
        self._version = 5
        self._log = []
        self._over = False

    def __enter__(self):
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        cluster = {"name": "c", "cluster": {"server": f"http://127.0.0.1:{self._server.server_address[1]}"}}
        config = {"apiVersion": "v1", "kind": "Config", "clusters": [cluster], "users": [{"name": "u", "user": {}}],
                  "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}], "current-context": "c"}
        self.kubeconfig.write_text(json.dumps(config))
        return self

    def __exit__(self, *failure):
        with self._changed:
            self._over = True
            self._changed.notify_all()
        self._server.shutdown()
        self._server.server_close()

    def serve(self, *kafka):
        """The application has these entries from now on."""
        fresh = application(self._model_port, list(kafka))
        with self._changed:
            self._version += 1
            fresh["metadata"]["resourceVersion"] = str(self._version)
            self._objects["applications"] = [fresh]
            self._log.append((self._version, {"type": "MODIFIED", "object": fresh}))
            self._changed.notify_all()

    def _slice(self):
        return {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
                "metadata": {"name": "adder-1-x", "namespace": "default", "uid": "s", "resourceVersion": "1",
                             "labels": {"kubernetes.io/service-name": "adder-1"}},
                "endpoints": [{"addresses": ["127.0.0.1"], "conditions": {"ready": True}}]}

    def _handler(self):
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            """Answers as Kubernetes does."""

            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                """Says nothing."""

            def do_GET(self):
                """A discovery, a list or a watch."""
                path, _, query = self.path.partition("?")
                kind = path.rsplit("/", 1)[-1]
                if path == "/apis/discovery.k8s.io/v1":
                    names = [{"name": "endpointslices", "kind": "EndpointSlice", "namespaced": True}]
                    self._answer({"kind": "APIResourceList", "resources": names})
                elif kind in owner._objects and "watch=1" not in query and "watch=true" not in query:
                    with owner._changed:
                        self._answer({"metadata": {"resourceVersion": str(owner._version)}, "items": owner._objects[kind]})
                elif kind in owner._objects:
                    self._watch(kind, int(query.partition("resourceVersion=")[2].partition("&")[0] or 0))
                else:
                    self._answer({"kind": "Status", "status": "Failure", "reason": "NotFound", "code": 404}, 404)

            def _answer(self, value, status=200):
                content = json.dumps(value).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def _watch(self, kind, version):
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Connection", "close")
                self.end_headers()
                self.close_connection = True
                while not owner._over:
                    with owner._changed:
                        news = [each for each in owner._log if kind == "applications" and each[0] > version]
                        if not news:
                            owner._changed.wait(1)
                    for version, event in news:
                        self.wfile.write(json.dumps(event).encode() + b"\n")
                        self.wfile.flush()

        return Handler


class Gateway:
    """One replica of the real program, in a process."""

    def __init__(self, api, log, **settings):
        self._api, self._log, self._settings = api, log, settings
        self._admin = free_port()
        self.process = None

    def start(self):
        """Does not wait."""
        command = [os.environ["HYDRO_GATEWAY"], "--address", "127.0.0.1", "--http-port", "0", "--grpc-port", "0", "--loops", "1",
                   "--admin-port", str(self._admin), "--drain-delay", "0", "--log-format", "json"]
        for name, value in self._settings.items():
            command += [f"--{name.replace('_', '-')}", str(value)]
        with open(self._log, "ab") as log:
            self.process = subprocess.Popen(command, env={**os.environ, "KUBECONFIG": str(self._api.kubeconfig)}, stdout=log, stderr=log)
        return self

    def ask(self, path):
        """A page of the admin port; none while nobody is there."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._admin}{path}", timeout=2) as page:
                return page.read().decode()
        except OSError:
            return None

    def entries(self):
        """How the entries stand."""
        page = self.ask("/kafka")
        return json.loads(page).get("entries", []) if page else []

    def wait_state(self, state, seconds=30):
        """The first entry, once it is in that state."""
        deadline = time.monotonic() + seconds
        while True:
            found = self.entries()
            if found and found[0]["state"] == state:
                return found[0]
            assert time.monotonic() < deadline, f"wants {state}, found {found}"
            time.sleep(0.1)

    def kill(self):
        """Without a chance to clean up."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def stop(self):
        """As Kubernetes does; how it ended."""
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(40)
