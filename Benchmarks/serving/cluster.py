# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors
"""Kubernetes objects as the operator would have left them, in an API server without a node (hack/apiserver)."""
import contextlib
import json
import os
import re
import subprocess

_TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
_NUMBERS = {"name": "x", "dtype": "double", "shape": [20]}
_SCORE = {"name": "score", "dtype": "double", "shape": []}
_PIXELS = {"name": "pixels", "dtype": "float32", "shape": [-1]}
MODEL = {"name": "predict", "inputs": [_NUMBERS], "outputs": [_SCORE]}
STAGE = {"name": "predict", "inputs": [_NUMBERS], "outputs": [_NUMBERS]}
BULK = {"name": "predict", "inputs": [_PIXELS], "outputs": [{**_SCORE, "shape": [1]}]}
PORT = 16463


@contextlib.contextmanager
def server():
    """Gives the path of a kubeconfig while the block runs; the server begins empty and is forgotten."""
    environment = {**os.environ, "HYDRO_APISERVER_PORT": str(PORT)}
    script = os.path.join(_TOP, "hack", "apiserver")
    subprocess.run([script, "down"], env=environment, stderr=subprocess.DEVNULL, check=True)
    subprocess.run([script, "up"], env=environment, check=True)
    try:
        said = subprocess.run([script, "env"], env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout
        yield re.search(r"KUBECONFIG=(.*)", said)[1].strip()
    finally:
        subprocess.run([script, "down"], env=environment, stderr=subprocess.DEVNULL, check=True)


class Cluster:
    """One API server, to write objects to."""

    def __init__(self, kubeconfig):
        self.kubeconfig = kubeconfig
        self._kubectl("apply", "--validate=false", "-f", os.path.join(_TOP, "crds"))
        self._kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")

    def service(self, name, address, port):
        """A Service's slice with one ready address."""
        self._apply({
            "apiVersion": "discovery.k8s.io/v1beta1", "kind": "EndpointSlice",
            "metadata": {"name": f"{name}-1", "namespace": "default", "labels": {"kubernetes.io/service-name": name}},
            "addressType": "IPv4", "endpoints": [{"addresses": [address], "conditions": {"ready": True}}],
            "ports": [{"name": "grpc", "port": port, "protocol": "TCP"}]})

    def application(self, name, stages, signature, **more):
        """An Application whose route is published: stages are (signature, [variant]), a variant is what ActiveRoute has."""
        route = {"generation": 1, "timeout": "10s", "signature": signature, **more, "stages": [
            {"name": f"stage-{place}", "signature": own, "variants": variants} for place, (own, variants) in enumerate(stages)]}
        made = self._apply({
            "apiVersion": "hydrosphere.io/v1alpha1", "kind": "Application", "metadata": {"name": name, "namespace": "default"},
            "spec": {"stages": [{"variants": [{"model": "bench"}]}]}})
        made["status"] = {"observedGeneration": 1, "activeRoute": route}
        path = f"/apis/hydrosphere.io/v1alpha1/namespaces/default/applications/{name}/status"
        self._kubectl("replace", "--raw", path, "-f", "-", given=json.dumps(made))

    def _apply(self, thing):
        return json.loads(self._kubectl("apply", "-o", "json", "-f", "-", given=json.dumps(thing)))

    def _kubectl(self, *arguments, given=None):
        command = ["kubectl", "--kubeconfig", self.kubeconfig, *arguments]
        return subprocess.run(command, input=given, stdout=subprocess.PIPE, text=True, timeout=60, check=True).stdout


def variant(service, port, protocol="hydrosphere", weight=100, **more):
    """One variant of a stage, as a route has it."""
    return {"servable": service, "service": service, "port": port, "protocol": protocol, "model": "bench", "version": 1, "weight": weight, **more}
