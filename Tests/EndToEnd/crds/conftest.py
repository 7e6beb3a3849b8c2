# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors
"""Two API servers to try the kinds on: Kubernetes 1.20, which knows no CEL, and a 1.36 server of CRDs alone.

They are brought up by `hack/apiserver` and `hack/crd-server`; HYDRO_APISERVER_KUBECONFIG and
HYDRO_CRD_SERVER_KUBECONFIG may point at ones that run.
"""
import os
import subprocess

import pytest
from kinds import CRDS, REPOSITORY, Server, crd_names, run


def kubeconfig_of(name, variable):
    if os.environ.get(variable):
        return os.environ[variable]
    script = str(REPOSITORY / "hack" / name)
    subprocess.run([script, "up"], check=True, timeout=900)
    lines = subprocess.run([script, "env"], check=True, timeout=60, capture_output=True, text=True).stdout
    code, out, err = run("bash", "-c", lines + '\nprintf %s "$KUBECONFIG"')
    assert code == 0 and out, err
    return out


@pytest.fixture(scope="session", params=[("apiserver", "HYDRO_APISERVER_KUBECONFIG"), ("crd-server", "HYDRO_CRD_SERVER_KUBECONFIG")], ids=lambda p: p[0])
def server(request):
    server = Server(kubeconfig_of(*request.param))
    server.ok(*server.install, str(CRDS))
    server.ok("wait", "--for=condition=Established", "--timeout=30s", *[f"crd/{name}" for name in crd_names()])
    server.kubectl("create", "namespace", server.namespace)  # the server of CRDs alone has no namespaces, and asks for none
    yield server
    for plural in ("applications", "servables", "modelversions", "models", "runtimes", "deploymentconfigurations"):
        server.kubectl("delete", plural, "--all", "-n", server.namespace, "--wait=false")
    server.kubectl("delete", "namespace", server.namespace, "--wait=false")
