# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors

"""What is deleted or bent by hand comes back."""

import catalogue
from kube import condition, wait_for
from traffic import Stream

APPLICATION = "applications.hydrosphere.io"


def _start(space, gateway, replicas=1):
    variant = {"model": "sturdy"}
    objects = [catalogue.code("sturdy", catalogue.answers(1)), catalogue.model("sturdy")]
    if replicas > 1:
        objects.append(catalogue.hydro("DeploymentConfiguration", "several", {"deployment": {"replicaCount": replicas}}))
        variant["deploymentConfiguration"] = "several"
    space.apply(*objects, catalogue.application("sturdy", [variant]))
    space.wait_ready(APPLICATION, "sturdy")
    wait_for("an answer", lambda: gateway.version("sturdy") == 1, 10)
    return space.get(APPLICATION, "sturdy")["status"]["activeRoute"]["stages"][0]["variants"][0]["servable"]


def _one(space, kind, servable):
    found = space.list(kind, f"hydrosphere.io/servable={servable}")
    return found[0] if len(found) == 1 else None


def _comes_back(space, kind, servable, seconds=30):
    before = _one(space, kind, servable)
    space.delete(kind, before["metadata"]["name"])
    return wait_for(f"the {kind} of {servable} to come back", lambda: _another(space, kind, servable, before), seconds)


def _another(space, kind, servable, before):
    found = _one(space, kind, servable)
    return found if found and found["metadata"]["uid"] != before["metadata"]["uid"] else None


def test_a_deleted_deployment_or_service_comes_back_and_answers(space, gateway):
    servable = _start(space, gateway)
    _comes_back(space, "service", servable)
    wait_for("an answer with the new Service", lambda: gateway.version("sturdy") == 1, 30)
    _comes_back(space, "deployment", servable)
    wait_for("an answer from the new Deployment", lambda: gateway.version("sturdy") == 1, 60)
    wait_for("a replica of the new Deployment", lambda: _ready(space, servable) == 1, 60)
    space.wait_ready(APPLICATION, "sturdy", 30)


def test_a_deployment_bent_by_hand_is_straightened(space, gateway):
    servable = _start(space, gateway)
    before = _one(space, "deployment", servable)
    space.kubectl("set", "image", f'deployment/{before["metadata"]["name"]}', "*=registry.invalid/not-the-model:1")

    def image():
        return _one(space, "deployment", servable)["spec"]["template"]["spec"]["containers"][0]["image"]

    wanted = before["spec"]["template"]["spec"]["containers"][0]["image"]
    wait_for("the image to be set back", lambda: image() == wanted, 30, image)
    assert gateway.version("sturdy") == 1


def test_a_deleted_servable_comes_back(space, gateway):
    servable = _start(space, gateway)
    before = space.get("servable", servable)
    space.delete("servable", servable)

    def uid():
        return (space.get("servable", servable) or before)["metadata"]["uid"]

    wait_for("the servable to come back", lambda: uid() != before["metadata"]["uid"], 60)
    wait_for("an answer", lambda: gateway.version("sturdy") == 1, 60)


def test_while_a_replica_is_left_a_deleted_pod_costs_no_request(space, gateway):
    servable = _start(space, gateway, replicas=2)
    wait_for("two ready pods", lambda: _ready(space, servable) == 2, 60)
    with Stream(gateway, "sturdy", rate=50) as stream:
        space.delete("pod", space.pods(servable)[0]["metadata"]["name"])
        wait_for("the pod to be on its way out", lambda: _ready(space, servable) < 2 or len(space.list("pods")) > 2, 30)
        wait_for("two ready pods again", lambda: _ready(space, servable) == 2, 60)
        wait_for("the deleted pod to be gone", lambda: len(space.list("pods")) == 2, 60)
    stream.check(least=50)


def _ready(space, servable):
    return sum(condition(pod, "Ready").get("status") == "True" for pod in space.pods(servable))
