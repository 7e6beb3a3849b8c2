# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors
"""Our kinds as the files have them, and an API server to try them on."""
import base64
import http.client
import json
import os
import pathlib
import ssl
import subprocess
import tempfile
import urllib.parse
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

    def write_status(self, kind, plural, name, status, manager="hydro-operator"):
        """Writes status as the operator does, by server-side apply (of which kubectl has not always the subresource)."""
        body = {**self.object(kind, name, None), "status": status}
        del body["spec"]
        path = f"/apis/hydrosphere.io/v1alpha1/namespaces/{self.namespace}/{plural}/{name}/status?fieldManager={manager}&force=true"
        connection = self.connect()
        connection.request("PATCH", path, json.dumps(body), {"Content-Type": "application/apply-patch+yaml"})
        answer = connection.getresponse()
        said = json.loads(answer.read())
        connection.close()
        assert answer.status == 200, said["message"]

    def connect(self):
        """A connection as the kubeconfig says, which has a CA and a client certificate inline."""
        config = yaml.safe_load(pathlib.Path(self.env["KUBECONFIG"]).read_text())
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        context = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
        with tempfile.NamedTemporaryFile() as pair:
            pair.write(base64.b64decode(user["client-certificate-data"]) + base64.b64decode(user["client-key-data"]))
            pair.flush()
            context.load_cert_chain(pair.name)
        return http.client.HTTPSConnection(urllib.parse.urlparse(cluster["server"]).netloc, context=context, timeout=30)

    def get(self, plural, name):
        return json.loads(self.ok("get", "-n", self.namespace, plural, name, "-o", "json"))
