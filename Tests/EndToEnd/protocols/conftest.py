# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors
"""The stage on which clients of other people meet the gateway.

    hack/test protocols

HYDRO_APISERVER_KUBECONFIG may point at an API server that runs, HYDRO_GATEWAY_PROGRAM at a gateway that is built.
"""
import os
import pathlib
import subprocess
import sys

import pytest

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent), str(pathlib.Path(__file__).resolve().parents[1])]

import packages  # noqa: E402

# Before anything imports Debian's own grpcio.
sys.path.insert(0, str(packages.fetched("clients", packages.CLIENTS)))
# pytest has loaded Debian's attrs, which is too old for jsonschema; it keeps what it has.
for loaded in [name for name in sys.modules if name.split(".")[0] in ("attr", "attrs")]:
    del sys.modules[loaded]

import models  # noqa: E402
from stage import REPOSITORY, Stage  # noqa: E402


def _kubeconfig():
    if os.environ.get("HYDRO_APISERVER_KUBECONFIG"):
        return os.environ["HYDRO_APISERVER_KUBECONFIG"]
    script = str(REPOSITORY / "hack" / "apiserver")
    subprocess.run([script, "up"], check=True, timeout=900)
    lines = subprocess.run([script, "env"], check=True, timeout=60, capture_output=True, text=True).stdout
    return subprocess.run(["bash", "-c", lines + '\nprintf %s "$KUBECONFIG"'], check=True, timeout=60, capture_output=True, text=True).stdout


def _program():
    if os.environ.get("HYDRO_GATEWAY_PROGRAM"):
        return os.environ["HYDRO_GATEWAY_PROGRAM"]
    build = os.environ.get("HYDRO_BUILD") or str(pathlib.Path(os.environ.get("HYDRO_STATE") or pathlib.Path.home() / ".cache" / "hydro") / "build")
    return str(pathlib.Path(build) / "debug" / "hydro-gateway")


@pytest.fixture(scope="session")
def stage():
    """The stage with the gateway running, and every application of `models` served."""
    with Stage(_kubeconfig(), _program()) as stage:
        stage.start_gateway()
        models.serve_all(stage)
        yield stage


@pytest.fixture(scope="session")
def gateway(stage):
    return stage.gateway


@pytest.fixture(scope="session")
def hydrosphere_client():
    """Runs a script with `hydro-serving-grpc` 3.0.3, whose protobuf is too old for all others; gives what it printed."""
    folder = packages.fetched("hydrosphere", packages.HYDROSPHERE)

    def run(script, *arguments):
        done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, timeout=60,
                              env={**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"})
        assert done.returncode == 0, done.stderr
        return done.stdout
    return run
