# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors

"""`hack/cluster` on this machine: a second node beside whatever runs, and nothing left of it."""

import glob
import os
import pathlib
import subprocess

import pytest

CLUSTER = pathlib.Path(__file__).resolve().parents[3] / "hack" / "cluster"
SYSCTLS = ("vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops", "kernel/keys/root_maxkeys", "kernel/keys/root_maxbytes")

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="a node is made as root")


def run(*command, env=None, seconds=300):
    done = subprocess.run(command, env=env, text=True, capture_output=True, timeout=seconds, check=False)
    assert done.returncode == 0, f"{' '.join(map(str, command))}: {done.stdout}{done.stderr}"
    return done.stdout


def command_line(path):
    try:
        return pathlib.Path(path).read_bytes()
    except OSError:
        return b""  # the process has ended


def machine(state):
    """What a node could leave behind on this machine."""
    commands = [command_line(path) for path in glob.glob("/proc/[0-9]*/cmdline")]
    return {
        "processes": [command for command in commands if str(state).encode() in command],
        "mounts": pathlib.Path("/proc/self/mounts").read_text(),
        "interfaces": sorted(os.listdir("/sys/class/net")),
        "routes": [line for line in run("ip", "route").splitlines() if "10.201." in line],
        "rules": [line for line in run("iptables-save").splitlines() if line.startswith("-A")],
        "cgroups": sorted(glob.glob("/sys/fs/cgroup/*hydro-node2*") + glob.glob("/sys/fs/cgroup/*/*hydro-node2*")),
        "settings": {name: pathlib.Path("/proc/sys", name).read_text() for name in SYSCTLS},
    }


def test_a_node_comes_up_twice_runs_a_pod_and_leaves_nothing(tmp_path):
    keep = os.environ.get("HYDRO_STATE") or os.path.expanduser("~/.cache/hydro")
    names = {"HYDRO_STATE": str(tmp_path), "HYDRO_NODE": "node2", "HYDRO_NODE_NET": "10.201", "HYDRO_NODE_CABLE": "hydro1"}
    env = {**os.environ, "HYDRO_KUBE_BIN": os.environ.get("HYDRO_KUBE_BIN") or f"{keep}/kubernetes-1.20.2", **names}
    env.pop("KUBECONFIG", None)
    before = machine(tmp_path)
    try:
        run(CLUSTER, "up", env=env)
        run(CLUSTER, "up", env=env)
        env["KUBECONFIG"] = f"{tmp_path}/cluster/admin.kubeconfig"
        assert env["KUBECONFIG"] in run(CLUSTER, "env", env=env)
        run("kubectl", "run", "pause", "--image=registry.local:5000/pause:1", env=env)
        run("kubectl", "wait", "--for=condition=Ready", "pod/pause", "--timeout=60s", env=env)
        run(CLUSTER, "restart", "kube-apiserver", env=env)
        run(CLUSTER, "up", env=env)
        assert "pause" in run(CLUSTER, "status", env=env)
    finally:
        run(CLUSTER, "down", "--wipe", env=env)
    assert machine(tmp_path) == before
    run(CLUSTER, "down", env=env)
