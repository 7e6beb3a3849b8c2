# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors
"""Layers depend on their content alone, and a registry gets what it lacks."""

import hashlib
import http.server
import io
import json
import os
import tarfile
import threading
import urllib.error

import pytest
from imaging import elf
from imaging.debian import PackageLayer, Tree, chosen, merged
from imaging.layer import LayerCache
from imaging.registry import Registry, usual_scheme


def fill(writer):
    writer.bytes("/a/b", b"content", 0o755)
    writer.link("/a/c", "b")


def test_the_same_content_gives_the_same_digest_at_any_time_and_place(tmp_path, monkeypatch):
    first = LayerCache(tmp_path / "one").layer("key", "test", fill)
    monkeypatch.setattr("time.time", lambda: 1.0)
    second = LayerCache(tmp_path / "two").layer("key", "test", fill)
    assert first.digest == second.digest and first.diff_id == second.diff_id


def test_a_layer_has_no_times_and_no_names_and_its_digests_are_true(tmp_path):
    layer = LayerCache(tmp_path).layer("key", "test", fill)
    with open(layer.path, "rb") as file:
        content = file.read()
    assert layer.digest == "sha256:" + hashlib.sha256(content).hexdigest() and layer.size == len(content)
    with tarfile.open(layer.path) as tar:
        assert [(m.name, m.mode, m.mtime, m.uid, m.uname) for m in tar] == [
            ("a", 0o755, 0, 0, ""), ("a/b", 0o755, 0, 0, ""), ("a/c", 0o777, 0, 0, "")]  # fmt: skip


def test_a_kept_layer_is_not_made_again_and_a_half_made_one_is_not_kept(tmp_path):
    cache = LayerCache(tmp_path)
    with pytest.raises(ZeroDivisionError):
        cache.layer("key", "test", lambda writer: 1 / 0)
    made = cache.layer("key", "test", fill)
    assert cache.layer("key", "test", None) == made


def test_paths_below_merged_folders_are_below_usr():
    assert merged("./bin/sh") == "usr/bin/sh" and merged("/lib64/ld.so") == "usr/lib64/ld.so" and merged("./library/a") == "library/a"


def test_the_libraries_of_a_program_are_read_from_it():
    names = elf.needed(open(os.path.realpath("/usr/bin/python3"), "rb").read())
    assert "libc.so.6" in names
    assert elf.needed(b"#!/bin/sh\n") == []


def test_libraries_that_nothing_asks_for_stay_out(tmp_path, monkeypatch):
    asks = {b"program": ["libone.so.1"], b"one": ["libblas.so.3"], b"blas": [], b"other": []}
    monkeypatch.setattr("imaging.debian.elf.needed", lambda content: asks[content])
    monkeypatch.setattr("imaging.debian.LIBRARIES", "usr/lib/x/")
    path = tmp_path / "root.tar"
    with tarfile.open(path, "w") as tar:
        for name, content in (("bin/p", b"program"), ("lib/x/libone.so.1.2", b"one"), ("lib/x/blas/libblas.so.3", b"blas"), ("lib/x/libother.so.1", b"other")):
            info = tarfile.TarInfo("./" + name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
        link = tarfile.TarInfo("./lib/x/libone.so.1")
        link.type, link.linkname = tarfile.SYMTYPE, "libone.so.1.2"
        tar.addfile(link)
    with tarfile.open(path) as tar:
        kept, links = chosen(Tree(tar), PackageLayer(packages=(), keep=("usr/bin/*",)))
    assert kept == {"usr/bin/p", "usr/lib/x/libone.so.1", "usr/lib/x/libone.so.1.2", "usr/lib/x/blas/libblas.so.3"}
    assert links == {("usr/lib/x/libblas.so.3", "blas/libblas.so.3")}


class MemoryRegistry(http.server.BaseHTTPRequestHandler):
    """Keeps blobs and manifests, by path; asks for the authorization that the server wants, if any."""

    def parse_request(self):
        if not super().parse_request():
            return False
        wanted = self.server.wants.get(self.path.startswith("/v2/"))
        if not wanted or self.headers.get("Authorization") == wanted:
            return True
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._answer(401, {"WWW-Authenticate": self.server.challenge})
        return False

    def do_GET(self):
        self._answer(200, {}, b'{"token": "secret"}')

    def do_HEAD(self):
        kept = self.server.kept.get(self.path)
        self._answer(200 if kept is not None else 404, {"Docker-Content-Digest": "sha256:" + hashlib.sha256(kept or b"").hexdigest()})

    def do_POST(self):
        self._answer(202, {"Location": self.path + "one?state=x"})

    def do_PUT(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        path, _, digest = self.path.partition("one?state=x&digest=")
        self.server.kept[path.replace("uploads/", digest)] = body
        self._answer(201, {})

    def _answer(self, status, headers, body=b""):
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), MemoryRegistry)
    server.kept, server.wants, server.challenge = {}, {}, ""
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def test_what_a_registry_has_is_not_pushed_again(tmp_path, server):
    address = f"127.0.0.1:{server.server_port}"
    layers = [LayerCache(tmp_path).layer("key", "test", fill)]
    first, second, third = Registry(address), Registry(address), Registry(address)
    digest = first.push("image", "dev", layers, {"User": "1"})
    assert first.sent > layers[0].size and f"/v2/image/blobs/{layers[0].digest}" in server.kept
    assert second.push("image", "dev", layers, {"User": "1"}) == digest and second.sent == 0
    assert third.push("image", "dev", layers, {"User": "2"}) != digest and third.sent < layers[0].size + 2000


def signed_in(folder, monkeypatch, address):
    (folder / "config.json").write_text(json.dumps({"auths": {address: {"auth": "dTpw"}}}))
    monkeypatch.setenv("DOCKER_CONFIG", str(folder))


def test_a_registry_that_wants_a_password_gets_the_one_of_docker_login(tmp_path, server, monkeypatch):
    address = f"127.0.0.1:{server.server_port}"
    server.wants, server.challenge = {True: "Basic dTpw"}, 'Basic realm="x"'
    layers = [LayerCache(tmp_path).layer("key", "test", fill)]
    with pytest.raises(urllib.error.HTTPError):
        Registry(address).push("image", "dev", layers, {})
    signed_in(tmp_path, monkeypatch, address)
    Registry(address).push("image", "dev", layers, {})
    assert "/v2/image/manifests/dev" in server.kept


def test_a_registry_that_wants_a_token_gets_one_from_where_it_says(tmp_path, server, monkeypatch):
    address = f"127.0.0.1:{server.server_port}"
    server.wants = {True: "Bearer secret", False: "Basic dTpw"}
    server.challenge = f'Bearer realm="http://{address}/token",service="s",scope="repository:a/image:pull,push"'
    signed_in(tmp_path, monkeypatch, address)
    Registry(address + "/a").push("image", "dev", [LayerCache(tmp_path).layer("key", "test", fill)], {})
    assert "/v2/a/image/manifests/dev" in server.kept


@pytest.mark.parametrize("host, scheme", [("10.0.0.1:5000", "http"), ("localhost:5000", "http"), ("registry.local:5000", "http"), ("registry.example.com", "https")])
def test_only_a_registry_nearby_is_spoken_to_without_tls(host, scheme):
    assert usual_scheme(host) == scheme
