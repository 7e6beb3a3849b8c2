# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors
"""What each image is made of: packages below, our files on top."""

import dataclasses
import hashlib
import os
import shutil
import subprocess
import sys
from typing import Callable

from . import elf
from .bytecode import bytecode_layer, compiled
from .debian import PackageLayer, package_layers
from .wheels import wheels_layer

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
PROGRAMS = ("hydro-operator", "hydro-gateway")
USER = "65532:65532"
PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

DEBIAN = PackageLayer(
    packages=("base-files", "ca-certificates", "libc6", "libgcc-s1", "libssl3", "libstdc++6", "netbase", "zlib1g"),
    keep=("etc/debian_version", "etc/os-release", "usr/lib/os-release", "etc/protocols", "etc/services"),
    libraries=("libc.so.6", "libm.so.6", "libgcc_s.so.1", "libssl.so.3", "libstdc++.so.6", "libz.so.1", "libnss_dns.so.2", "libnss_files.so.2"),
    folders=(("/tmp", 0o1777), ("/root", 0o700), ("/home/hydro", 0o755)),
    files=(
        ("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\nhydro:x:65532:65532:hydro:/home/hydro:/bin/false\n", 0o644),
        ("/etc/group", "root:x:0:\nnogroup:x:65534:\nhydro:x:65532:\n", 0o644),
        ("/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\nservices: files\n", 0o644),
    ),
    links=(("/bin", "usr/bin"), ("/sbin", "usr/sbin"), ("/lib", "usr/lib"), ("/lib64", "usr/lib64"),
           ("/usr/lib/ssl/cert.pem", "/etc/ssl/certs/ca-certificates.crt"), ("/usr/lib/ssl/certs", "/etc/ssl/certs")),
    certificates=True,
)  # fmt: skip

SHELL = ("sh", "cat", "cp", "env", "grep", "head", "id", "ls", "mkdir", "mv", "ps", "rm", "sleep", "tail", "tar", "wget")
PYTHON = PackageLayer(
    packages=("busybox", "python3", "python3-grpcio", "python3-numpy", "python3-protobuf", "tzdata"),
    keep=("usr/bin/busybox", "usr/bin/python3*", "usr/lib/python3*", "usr/share/zoneinfo/*"),
    links=tuple((f"/usr/bin/{name}", "busybox") for name in SHELL),
)
SKLEARN = PackageLayer(
    packages=("python3-joblib", "python3-pandas", "python3-sklearn"),
    keep=("usr/lib/python3*",),
)
# What wheels ask for, and nothing below them does.
WHEELS = PackageLayer(packages=("libc6",), libraries=("libdl.so.2", "libpthread.so.0", "librt.so.1"))
MLSERVER = "/opt/hydro-runtime-mlserver"


@dataclasses.dataclass(frozen=True)
class Recipe:
    """The layers of an image, lowest first, and how it runs."""

    layers: Callable
    config: dict
    tag: str = ""


class Kitchen:
    """Where layers are made and kept."""

    def __init__(self, state, cache, quiet=False):
        self.cache, self.quiet = cache, quiet
        self.build = os.environ.get("HYDRO_BUILD") or os.path.join(state, "build")

    def say(self, message):
        if not self.quiet:
            print(f"  {message}", file=sys.stderr, flush=True)

    def own(self, made_by, files):
        """A layer of our own files: (path in the image, content, mode), in this order."""
        key = hashlib.sha256()
        for path, content, mode in files:
            key.update(f"{path} {mode} {len(content)}\n".encode() + content)

        def fill(writer):
            for path, content, mode in files:
                writer.bytes(path, content, mode)

        return self.cache.layer(key.hexdigest()[:32], made_by, fill)


def pause_layers(kitchen):
    """The container that holds a pod's namespaces: an init that waits and reaps."""
    init = shutil.which("catatonit")
    return [kitchen.cache.layer("pause-1", "catatonit", lambda writer: writer.file("/pause", init, 0o755))]


def program_layers(kitchen):
    """The programs, and just the shared libraries that they ask for."""
    programs = [built(kitchen, name) for name in PROGRAMS]
    asked = tuple(sorted({soname for program in programs for soname in elf.needed(program)}))
    libraries = PackageLayer(packages=("libcurl4", "libnghttp2-14", "librdkafka1", "libyaml-0-2", "libzstd1"), libraries=asked)
    files = [(f"/usr/local/bin/{name}", program, 0o755) for name, program in zip(PROGRAMS, programs)]
    return package_layers(kitchen, [DEBIAN, libraries]) + [kitchen.own("hydro", files)]


def built(kitchen, name):
    """A program as it goes into the image: optimised, with Swift's library inside, stripped."""
    kitchen.say(f"building {name}")
    options = ["-c", "release", "--static-swift-stdlib", "--package-path", REPOSITORY, "--scratch-path", kitchen.build]
    build = subprocess.run(
        ["swift", "build", *options, "--product", name], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if build.returncode:
        sys.exit(f"images: {name} does not build:\n{build.stdout[-8000:]}")
    program = os.path.join(kitchen.build, "release", name)
    subprocess.run(["strip", "-o", program + ".stripped", program], check=True)
    with open(program + ".stripped", "rb") as file:
        return file.read()


def python_layers(kitchen, *more):
    """Python, what is asked for above it, and the runtime server."""
    source = os.path.join(REPOSITORY, "runtimes", "python")
    files = []
    for folder, folders, names in os.walk(source):
        folders[:] = sorted(name for name in folders if name not in ("tests", "__pycache__"))
        for name in sorted(names):
            path = os.path.join(folder, name)
            if name.endswith(".py"):
                with open(path, "rb") as file:
                    content = file.read()
                target = "/opt/hydro-runtime/" + os.path.relpath(path, source)
                files.append((target, content, 0o644))
                files += [(*each, 0o644) for each in compiled(target, lambda: content)]
    packages = package_layers(kitchen, [DEBIAN, PYTHON, *more])
    return packages + bytecode_layer(kitchen, packages) + [kitchen.own("hydro-runtime", files)]


def mlserver_layers(kitchen):
    """Python, MLServer as PyPI has it, and how it is started."""
    source = os.path.join(REPOSITORY, "runtimes", "mlserver")
    packages = package_layers(kitchen, [DEBIAN, PYTHON, WHEELS])
    wheels = wheels_layer(kitchen, os.path.join(source, "requirements.txt"), MLSERVER + "/packages")
    with open(os.path.join(source, "hydro_mlserver.py"), "rb") as file:
        own = kitchen.own("hydro-runtime-mlserver", [(MLSERVER + "/hydro_mlserver.py", file.read(), 0o644)])
    return packages + bytecode_layer(kitchen, packages[:2]) + [wheels, own]


PYTHON_CONFIG = {
    "Entrypoint": ["/usr/bin/python3", "-m", "hydro_runtime"],
    "Env": [PATH, "PYTHONPATH=/opt/hydro-runtime", "PYTHONDONTWRITEBYTECODE=1", "PYTHONUNBUFFERED=1", "APP_PORT=9091", "HEALTH_PORT=9092"],
    "ExposedPorts": {"9091/tcp": {}, "9092/tcp": {}},
    "User": USER,
    "WorkingDir": "/",
}  # fmt: skip

MLSERVER_CONFIG = {
    "Entrypoint": ["/usr/bin/python3", "-m", "hydro_mlserver"],
    "Env": [PATH, f"PYTHONPATH={MLSERVER}:{MLSERVER}/packages", "PYTHONDONTWRITEBYTECODE=1", "PYTHONUNBUFFERED=1", "APP_PORT=9091",
            "HEALTH_PORT=9092", "MODEL_NAME=model", "MLSERVER_DEBUG=false", "MLSERVER_PARALLEL_WORKERS=0", "MLSERVER_METRICS_PORT=9093",
            "MLSERVER_METRICS_DIR=/tmp"],
    "ExposedPorts": {"9091/tcp": {}, "9092/tcp": {}, "9093/tcp": {}},
    "User": USER,
    "WorkingDir": "/tmp",
}  # fmt: skip

RECIPES = {
    "hydro": Recipe(program_layers, {"Env": [PATH], "User": USER, "Entrypoint": ["/usr/local/bin/hydro-operator"]}),
    "hydro-runtime-python": Recipe(python_layers, PYTHON_CONFIG),
    "hydro-runtime-sklearn": Recipe(lambda kitchen: python_layers(kitchen, SKLEARN), PYTHON_CONFIG),
    "hydro-runtime-mlserver": Recipe(mlserver_layers, MLSERVER_CONFIG),
    "pause": Recipe(pause_layers, {"Entrypoint": ["/pause", "-P"]}, tag="1"),
}
# MLServer is half a gigabyte of packages: whoever wants it names it.
DEFAULT = [name for name in RECIPES if name not in ("hydro-runtime-mlserver", "pause")]
