# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors
"""Layers out of Debian packages: unpacked, not installed, and only what runs.

mmdebstrap finds and unpacks the packages with all that they depend on. Of that
a layer keeps the programs and folders that its recipe names, the shared
libraries that those need, and the licences; what a layer beneath it holds
already is left out. No maintainer script runs, so the little that they would
do (accounts, certificates, alternatives) is done here.
"""

import dataclasses
import fnmatch
import hashlib
import json
import os
import platform
import posixpath
import stat
import subprocess
import sys
import tarfile
import tempfile

from . import elf

SUITE = "bookworm"
RULES = 1  # part of every key: raise it when the rules below change
TRIPLET = {"x86_64": "x86_64-linux-gnu", "aarch64": "aarch64-linux-gnu"}[platform.machine()]
LIBRARIES = f"usr/lib/{TRIPLET}/"
ALTERNATIVES = ("", "blas/", "lapack/")  # where a library may lie that update-alternatives would link
ALWAYS = ("usr/share/doc/*/copyright", "usr/share/common-licenses/*", "usr/lib64/ld-linux*", "usr/lib/ld-linux*")
NEVER = ("*/__pycache__/*", "*.pyc", "*/tests/*", "*/test/*", "*.a", "*.pyi", "*.pyx", "*.pxd", "*/config-3.*-*/*", "*/zoneinfo/posix/*", "*/zoneinfo/right/*")


@dataclasses.dataclass(frozen=True)
class PackageLayer:
    """Packages, and which of their files stay (patterns of paths, without the leading slash)."""

    packages: tuple
    keep: tuple = ()
    libraries: tuple = ()  # kept for what comes in a layer above
    files: tuple = ()  # (path, content, mode)
    folders: tuple = ()  # (path, mode)
    links: tuple = ()  # (path, target)
    certificates: bool = False


def package_layers(kitchen, wanted):
    """The layers of these package lists, each above the one before."""
    layers, beneath, packages = [], {}, ()
    for each in wanted:
        packages += each.packages
        lower = [layer.diff_id for layer in layers]
        key = hashlib.sha256(json.dumps([RULES, SUITE, TRIPLET, packages, dataclasses.asdict(each), lower]).encode()).hexdigest()[:32]
        made_by = f"debian {SUITE}: {' '.join(each.packages)}"
        layer = kitchen.cache.layer(key, made_by, lambda writer, e=each, p=packages, b=dict(beneath): _fill(kitchen, writer, e, p, b))
        beneath.update(_index(layer))
        layers.append(layer)
    return layers


def _fill(kitchen, writer, layer, packages, beneath):
    kitchen.say(f"unpacking {' '.join(layer.packages)}")
    with tempfile.TemporaryDirectory(prefix="hydro-packages-") as folder:
        path = os.path.join(folder, "root.tar")
        log = subprocess.run(
            ["mmdebstrap", "--quiet", "--variant=extract", "--include=" + ",".join(packages), SUITE, path, *mirrors()],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )
        if log.returncode:
            sys.exit(f"images: mmdebstrap could not unpack {' '.join(packages)}:\n{log.stdout[-4000:]}")
        with tarfile.open(path) as tar:
            _write(writer, Tree(tar), layer, beneath)


def mirrors():
    """The mirrors of this machine's apt for the suite, as lines of a sources.list."""
    form = "$(REPO_URI) $(CODENAME) $(COMPONENT)"
    found = subprocess.run(["apt-get", "indextargets", "--format", form, "Created-By: Packages"], stdout=subprocess.PIPE, text=True, check=False)
    signed = "[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]"
    lines = sorted(set(line.strip() for line in found.stdout.splitlines()))
    ours = [line for line in lines if line.split()[1:2] and line.split()[1].split("-")[0] == SUITE and "debian" in line.split()[0]]
    return [f"deb {signed} {line}" for line in ours]


class Tree:
    """An unpacked root file system in a tar, under merged /usr names."""

    def __init__(self, tar):
        self._tar = tar
        self.members = {merged(member.name): member for member in tar if not member.isdir()}

    def content(self, name):
        member = self.members[name]
        return self._tar.extractfile(member).read() if member.isfile() else b""

    def resolve(self, name):
        """The names on the way from a path to its file: links first."""
        way = []
        while name in self.members and name not in way:
            way.append(name)
            member = self.members[name]
            if member.islnk():
                name = merged(member.linkname)
            elif member.issym():
                name = merged(posixpath.normpath(posixpath.join("/" + posixpath.dirname(name), member.linkname)))
        return way

    def library(self, soname):
        """The names that make a shared library there, and the link that it lacks."""
        for folder in ALTERNATIVES:
            way = self.resolve(LIBRARIES + folder + soname)
            if way:
                return way, (LIBRARIES + soname, folder + soname) if folder else None
        return [], None


def merged(name):
    """A path without its first slash, and with /bin, /sbin and /lib* below /usr."""
    name = posixpath.normpath("/" + name).lstrip("/")
    first = name.split("/", 1)[0]
    return "usr/" + name if first in ("bin", "sbin", "lib", "lib32", "lib64", "libx32") else name


def chosen(tree, layer):
    """The names that stay, and the links to make for libraries beside the usual folder."""
    kept = {
        name
        for name in tree.members
        if _matches(name, ALWAYS) or (_matches(name, layer.keep) and not _matches(name, NEVER))
    }
    links, seen = set(), set()
    asked = list(layer.libraries) + [soname for name in sorted(kept) for soname in elf.needed(tree.content(name))]
    while asked:
        soname = asked.pop()
        if soname in seen:
            continue
        seen.add(soname)
        way, link = tree.library(soname)
        kept.update(way)
        links.update([link] if link else [])
        asked += elf.needed(tree.content(way[-1])) if way else []
    for name in list(kept):
        kept.update(tree.resolve(name))
    return kept, links


def _matches(name, patterns):
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def _write(writer, tree, layer, beneath):
    kept, links = chosen(tree, layer)
    for path, mode in layer.folders:
        writer.folder(path, mode)
    for path, content, mode in layer.files:
        writer.bytes(path, content.encode(), mode)
    if layer.certificates:
        writer.bytes("/etc/ssl/certs/ca-certificates.crt", _certificates(tree))
    for path, target in sorted(set(layer.links) | links):
        writer.link(path, target)
    for name in sorted(kept):
        member = tree.members[name]
        if member.issym():
            if beneath.get(name) != "-> " + member.linkname:
                writer.link(name, member.linkname)
            continue
        content = tree.content(tree.resolve(name)[-1])
        if beneath.get(name) != hashlib.sha256(content).hexdigest():
            writer.bytes(name, content, 0o755 if member.mode & stat.S_IXUSR else 0o644)


def _certificates(tree):
    names = sorted(name for name in tree.members if fnmatch.fnmatchcase(name, "usr/share/ca-certificates/*.crt"))
    return b"".join(tree.content(name).rstrip(b"\n") + b"\n" for name in names)


def _index(layer):
    """What a layer holds: the digest of each file, the target of each link."""
    held = {}
    with tarfile.open(layer.path) as tar:
        for member in tar:
            if member.issym():
                held[member.name] = "-> " + member.linkname
            elif member.isfile():
                held[member.name] = hashlib.sha256(tar.extractfile(member).read()).hexdigest()
    return held
