# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors
"""Helm's own engine, from PyPI, and a Kubernetes API server to install on.

The server is brought up by `hack/apiserver`; HYDRO_APISERVER_KUBECONFIG may point at one that runs.
"""
import importlib
import os
import pathlib
import subprocess
import sys

import pytest
from installing import REPOSITORY, run

# Asks for Python 3.12, but is plain ctypes and works with 3.11.
ENGINE = "helm-python-sdk==0.2.2"


@pytest.fixture(scope="session")
def helm():
    """The Helm engine as a Python module, fetched once."""
    try:
        return importlib.import_module("helm_python")
    except ModuleNotFoundError:
        pass
    folder = pathlib.Path(os.environ.get("HYDRO_STATE") or pathlib.Path.home() / ".cache" / "hydro") / "helm" / ENGINE.replace("==", "-")
    if not folder.exists():
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--ignore-requires-python", "--target"]
        subprocess.run([*pip, str(folder) + ".part", ENGINE], check=True, timeout=600)
        os.rename(str(folder) + ".part", folder)
    sys.path.insert(0, str(folder))
    return importlib.import_module("helm_python")


@pytest.fixture(scope="session")
def kubeconfig():
    if os.environ.get("HYDRO_APISERVER_KUBECONFIG"):
        return os.environ["HYDRO_APISERVER_KUBECONFIG"]
    script = str(REPOSITORY / "hack" / "apiserver")
    subprocess.run([script, "up"], check=True, timeout=900)
    lines = run(script, "env")
    return run("bash", "-c", lines + '\nprintf %s "$KUBECONFIG"')
