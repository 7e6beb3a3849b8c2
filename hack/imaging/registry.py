# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors
"""A registry that images are pushed to, over its HTTP API."""

import base64
import hashlib
import ipaddress
import json
import os
import re
import urllib.error
import urllib.parse
import urllib.request

MEDIA = "application/vnd.oci.image."
SECONDS = 300


class Registry:
    """Pushes to one registry; counts the bytes that it had to send.

    The address is HOST[:PORT], with a scheme where the usual one is not meant:
    HTTP for an IP address or a name without a dot, HTTPS for all others. A path
    after it goes before the images' names.
    """

    def __init__(self, address):
        scheme, _, rest = address.rpartition("://")
        self.host, _, path = rest.rstrip("/").partition("/")
        self.base = f"{scheme or usual_scheme(self.host)}://{self.host}"
        self.prefix = path + "/" if path else ""
        self.sent = 0
        self._authorization = None
        # One on this machine or near it is never reached through a proxy.
        near = urllib.request.ProxyHandler({}) if self.base.startswith("http:") else urllib.request.ProxyHandler()
        self._opener = urllib.request.build_opener(near)

    def push(self, repository, tag, layers, config):
        """Pushes an image of these layers and this run configuration; returns its digest."""
        repository = self.prefix + repository
        for layer in layers:
            self._push_blob(repository, layer.digest, layer.size, lambda l=layer: open(l.path, "rb"))
        body = json.dumps(image_config(layers, config), sort_keys=True).encode()
        digest = digest_of(body)
        self._push_blob(repository, digest, len(body), lambda: body)
        return self._push_manifest(repository, tag, manifest_of(layers, digest, len(body)))

    def _push_blob(self, repository, digest, size, content):
        blobs = f"{self.base}/v2/{repository}/blobs/"
        if self._head(blobs + digest):
            return
        where = self._send("POST", blobs + "uploads/", b"").headers["Location"]
        where = urllib.parse.urljoin(self.base, where)
        where += ("&" if "?" in where else "?") + "digest=" + digest
        self._send("PUT", where, content, {"Content-Length": str(size), "Content-Type": "application/octet-stream"})
        self.sent += size

    def _push_manifest(self, repository, tag, manifest):
        body = json.dumps(manifest, sort_keys=True).encode()
        digest = digest_of(body)
        url = f"{self.base}/v2/{repository}/manifests/{tag}"
        there = self._head(url, {"Accept": MEDIA + "manifest.v1+json"})
        if not there or there.headers["Docker-Content-Digest"] != digest:
            self._send("PUT", url, body, {"Content-Type": MEDIA + "manifest.v1+json"})
            self.sent += len(body)
        return digest

    def _head(self, url, headers=None):
        try:
            return self._send("HEAD", url, None, headers)
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise

    def _send(self, method, url, body=None, headers=None):
        """Sends, and once more with what a refusal asks for. `body` may be a function that gives it anew."""
        try:
            return self._try(method, url, body, headers)
        except urllib.error.HTTPError as error:
            if error.code != 401:
                raise
            self._authorization = self._answer(error.headers.get("WWW-Authenticate", ""))
            return self._try(method, url, body, headers)

    def _try(self, method, url, body, headers):
        headers = dict(headers or {})
        if self._authorization:
            headers["Authorization"] = self._authorization
        content = body() if callable(body) else body
        request = urllib.request.Request(url, data=content, method=method, headers=headers)
        with self._opener.open(request, timeout=SECONDS) as response:
            return response

    def _answer(self, challenge):
        """The Authorization that a challenge asks for: basic, or a token from where it says."""
        basic = credentials(self.host)
        if not challenge.lower().startswith("bearer"):
            return basic
        asked = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
        query = urllib.parse.urlencode({name: asked[name] for name in ("service", "scope") if name in asked})
        request = urllib.request.Request(f"{asked['realm']}?{query}", headers={"Authorization": basic} if basic else {})
        with self._opener.open(request, timeout=SECONDS) as response:
            answer = json.load(response)
        return "Bearer " + (answer.get("token") or answer["access_token"])


def usual_scheme(host):
    name = host.rsplit(":", 1)[0]
    try:
        ipaddress.ip_address(name)
        return "http"
    except ValueError:
        return "https" if "." in name and not name.endswith(".local") else "http"


def credentials(host):
    """The Authorization that `docker login` has left for a registry; none without."""
    folder = os.environ.get("DOCKER_CONFIG") or os.path.expanduser("~/.docker")
    try:
        with open(os.path.join(folder, "config.json"), encoding="utf-8") as file:
            entry = json.load(file).get("auths", {}).get(host, {})
    except FileNotFoundError:
        return None
    pair = entry.get("auth") or base64.b64encode(f"{entry['username']}:{entry['password']}".encode()).decode() if entry else None
    return "Basic " + pair if pair else None


def digest_of(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


def image_config(layers, config):
    return {
        "architecture": "amd64",
        "os": "linux",
        "config": config,
        "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]},
        "history": [{"created_by": layer.made_by} for layer in layers],
    }


def manifest_of(layers, config_digest, config_size):
    return {
        "schemaVersion": 2,
        "mediaType": MEDIA + "manifest.v1+json",
        "config": {"mediaType": MEDIA + "config.v1+json", "digest": config_digest, "size": config_size},
        "layers": [
            {"mediaType": MEDIA + "layer.v1.tar+gzip", "digest": layer.digest, "size": layer.size} for layer in layers
        ],
    }
