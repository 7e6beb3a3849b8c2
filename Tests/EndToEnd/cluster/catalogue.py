# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors

"""Objects that the tests apply: small models that tell which version answers."""

import base64

# Has numpy and scikit-learn; installed with Hydro.
RUNTIME = "python-sklearn"

SIGNATURE = {
    "name": "predict",
    "inputs": [{"name": "x", "dtype": "double", "shape": []}],
    "outputs": [{"name": "x", "dtype": "double", "shape": []}, {"name": "version", "dtype": "int64", "shape": []}],
}


def answers(number):
    """A model's code whose answers name its version."""
    return f"def predict(x):\n    return {{'x': x, 'version': {number}}}\n"


def hydro(kind, name, spec):
    """An object of ours."""
    return {"apiVersion": "hydrosphere.io/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec}


def files(name, content):
    """A ConfigMap of text files, and of bytes."""
    return {
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name},
        "data": {key: value for key, value in content.items() if isinstance(value, str)},
        "binaryData": {key: base64.b64encode(value).decode() for key, value in content.items() if isinstance(value, bytes)},
    }


def model(name, source=None, signature=SIGNATURE, runtime=None):
    """A Model; its source is the ConfigMap `<name>-files` unless said otherwise."""
    spec = {"runtime": runtime or {"name": RUNTIME}, "source": source or {"configMap": {"name": f"{name}-files"}}}
    if signature:
        spec["signature"] = signature
    return hydro("Model", name, spec)


def application(name, *stages, **more):
    """An Application; each stage is a list of variants."""
    return hydro("Application", name, {"stages": [{"variants": variants} for variants in stages], **more})


def code(name, text):
    """The ConfigMap of a model with one file."""
    return files(f"{name}-files", {"func_main.py": text})
