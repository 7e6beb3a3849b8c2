# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors

"""The messages of all protocols as Python classes, from the project's own .proto files."""

import functools
import pathlib
import subprocess
import tempfile

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_proto = pathlib.Path(__file__).resolve().parents[2] / "Sources" / "Domain" / "Protos" / "proto"


@functools.cache
def messages():
    """Class by full name."""
    files = sorted(str(path.relative_to(_proto)) for path in _proto.rglob("*.proto"))
    with tempfile.NamedTemporaryFile(suffix=".descriptors") as out:
        subprocess.run(["protoc", f"-I{_proto}", "--include_imports", f"--descriptor_set_out={out.name}", *files], check=True, timeout=60)
        found = descriptor_pb2.FileDescriptorSet.FromString(out.read())
    # A pool of its own: the runtime's generated modules have some of the same names.
    pool = descriptor_pool.DescriptorPool()
    # Its name has changed between the protobuf of Debian and that of PyPI.
    made = getattr(message_factory, "GetMessageClass", None) or message_factory.MessageFactory(pool).GetPrototype
    for file in found.file:
        pool.Add(file)
    names = {}
    for file in found.file:
        for message in file.message_type:
            name = f"{file.package}.{message.name}"
            names[name] = made(pool.FindMessageTypeByName(name))
    return names
