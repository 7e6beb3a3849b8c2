# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors

"""The example, as its README says."""

import json
import pathlib
import subprocess
import sys

_example = pathlib.Path(__file__).parents[3] / "examples" / "tumour"


def _check(addresses, space, application, *more):
    return subprocess.run(
        [sys.executable, str(_example / "check.py"), "--http", f'http://{addresses["http"]}', "--grpc", addresses["grpc"],
         "--namespace", space.name, "--application", application, *more], capture_output=True, text=True, timeout=120, check=False)


def test_the_tumour_example_answers_as_scikit_learn_does(space, addresses):
    space.kubectl("apply", "-k", str(_example))
    space.wait_ready("applications.hydrosphere.io", "tumour-latest", 180)
    first = _check(addresses, space, "tumour-latest", "--version", "v1")
    assert first.returncode == 0, first.stdout + first.stderr
    assert "HTTP: 50 of 50" in first.stdout and "gRPC: 50 of 50" in first.stdout

    space.kubectl("apply", "-k", str(_example / "v2"))
    space.wait_phase("tumour-2", "Released")
    space.kubectl("apply", "-f", str(_example / "application.yaml"))
    space.wait_ready("applications.hydrosphere.io", "tumour", 120)
    both = _check(addresses, space, "tumour")
    assert both.returncode == 0, both.stdout + both.stderr
    space.wait_ready("applications.hydrosphere.io", "tumour-latest", 120)
    latest = _check(addresses, space, "tumour-latest", "--version", "v2")
    assert latest.returncode == 0, latest.stdout + latest.stderr

    one = subprocess.run(
        [sys.executable, str(_example / "predict.py"), "--address", addresses["grpc"], "--namespace", space.name],
        capture_output=True, text=True, timeout=60, check=True)
    assert set(json.loads(one.stdout)) == {"malignant", "probability"}
