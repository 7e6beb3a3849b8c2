# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors
"""A layer of Python packages from PyPI, by a list that pins every one of them."""

import fnmatch
import hashlib
import os
import subprocess
import sys
import tempfile

from .bytecode import PYTHON, compiled
from .debian import TRIPLET

RULES = 1  # part of the layer's key: raise it when the rules below change
PIP = ("/usr/bin/python3", "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps", "--no-compile")
# Tests, sources of C and type stubs run nowhere.
NEVER = ("bin/*", "include/*", "*/tests/*", "*/test/*", "*.pyi", "*.pyx", "*.pxd", "*.c", "*.h", "*.a", "*.pyc", "*/RECORD", "*/direct_url.json")


def wheels_layer(kitchen, requirements, target):
    """The packages of a requirements file in the folder `target` of the image, with their bytecode."""
    if sys.implementation.cache_tag != PYTHON:
        sys.exit(f"images: wanted {PYTHON}, whose packages the image needs, found {sys.implementation.cache_tag}")
    with open(requirements, "rb") as file:
        key = hashlib.sha256(f"{RULES} {PYTHON} {TRIPLET} {target}\n".encode() + file.read()).hexdigest()[:32]

    def fill(writer):
        kitchen.say(f"installing {os.path.relpath(requirements)}")
        with tempfile.TemporaryDirectory(prefix="hydro-wheels-") as folder:
            done = subprocess.run(
                [*PIP, "--target", folder, "--requirement", requirements],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
            )  # fmt: skip
            if done.returncode:
                sys.exit(f"images: pip could not install {requirements}:\n{done.stdout[-4000:]}")
            _write(writer, folder, target)

    return kitchen.cache.layer(key, "pip install", fill)


def _write(writer, folder, target):
    wanted = []
    writer.tree(target, folder, lambda path: _kept(path) and (wanted.append(path) or True))
    for path in wanted:
        with open(os.path.join(folder, path), "rb") as file:
            for place, content in compiled(f"{target}/{path}", file.read):
                writer.bytes(place, content)


def _kept(path):
    return not any(fnmatch.fnmatchcase(path, pattern) for pattern in NEVER)
