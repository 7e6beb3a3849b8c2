# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors

"""Hydro through kubectl, and what is left after a deletion: nothing."""

import json
import os
import time
import urllib.error
import urllib.request

import pytest

import catalogue
from kube import wait_for

APPLICATION = "applications.hydrosphere.io"


def _whole(name):
    """A model with its files and its application."""
    return [catalogue.code(name, catalogue.answers(1)), catalogue.model(name), catalogue.application(name, [{"model": name}])]


def test_kubectl_waits_lists_explains_and_sees_no_difference(space):
    objects = _whole("plain")
    space.apply(*objects)
    space.kubectl("wait", "--for=condition=Ready", "application.hydrosphere.io/plain", "--timeout=120s", timeout=130)
    header, row = space.kubectl("get", APPLICATION).splitlines()
    assert header.split()[:2] == ["NAME", "READY"] and "STAGES" in header and "URL" in header and "AGE" in header
    assert row.split()[:2] == ["plain", "True"] and "plain:1" in row and "/gateway/application/plain" in row
    assert "REASON" in space.kubectl("get", APPLICATION, "-o", "wide").splitlines()[0]
    for kind in ("models", "modelversions", "servables"):
        assert "plain" in space.kubectl("get", f"{kind}.hydrosphere.io")
    everything = space.kubectl("get", "hydro", "-o", "name")
    for each in ("model.hydrosphere.io/plain", "modelversion.hydrosphere.io/plain-1", "application.hydrosphere.io/plain"):
        assert each in everything.split()
    explained = space.kubectl("explain", "models.spec.source", "--api-version=hydrosphere.io/v1alpha1")
    assert "configMap" in explained and "exactly one" in explained
    for each in space.list("models,modelversions,servables,applications.hydrosphere.io,deployments,services"):
        _has_no_defaults_in_spec(each)
    for each in objects:
        space.kubectl("diff", "-f", "-", given=json.dumps(each))


def _has_no_defaults_in_spec(each):
    """Whatever the operator says it says in status: only our manager and the user's write the spec of a user's object."""
    if each["kind"] not in ("Model", "Application"):
        return
    for entry in each["metadata"].get("managedFields", []):
        if entry["manager"] == "hydro-operator":
            assert "f:spec" not in entry["fieldsV1"], f'{each["kind"]} {each["metadata"]["name"]}: the operator writes spec'


def test_what_runs_is_restricted_and_spread(space):
    space.apply(*_whole("tight"))
    space.wait_ready(APPLICATION, "tight")
    pod = space.pods("tight-1")[0]
    container = pod["spec"]["containers"][0]
    assert pod["spec"]["securityContext"]["runAsNonRoot"] is True
    assert pod["spec"]["securityContext"]["seccompProfile"]["type"] == "RuntimeDefault"
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert container["securityContext"]["capabilities"]["drop"] == ["ALL"]
    assert "@sha256:" in container["image"]
    labels = pod["metadata"]["labels"]
    assert labels["app.kubernetes.io/part-of"] == "hydro" and labels["hydrosphere.io/model"] == "tight"


def _manifest(image):
    """Status of the image's manifest in the registry, by digest."""
    registry = os.environ["HYDRO_REGISTRY"]
    registry = registry if "://" in registry else f"http://{registry}"
    repository = image["repository"].partition("/")[2]
    request = urllib.request.Request(f'{registry}/v2/{repository}/manifests/{image["digest"]}', method="HEAD", headers={
        "Accept": "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"})
    try:
        # The registry is near: never through a proxy.
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=20) as response:
            return response.status
    except urllib.error.HTTPError as error:
        return error.code


@pytest.mark.skipif("HYDRO_REGISTRY" not in os.environ, reason="needs the registry's address in HYDRO_REGISTRY")
def test_deleted_is_gone_within_half_a_minute_images_too(space):
    objects = _whole("brief")
    space.apply(*objects)
    space.wait_ready(APPLICATION, "brief")
    image = space.get("modelversion", "brief-1")["status"]["image"]
    assert _manifest(image) == 200

    begun = time.monotonic()
    listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
    space.kubectl("delete", "--wait=false", "-f", "-", given=listed)
    ours = "models,modelversions,servables,applications.hydrosphere.io,deployments,pods,services,poddisruptionbudgets"

    def left():
        return [(each["kind"], each["metadata"]["name"]) for each in space.list(ours)]

    wait_for("everything to be gone", lambda: not left(), 30, left)
    wait_for("the image to be gone", lambda: _manifest(image) == 404, 30 - (time.monotonic() - begun), lambda: _manifest(image))


@pytest.mark.skipif("HYDRO_REGISTRY" not in os.environ, reason="needs the registry's address in HYDRO_REGISTRY")
def test_an_image_that_another_version_shares_stays(space):
    """Going back gives two numbers one digest; deleting one of them must not take the other's image."""
    space.apply(catalogue.code("twin", catalogue.answers(1)), catalogue.model("twin"))
    space.wait_phase("twin-1", "Released")
    space.apply(catalogue.code("twin", catalogue.answers(2)))
    space.wait_phase("twin-2", "Released")
    space.apply(catalogue.code("twin", catalogue.answers(1)))
    third = space.wait_phase("twin-3", "Released")["status"]["image"]
    space.delete("modelversion", "twin-1")
    wait_for("version 1 to be gone", lambda: not space.get("modelversion", "twin-1"), 30)
    assert _manifest(third) == 200
