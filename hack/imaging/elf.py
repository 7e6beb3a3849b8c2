# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors
"""Which shared libraries a program or library asks for."""

import struct

_DYNAMIC, _LOAD = 2, 1
_NEEDED, _STRTAB = 1, 5


def needed(content):
    """The names in DT_NEEDED of a 64-bit little-endian ELF file; none for anything else."""
    if content[:6] != b"\x7fELF\x02\x01":
        return []
    segments = _segments(content)
    dynamic = next((segment for segment in segments if segment[0] == _DYNAMIC), None)
    if not dynamic:
        return []
    entries = list(struct.iter_unpack("<qQ", content[dynamic[1] : dynamic[1] + dynamic[3] // 16 * 16]))
    table = next((value for tag, value in entries if tag == _STRTAB), None)
    # The table's address is one in memory: it lies in the file where its segment does.
    start = next((table - where + at for kind, at, where, size in segments if kind == _LOAD and where <= table < where + size))
    names = [start + value for tag, value in entries if tag == _NEEDED]
    return [content[at : content.index(b"\0", at)].decode() for at in names]


def _segments(content):
    """(type, offset in the file, address in memory, size in the file) of each program header."""
    (first,) = struct.unpack_from("<Q", content, 32)
    size, count = struct.unpack_from("<HH", content, 54)
    headers = [struct.unpack_from("<IIQQQQ", content, first + index * size) for index in range(count)]
    return [(kind, offset, address, length) for kind, _, offset, address, _, length in headers]
