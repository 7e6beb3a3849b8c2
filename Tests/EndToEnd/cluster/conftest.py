# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors

"""A namespace for each test, on a cluster where Hydro is installed.

    eval "$(hack/cluster env)"; python3 -m pytest Tests/EndToEnd/cluster

The gateway's address is that of its Service, which a machine that runs the node reaches;
elsewhere HYDRO_GATEWAY_HTTP and HYDRO_GATEWAY_GRPC (host:port) say it.
"""

import os
import re
import secrets
import sys

import pytest

sys.path[:0] = [os.path.dirname(__file__), os.path.dirname(os.path.dirname(__file__))]

from kube import KubectlError, Namespace, wait_for  # noqa: E402
from traffic import Gateway  # noqa: E402

_system = Namespace("hydro-system")


@pytest.fixture(scope="session", autouse=True)
def installed():
    """Says what is missing before the first test says it worse."""
    try:
        _system.kubectl("get", "models.hydrosphere.io", "--all-namespaces", timeout=20)
    except (KubectlError, OSError) as error:
        pytest.exit(f"wants a cluster with Hydro installed, found: {error}", returncode=2)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Leaves the outcome where fixtures find it."""
    outcome = yield
    report = outcome.get_result()
    if report.when == "call":
        item.failed = report.failed


_rows = []


@pytest.fixture(scope="session")
def table():
    """Rows of the table of requests asked during changes: what changed, and what `load.Load` reported."""
    return _rows


def pytest_terminal_summary(terminalreporter):
    """The table, for whoever ran the proof."""
    if not _rows:
        return
    terminalreporter.section("requests while things change")
    write = terminalreporter.write_line
    write(f'{"change":<40} {"seconds":>7} {"HTTP":>6} {"gRPC":>6} {"failed":>6}   p50 / p99 / max, ms: HTTP           gRPC')
    for what, report in _rows:
        spans = ["/".join(str(report["ms"].get(kind, {}).get(name)) for name in ("p50", "p99", "max")) for kind in ("http", "grpc")]
        asked = report["asked"]
        write(f'{what:<40} {report["seconds"]:>7} {asked.get("http", 0):>6} {asked.get("grpc", 0):>6} {len(report["failures"]):>6}   '
              f"{spans[0]:>35} {spans[1]:>14}")


@pytest.fixture(scope="session")
def system():
    """Hydro's own namespace."""
    return _system


@pytest.fixture(scope="session")
def addresses():
    """Host and port of the gateway's HTTP and gRPC."""
    services = _system.list("services", "app.kubernetes.io/component=gateway")
    ports = {port["port"]: each["spec"]["clusterIP"] for each in services for port in each["spec"]["ports"]
             if each["spec"].get("clusterIP") != "None"}
    http = os.environ.get("HYDRO_GATEWAY_HTTP") or f"{ports[9090]}:9090"
    grpc = os.environ.get("HYDRO_GATEWAY_GRPC") or f"{ports[9091]}:9091"
    return {"http": http, "grpc": grpc}


def _fresh(name):
    space = Namespace(f"e2e-{name}-{secrets.token_hex(2)}")
    space.kubectl("create", "namespace", space.name)
    # Pods may not be made before their account is.
    wait_for("the default account", lambda: space.get("serviceaccount", "default"), 30)
    return space


def _gateway(addresses, space):
    host, _, port = addresses["http"].rpartition(":")
    return Gateway(host, int(port), space.name)


@pytest.fixture
def space(request):
    """A namespace of the test's own; its objects are printed when the test fails."""
    space = _fresh(re.sub("[^a-z0-9]+", "-", request.node.name.lower().removeprefix("test_"))[:30].strip("-"))
    yield space
    if getattr(request.node, "failed", False):
        _print(space)
    space.kubectl("delete", "namespace", space.name, "--wait=false")


@pytest.fixture
def gateway(addresses, space):
    """The gateway, for the test's namespace."""
    return _gateway(addresses, space)


@pytest.fixture(scope="module")
def shared_space(request):
    """One namespace for tests that only read what a module set up."""
    space = _fresh(request.module.__name__.removeprefix("test_").replace("_", "-"))
    yield space
    space.kubectl("delete", "namespace", space.name, "--wait=false")


@pytest.fixture(scope="module")
def shared_gateway(addresses, shared_space):
    """The gateway, for the module's namespace."""
    return _gateway(addresses, shared_space)


def _print(space):
    """What a person would look at first."""
    looks = [
        ("get", "models,modelversions,servables,applications.hydrosphere.io,deployments,services,pods", "-o", "wide"),
        ("get", "models,modelversions,servables,applications.hydrosphere.io", "-o",
         "jsonpath={range .items[*]}{.kind} {.metadata.name}: {.status.conditions}{\"\\n\"}{end}"),
        ("get", "events", "--sort-by=.lastTimestamp"),
    ]
    for look in looks:
        try:
            print(space.kubectl(*look))
        except (KubectlError, OSError) as error:
            print(error)
    try:
        print(_system.kubectl("logs", "-l", "app.kubernetes.io/component=operator", "--tail=40", "--prefix"))
    except (KubectlError, OSError) as error:
        print(error)
