# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors

"""200 requests per second, over HTTP and gRPC together, while everything around them changes: none may fail.

At the end a table says what was asked during each change, and how long the answers took.
"""

import pathlib
import subprocess
import time
import urllib.request

import pytest

import catalogue
from kube import condition, wait_for
from load import Load

APPLICATION = "applications.hydrosphere.io"
_cluster = str(pathlib.Path(__file__).parents[3] / "hack" / "cluster")
_settle = 3  # seconds of requests before a change and after it
_at_once = 8  # more than are with one pod at 200 requests per second, three pods and some milliseconds each


class World:
    """What the tests change, and the requests meanwhile."""

    def __init__(self, space, system, gateway, addresses, rows):
        self.space, self.system, self._gateway, self._addresses, self._rows = space, system, gateway, addresses, rows

    def start(self):
        """Two versions of one model, and an application on three pods of the first."""
        self.space.apply(catalogue.code("steady", catalogue.answers(1)), catalogue.model("steady"))
        self.space.wait_phase("steady-1", "Released")
        self.space.apply(catalogue.code("steady", catalogue.answers(2)))
        self.space.wait_phase("steady-2", "Released")
        self.serve("sturdy", {"model": "steady", "version": 1, "deploymentConfiguration": "several"}, several=3)

    def serve(self, name, *variants, several=None):
        """An application that answers; `several` is how many pods its configuration asks for."""
        if several:
            self.space.apply(catalogue.hydro("DeploymentConfiguration", "several", {"deployment": {"replicaCount": several}}))
        self.space.apply(catalogue.application(name, list(variants)))
        self.space.wait_ready(APPLICATION, name)
        wait_for("an answer", lambda: self._gateway.version(name), 10)
        if several:
            self.wait_pods(name, several)

    def wait_pods(self, application, count):
        """Exactly so many pods of an application of one variant, all of them ready."""
        servable = self.space.get(APPLICATION, application)["status"]["activeRoute"]["stages"][0]["variants"][0]["servable"]

        def look():
            pods = self.space.list("pods", f"hydrosphere.io/servable={servable}")
            return len(pods) == count and all(condition(pod, "Ready").get("status") == "True" for pod in pods) and pods
        return wait_for(f"{count} pods of {servable}", look, 120)

    def answers(self, application, version):
        """Waits until requests are answered by a version."""
        wait_for(f"an answer from version {version}", lambda: self._gateway.version(application) == version, 90)

    def during(self, what, application, change, lost=0):
        """Changes something while requests come in; all of them must be answered, but for so many whose pod died with them."""
        with Load(self._addresses, self.space.name, application) as load:
            time.sleep(_settle)
            change()
            time.sleep(_settle)
        self._rows.append((what, load.report))
        report = load.report
        failures = [each for each in report["failures"] if not lost or "was lost" not in each["reason"]]
        assert not failures, f'{len(failures)} of {report["asked"]} failed: {failures[:5]}'
        assert len(report["failures"]) <= lost, f'{len(report["failures"])} of {report["asked"]} were lost: {report["failures"]}'
        least = 0.9 * 200 * (report["seconds"] - 1)
        assert sum(report["asked"].values()) > least, f'wants {least} requests in {report["seconds"]} s, found {report["asked"]}'
        return report


@pytest.fixture(scope="module")
def world(shared_space, system, shared_gateway, addresses, table):
    """The model, its versions and the application that most changes are about."""
    world = World(shared_space, system, shared_gateway, addresses, table)
    world.start()
    return world


@pytest.fixture
def node():
    """Commands for the node of `hack/cluster`; without such a node the test is left out."""
    def run(*words):
        return subprocess.run([_cluster, *words], capture_output=True, text=True, timeout=120, check=False)
    if run("exec", "true").returncode != 0:
        pytest.skip("wants the node of hack/cluster")
    return run


def test_weights_change(world):
    world.serve("weighed", *_weights(100, 0))

    def change():
        for first in (50, 90, 0):
            world.space.patch(APPLICATION, "weighed", {"spec": {"stages": [{"variants": _weights(first, 100 - first)}]}})
            time.sleep(2)

    report = world.during("weight change, four times", "weighed", change)
    assert set(report["versions"]) == {"1", "2"}


def _weights(first, second):
    return [{"model": "steady", "version": 1, "weight": first}, {"model": "steady", "version": 2, "weight": second}]


def test_a_version_rolls_and_a_bad_one_does_not(world):
    world.space.apply(catalogue.code("rolling", catalogue.answers(1)), catalogue.model("rolling"))
    world.serve("rolling", {"model": "rolling"})

    def roll():
        world.space.apply(catalogue.code("rolling", catalogue.answers(2)))
        world.answers("rolling", 2)
        wait_for("the old pods to go", lambda: not world.space.list("pods", "hydrosphere.io/servable=rolling-1"), 120)

    def spoil():
        world.space.apply(catalogue.code("rolling", "raise ImportError('no such thing as phlogiston')\n"))
        world.space.wait_phase("rolling-3", "Released")
        world.space.wait_condition(APPLICATION, "rolling", "ServablesReady", "False", 60, saying="rolling-3")

    report = world.during("version roll, old pods gone", "rolling", roll)
    assert set(report["versions"]) == {"1", "2"}
    report = world.during("bad update, never ready", "rolling", spoil)
    assert set(report["versions"]) == {"2"}


def test_a_pod_is_deleted(world):
    world.during("servable pod deleted", "sturdy", lambda: _delete_pod(world))
    world.during("servable pod deleted, grace period 0", "sturdy", lambda: _delete_pod(world, "--grace-period=0", "--force"))


def _delete_pod(world, *how):
    name = world.wait_pods("sturdy", 3)[0]["metadata"]["name"]
    world.space.delete("pod", name, *how)
    wait_for(f"pod {name} to go", lambda: not world.space.get("pod", name), 120)
    world.wait_pods("sturdy", 3)


def test_a_process_is_killed(world, node):
    # Nothing warns of SIGKILL: what the process has begun to answer dies with it. It may have run, so it is not asked
    # again of another pod; the caller hears that it was lost. Whatever had not reached the process is answered.
    def kill():
        for pod in world.wait_pods("sturdy", 3):
            # SIGKILL from outside: the first process of a container is deaf to its own.
            done = node("exec", "sh", "-c", f"""
                for each in $(grep -l '{pod["metadata"]["uid"]}' /proc/[0-9]*/cgroup | cut -d/ -f3); do
                    tr '\\0' ' ' </proc/$each/cmdline | grep -q hydro_runtime && kill -9 $each && echo killed
                done""")
            assert "killed" in done.stdout, done
            time.sleep(2)
            world.wait_pods("sturdy", 3)

    world.during("servable process killed (SIGKILL), 3 times", "sturdy", kill, lost=3 * _at_once)


def test_it_is_scaled_down_and_up(world):
    def scale():
        for count in (1, 3):
            world.space.patch("deploymentconfigurations.hydrosphere.io", "several", {"spec": {"deployment": {"replicaCount": count}}})
            world.wait_pods("sturdy", count)

    world.during("scale 3 → 1 → 3", "sturdy", scale)


def test_the_gateway_rolls(world):
    def roll():
        before = {pod["metadata"]["name"] for pod in world.system.list("pods", "app.kubernetes.io/component=gateway")}
        world.system.kubectl("rollout", "restart", "deployment/hydro-gateway")
        world.system.kubectl("rollout", "status", "deployment/hydro-gateway", "--timeout=120s", timeout=130)
        wait_for("the old gateway to go", lambda: not before & {
            pod["metadata"]["name"] for pod in world.system.list("pods", "app.kubernetes.io/component=gateway")}, 90)

    world.during("gateway rolled", "sturdy", roll)


def test_sonar_is_absent(world):
    """The gateway is told to tell, and nobody is at the socket: what it would have told is counted as dropped."""
    def tell(whether):
        world.system.kubectl("set", "env", "deployment/hydro-operator", f"HYDRO_GATEWAY_TAP={whether}")
        world.system.kubectl("rollout", "status", "deployment/hydro-operator", "--timeout=180s", timeout=190)
        wait_for(f"a gateway with the tap {whether}", lambda: _is_tapped(world.system) == (whether == "true"), 60)
        world.system.kubectl("rollout", "status", "deployment/hydro-gateway", "--timeout=180s", timeout=190)

    before = _is_tapped(world.system)
    tell("true")
    try:
        world.during("sonar absent: nobody at the tap", "sturdy", lambda: time.sleep(15))
        dropped = sum(_dropped(pod["status"]["podIP"]) for pod in world.system.list("pods", "app.kubernetes.io/component=gateway"))
        assert dropped > 1000, f"wants what was not told to be counted, found {dropped}"
    finally:
        tell("true" if before else "false")


def _is_tapped(system):
    found = system.get("deployment", "hydro-gateway")
    return any("--tap-socket" in each for each in found["spec"]["template"]["spec"]["containers"][0].get("args", []))


def _dropped(address):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        text = opener.open(f"http://{address}:9092/metrics", timeout=10).read().decode()
    except OSError:  # a gateway that leaves
        return 0
    return sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith("hydro_gateway_tap_dropped_total"))


def test_the_operator_is_killed(world):
    def kill():
        world.system.kubectl("delete", "pods", "-l", "app.kubernetes.io/component=operator", "--grace-period=0", "--force")
        world.system.kubectl("rollout", "status", "deployment/hydro-operator", "--timeout=120s", timeout=130)
        time.sleep(10)

    world.during("operator killed", "sturdy", kill)


def test_the_api_server_is_away_for_two_minutes(world, node):
    def stop():
        done = node("stop", "kube-apiserver")
        try:
            assert done.returncode == 0, done.stderr
            time.sleep(120)
        finally:
            node("start", "kube-apiserver")
        wait_for("the API server", _answers(world.system), 60)
        # Whatever the cluster makes of the pause becomes known now.
        time.sleep(30)
        world.wait_pods("sturdy", 3)

    world.during("API server stopped for 2 minutes", "sturdy", stop)


def _answers(system):
    def look():
        try:
            return system.kubectl("get", "--raw", "/readyz", timeout=10)
        except Exception:
            return None
    return look
