# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors
"""Python's bytecode, compiled beforehand: containers can't keep what they compile, and would do so at every start."""

import hashlib
import importlib.util
import marshal
import sys
import tarfile
import warnings

# The Python of the images; another one's bytecode would be of no use to it.
PYTHON = "cpython-311"
RULES = 1  # part of the layer's key: raise it when the rules below change
FOLDERS = ("usr/lib/python3",)
# Seldom imported, if ever.
SPARED = ("/lib2to3/", "/idlelib/", "/ensurepip/", "/turtledemo/", "/pydoc_data/")
UNCHECKED = 1  # in a .pyc's header: the source's hash follows, and need not be compared


def bytecode_layer(kitchen, layers):
    """A layer above `layers` with the bytecode of the modules in them; none where this Python is not the images'."""
    if sys.implementation.cache_tag != PYTHON:
        return []
    key = hashlib.sha256(" ".join([str(RULES), *(layer.diff_id for layer in layers)]).encode()).hexdigest()[:32]

    def fill(writer):
        kitchen.say("compiling Python modules")
        for layer in layers:
            with tarfile.open(layer.path) as tar:
                for member in tar:
                    if member.isfile() and member.name.startswith(FOLDERS) and not any(each in member.name for each in SPARED):
                        for path, content in compiled("/" + member.name, lambda m=member: tar.extractfile(m).read()):
                            writer.bytes(path, content)

    return [kitchen.cache.layer(key, "bytecode", fill)]


def compiled(path, read):
    """The path and content of a module's bytecode; nothing for what is no module or does not compile."""
    if not path.endswith(".py") or sys.implementation.cache_tag != PYTHON:
        return
    source = read()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            code = compile(source, path, "exec", dont_inherit=True, optimize=0)
    except (SyntaxError, ValueError):  # templates and samples of other Pythons
        return
    folder, _, name = path.rpartition("/")
    header = importlib.util.MAGIC_NUMBER + UNCHECKED.to_bytes(4, "little") + importlib.util.source_hash(source)
    yield f"{folder}/__pycache__/{name.removesuffix('.py')}.{PYTHON}.pyc", header + marshal.dumps(code)
