# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors

"""When a version is made, when it is not, and what an application that follows does meanwhile."""

import gzip
import hashlib
import io
import tarfile
import time

import pytest

import catalogue
from kube import condition, holds_for, wait_for
from traffic import Stream

APPLICATION = "applications.hydrosphere.io"


def _numbers(space):
    return sorted(each["spec"]["version"] for each in space.list("modelversions"))


def test_applying_the_same_model_again_makes_no_version(space):
    objects = [catalogue.code("steady", catalogue.answers(1)), catalogue.model("steady")]
    space.apply(*objects)
    space.wait_phase("steady-1", "Released")
    space.apply(*objects)
    space.patch("model", "steady", {"spec": {"metadata": {"team": "blue"}, "versionHistoryLimit": 3}})
    space.wait_ready("model", "steady", 30)
    holds_for(5, "one version", lambda: _numbers(space) == [1])
    assert space.get("model", "steady")["status"]["latestVersion"] == 1


def test_going_back_makes_a_new_number_with_the_same_digest(space):
    space.apply(catalogue.code("back", catalogue.answers(1)), catalogue.model("back"))
    first = space.wait_phase("back-1", "Released")
    space.apply(catalogue.code("back", catalogue.answers(2)))
    second = space.wait_phase("back-2", "Released")
    space.apply(catalogue.code("back", catalogue.answers(1)))
    third = space.wait_phase("back-3", "Released")
    digests = [each["status"]["image"]["digest"] for each in (first, second, third)]
    assert digests[0] == digests[2] != digests[1]


def test_a_follower_moves_on_and_stays_where_an_update_is_bad_without_losing_a_request(space, gateway):
    space.apply(catalogue.code("rolling", catalogue.answers(1)), catalogue.model("rolling"),
                catalogue.application("rolling", [{"model": "rolling"}]))
    space.wait_ready(APPLICATION, "rolling")
    wait_for("an answer from version 1", lambda: gateway.version("rolling") == 1, 10)
    with Stream(gateway, "rolling", rate=50) as stream:
        begun = time.monotonic()
        space.apply(catalogue.code("rolling", catalogue.answers(2)))
        space.wait_phase("rolling-2", "Released")
        wait_for("an answer from version 2", lambda: gateway.version("rolling") == 2, 90)
        # The old pods leave after the route has moved; nobody may notice that either.
        wait_for("the old servable to go", lambda: not space.list("pods", "hydrosphere.io/servable=rolling-1"), 90)

        # Loads in no pod: released, but never ready.
        space.apply(catalogue.code("rolling", "raise ImportError('no such thing as phlogiston')\n"))
        space.wait_phase("rolling-3", "Released")
        stuck = space.wait_condition(APPLICATION, "rolling", "ServablesReady", "False", 60)
        assert "rolling-3" in stuck["message"]

        # Has no contract: fails for good.
        space.patch("model", "rolling", {"spec": {"signature": None}})
        failed = space.wait_phase("rolling-4", "Failed", 60)
        assert failed["status"]["failure"]["reason"] == "ContractMissing"
        assert "signature" in failed["status"]["failure"]["message"]
        assert gateway.version("rolling") == 2
        seconds = time.monotonic() - begun
    stream.check(least=int(40 * seconds))
    assert set(stream.versions) == {1, 2}

    # Mended, it moves on by itself.
    space.apply(catalogue.code("rolling", catalogue.answers(5)), catalogue.model("rolling"))
    wait_for("an answer from the mended version", lambda: gateway.version("rolling") == 5, 90)


def _archive(*members):
    """A tar.gz of `(name, text)` members."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        for name, text in members:
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    return gzip.compress(content.getvalue())


@pytest.fixture
def server(space, system):
    """An HTTP server in the cluster; `server(files)` gives the address of its folder."""
    image = system.get("runtimes.hydrosphere.io", catalogue.RUNTIME)["spec"]["image"]

    def begin(content):
        pod = {
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "files", "labels": {"app": "files"}},
            "spec": {
                "terminationGracePeriodSeconds": 0,
                "volumes": [{"name": "content", "configMap": {"name": "content"}}],
                "containers": [{
                    "name": "files", "image": image, "command": ["python3", "-m", "http.server", "8000", "-d", "/content"],
                    "volumeMounts": [{"name": "content", "mountPath": "/content"}],
                    "readinessProbe": {"tcpSocket": {"port": 8000}, "periodSeconds": 1}}],
            },
        }
        service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "files"},
                   "spec": {"selector": {"app": "files"}, "ports": [{"port": 8000}]}}
        space.apply(catalogue.files("content", content), pod, service)
        wait_for("the file server", lambda: condition(space.get("pod", "files"), "Ready").get("status") == "True", 90)
        return f'http://{space.get("service", "files")["spec"]["clusterIP"]}:8000'

    return begin


def test_an_archive_over_http_becomes_a_version_and_a_bad_one_says_what_is_wrong(space, gateway, server):
    good = _archive(("src/func_main.py", catalogue.answers(1)))
    address = server({
        "good.tar.gz": good, "garbage.tar.gz": b"\x1f\x8b" + bytes(200), "cut.tar.gz": good[:-20],
        "escape.tar.gz": _archive(("../../etc/passwd", "root::0:0"))})

    def source(name, **more):
        return {"http": {"url": f"{address}/{name}", **more}}

    space.apply(
        catalogue.model("good", source("good.tar.gz", sha256=hashlib.sha256(good).hexdigest())),
        catalogue.model("garbage", source("garbage.tar.gz")), catalogue.model("cut", source("cut.tar.gz")),
        catalogue.model("escape", source("escape.tar.gz")), catalogue.model("missing", source("missing.tar.gz")),
        catalogue.model("changed", source("good.tar.gz", sha256="0" * 64)),
        catalogue.application("good", [{"model": "good"}]))
    for name, reason, saying in [
        ("garbage", "SourceInvalid", ""), ("cut", "SourceInvalid", ""), ("escape", "SourceInvalid", "../../etc/passwd"),
        ("missing", "SourceNotFound", "missing.tar.gz"), ("changed", "SourceDigestMismatch", "0" * 64),
    ]:
        wrong = space.wait_condition("model", name, "Stalled", "True", 60, saying=saying)
        assert wrong["reason"] == reason, (name, wrong)
        # What fails to become an image fails as a version, for good; what isn't there never gets that far.
        assert {each["status"]["phase"] for each in space.list("modelversions", f"hydrosphere.io/model={name}")} <= {"Failed"}
    space.wait_ready(APPLICATION, "good")
    assert gateway.version("good") == 1


def test_one_entry_of_bytes_arrives_as_it_is(space, gateway):
    blob = bytes(range(256)) * 400
    text = ("import hashlib, pathlib\n"
            "blob = pathlib.Path(__file__).with_name('blob.bin').read_bytes()\n"
            f"assert hashlib.sha256(blob).hexdigest() == '{hashlib.sha256(blob).hexdigest()}'\n") + catalogue.answers(1)
    space.apply(catalogue.files("bytes-files", {"func_main.py": text, "blob.bin": blob}), catalogue.model("bytes"),
                catalogue.application("bytes", [{"model": "bytes"}]))
    space.wait_ready(APPLICATION, "bytes")
    assert gateway.version("bytes") == 1
