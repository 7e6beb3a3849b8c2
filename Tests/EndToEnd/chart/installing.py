# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors
"""The chart, and how commands are run on a cluster."""
import os
import pathlib
import subprocess

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
CHART = REPOSITORY / "charts" / "hydro"


def run(*command, kubeconfig=None, given=None):
    env = {**os.environ, **({"KUBECONFIG": kubeconfig} if kubeconfig else {})}
    done = subprocess.run(command, input=given, text=True, capture_output=True, timeout=120, env=env)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
    return done.stdout
