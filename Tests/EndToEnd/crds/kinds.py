# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors
"""Our kinds as the files have them, and an API server to try them on."""
import json
import os
import pathlib
import subprocess
import uuid

import yaml

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
CRDS = REPOSITORY / "crds"


def crds():
    return [yaml.safe_load(path.read_text()) for path in sorted(CRDS.glob("*.yaml"))]


def crd_names():
    return [crd["metadata"]["name"] for crd in crds()]


def run(*command, given=None, env=None):
    """What a command said on both channels, and whether it succeeded. Nothing here takes longer than a minute."""
    done = subprocess.run(command, input=given, text=True, capture_output=True, timeout=60, env=env)
    return done.returncode, done.stdout, done.stderr


class Server:
    """One API server, seen through kubectl, with a namespace of our own."""

    def __init__(self, kubeconfig):
        self.env = {**os.environ, "KUBECONFIG": kubeconfig}
        self.namespace = f"crds-{uuid.uuid4().hex[:8]}"
        version = json.loads(self.ok("get", "--raw", "/version"))
        self.minor = int(version["minor"].rstrip("+"))
        self.has_cel = self.minor >= 25
        self.install = ["apply", "-f"] if self.has_cel else ["apply", "--validate=false", "-f"]

    def kubectl(self, *words, given=None):
        return run("kubectl", "--request-timeout=30s", *words, given=given, env=self.env)

    def ok(self, *words, given=None):
        code, out, err = self.kubectl(*words, given=given)
        assert code == 0, f"kubectl {' '.join(words)}: {err}"
        return out

    def object(self, kind, name, spec):
        return {"apiVersion": "hydrosphere.io/v1alpha1", "kind": kind, "metadata": {"name": name, "namespace": self.namespace}, "spec": spec}

    def apply(self, kind, name, spec):
        """Applies an object, and answers it as the server keeps it."""
        return json.loads(self.ok("apply", "-f", "-", "-o", "json", given=json.dumps(self.object(kind, name, spec))))

    def refusal(self, kind, spec, name="refused"):
        """Why the server refuses an object; empty where it takes it. Nothing is kept."""
        code, _, err = self.kubectl("apply", "--dry-run=server", "--validate=false", "-f", "-", given=json.dumps(self.object(kind, name, spec)))
        return err if code else ""

    def get(self, plural, name):
        return json.loads(self.ok("get", "-n", self.namespace, plural, name, "-o", "json"))
