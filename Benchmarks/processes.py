# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors
"""Processes of a cluster's node, seen from this machine: whose they are, what they use."""

import json
import os
import subprocess

_TICKS = os.sysconf("SC_CLK_TCK")
_SPACE = "hydro-system"


def kubectl(*arguments, given=None):
    """The output of one kubectl."""
    return subprocess.run(["kubectl", *arguments], input=given, stdout=subprocess.PIPE, text=True, timeout=120, check=True).stdout


def read(pid, name):
    """One file of /proc/PID."""
    with open(f"/proc/{pid}/{name}", encoding="utf-8", errors="replace") as file:
        return file.read()


def of_component(component):
    """{name of a pod: pid of its program} for one of Hydro's components."""
    pods = json.loads(kubectl("-n", _SPACE, "get", "pods", "-l", f"app.kubernetes.io/component={component}", "-o", "json"))["items"]
    found = {}
    for pod in pods:
        uid = pod["metadata"]["uid"]
        found[pod["metadata"]["name"]] = next(
            (pid for pid in _named(f"hydro-{component}") if uid in read(pid, "cgroup").replace("_", "-")), None)
    if not found or None in found.values():
        raise SystemExit(f"wanted the processes of hydro-{component}'s pods in /proc, found: {found or 'no pods'}")
    return found


def leader():
    """The name of the pod that holds the operator's lease."""
    holder = kubectl("-n", _SPACE, "get", "lease", "hydro-operator", "-o", "jsonpath={.spec.holderIdentity}")
    return holder.rpartition("_")[0]


def beside(pid, name):
    """The process of that name that runs on the node of a pod's process, which is where the parent of the latter lives."""
    parent = read(pid, "stat").rpartition(")")[2].split()[1]
    node = os.readlink(f"/proc/{parent}/ns/net")
    return next((each for each in _named(name) if os.readlink(f"/proc/{each}/ns/net") == node), None)


def cpu_seconds(pid):
    """Processor time that a process has used, in user mode and in the kernel."""
    fields = read(pid, "stat").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def memory(pid, field):
    """VmRSS or VmHWM, in bytes."""
    line = next(line for line in read(pid, "status").splitlines() if line.startswith(field + ":"))
    return int(line.split()[1]) * 1024


def forget_peak(pid):
    """Lets VmHWM begin again from what is resident now."""
    with open(f"/proc/{pid}/clear_refs", "w", encoding="ascii") as file:
        file.write("5")


def machine():
    """One line on what else the machine was doing."""
    return f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Linux {os.uname().release}"


def _named(name):
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.path.basename(read(pid, "cmdline").split("\0")[0]) == name:
                yield int(pid)
        except (FileNotFoundError, ProcessLookupError):
            continue    # it has ended meanwhile
