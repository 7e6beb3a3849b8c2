# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors
"""Layers: gzip'd tar archives whose digest depends on their content alone."""

import dataclasses
import gzip
import hashlib
import io
import json
import os
import tarfile


@dataclasses.dataclass(frozen=True)
class Layer:
    """One layer in the cache: the compressed file and both of its digests."""

    path: str
    digest: str
    size: int
    diff_id: str
    made_by: str


class LayerCache:
    """Layers kept by what they are made from, so that nothing is packed twice."""

    def __init__(self, folder):
        self.folder = folder
        os.makedirs(folder, exist_ok=True)

    def layer(self, key, made_by, fill):
        """The layer of this key; `fill(writer)` adds its entries where it is not kept yet."""
        path = os.path.join(self.folder, key + ".tar.gz")
        note = path + ".json"
        if os.path.exists(path) and os.path.exists(note):
            with open(note, encoding="utf-8") as file:
                return Layer(path=path, **json.load(file))
        with open(path + ".part", "wb") as out:
            writer = LayerWriter(out)
            fill(writer)
            digest, size, diff_id = writer.finish()
        facts = {"digest": digest, "size": size, "diff_id": diff_id, "made_by": made_by}
        os.replace(path + ".part", path)
        with open(note, "w", encoding="utf-8") as file:
            json.dump(facts, file)
        return Layer(path=path, **facts)


class LayerWriter:
    """Writes one layer: no times and no names, and owners only as numbers."""

    def __init__(self, out):
        self._compressed = _Hashing(out)
        self._gzip = gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=self._compressed, mtime=0)
        self._plain = _Hashing(self._gzip)
        self._tar = tarfile.open(fileobj=self._plain, mode="w|", format=tarfile.PAX_FORMAT)
        self._folders = set()

    def add(self, info, content=None):
        """Adds an entry as it is, less what differs from one making to the next."""
        info.mtime = 0
        info.uname = info.gname = ""
        info.pax_headers = {}
        self._tar.addfile(info, content)

    def file(self, target, source, mode=0o644):
        """Adds a file of this machine at an absolute path of the image, and the folders above it."""
        with open(source, "rb") as content:
            self.bytes(target, content.read(), mode)

    def bytes(self, target, content, mode=0o644):
        self.folder(os.path.dirname(target))
        info = tarfile.TarInfo(target.lstrip("/"))
        info.size, info.mode = len(content), mode
        self.add(info, io.BytesIO(content))

    def link(self, target, to):
        self.folder(os.path.dirname(target))
        info = tarfile.TarInfo(target.lstrip("/"))
        info.type, info.mode, info.linkname = tarfile.SYMTYPE, 0o777, to
        self.add(info)

    def folder(self, target, mode=0o755):
        name = target.strip("/")
        if not name or name in self._folders:
            return
        self.folder(os.path.dirname(name))
        self._folders.add(name)
        info = tarfile.TarInfo(name)
        info.type, info.mode = tarfile.DIRTYPE, mode
        self.add(info)

    def tree(self, target, source, wanted=lambda path: True):
        """Adds the files below a folder, in the order of their names."""
        for folder, folders, files in os.walk(source):
            folders.sort()
            for name in sorted(files):
                path = os.path.join(folder, name)
                inside = os.path.relpath(path, source)
                if wanted(inside):
                    self.file(os.path.join(target, inside), path, 0o755 if os.access(path, os.X_OK) else 0o644)

    def finish(self):
        """Ends the archive: the compressed digest and size, and the digest of the tar."""
        self._tar.close()
        self._gzip.close()
        return self._compressed.digest(), self._compressed.size, self._plain.digest()


class _Hashing:
    """Passes what is written on, and keeps its digest and size."""

    def __init__(self, out):
        self._out, self._hash, self.size = out, hashlib.sha256(), 0

    def write(self, content):
        self._out.write(content)
        self._hash.update(content)
        self.size += len(content)
        return len(content)

    def flush(self):
        self._out.flush()

    def digest(self):
        return "sha256:" + self._hash.hexdigest()
