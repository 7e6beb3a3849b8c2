# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors
"""A registry that images are pushed to, over its HTTP API."""

import hashlib
import json
import urllib.error
import urllib.parse
import urllib.request

MEDIA = "application/vnd.oci.image."
SECONDS = 300


class Registry:
    """Pushes to one registry; counts the bytes that it had to send."""

    def __init__(self, address):
        self.base = address if "://" in address else "http://" + address
        self.sent = 0
        # The registry is on this machine or near it: never through a proxy.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def push(self, repository, tag, layers, config):
        """Pushes an image of these layers and this run configuration; returns its digest."""
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
        self._send("PUT", where, content(), {"Content-Length": str(size), "Content-Type": "application/octet-stream"})
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
        request = urllib.request.Request(url, data=body, method=method, headers=headers or {})
        with self._opener.open(request, timeout=SECONDS) as response:
            return response


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
