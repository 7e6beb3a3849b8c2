# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors
"""Clients of other people, from PyPI, each set in a folder of its own: their wishes for protobuf exclude each other."""
import os
import pathlib
import subprocess
import sys

CLIENTS = ["tritonclient[http,grpc]==2.73.0", "grpcio-reflection==1.81.1", "openapi-spec-validator==0.9.0"]
HYDROSPHERE = ["hydro-serving-grpc==3.0.3"]


def fetched(name, requirements):
    """The folder with the packages, filled once for each list of them."""
    state = pathlib.Path(os.environ.get("HYDRO_STATE") or pathlib.Path.home() / ".cache" / "hydro")
    folder = state / "pypi" / name
    wanted = "\n".join(requirements)
    note = folder / "requirements.txt"
    if note.exists() and note.read_text() == wanted:
        return folder
    part = state / "pypi" / f"{name}.{os.getpid()}"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-warn-conflicts", "--target", str(part)]
    subprocess.run([*pip, *requirements], check=True, timeout=900)
    (part / "requirements.txt").write_text(wanted)
    if folder.exists():
        os.rename(folder, f"{part}.old")
    os.rename(part, folder)
    return folder
