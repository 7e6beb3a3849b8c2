# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors

"""Packed repeated numbers between the wire and numpy, without a Python loop.

A repeated field costs about 60 ns per element when Python walks over it; a
big tensor is read from, and written as, its own encoding instead.
"""

import numpy

from .protos import Tensor

# Below this many elements Python's own walk is quicker.
WORTHWHILE = 256

# What each field holds, as numpy names it; the first five are as wide on the
# wire as in memory, the others are varints.
_dtypes = {
    "float_val": "<f4", "double_val": "<f8", "scomplex_val": "<f4", "dcomplex_val": "<f8", "bool_val": "?",
    "int_val": "i4", "half_val": "i4", "int64_val": "i8", "uint32_val": "u4", "uint64_val": "u8",
}
_varints = {"int_val", "half_val", "int64_val", "uint32_val", "uint64_val"}


def read(tensor, field):
    """The values of `tensor.<field>` as a flat array of the field's own type."""
    values = getattr(tensor, field)
    if len(values) < WORTHWHILE:
        return numpy.fromiter(values, _dtypes[field], len(values))
    tensor.DiscardUnknownFields()
    content = _content(tensor.SerializeToString(), Tensor.DESCRIPTOR.fields_by_name[field].number)
    if field in _varints:
        return unpack_varints(content).astype(_dtypes[field])
    return numpy.frombuffer(content, _dtypes[field]).copy()


def fill(tensor, field, values):
    """Sets `tensor.<field>`, which is empty, to the flat array `values`."""
    if len(values) < WORTHWHILE:
        getattr(tensor, field).extend(values.tolist())
        return
    content = pack_varints(values) if field in _varints else values.astype(_dtypes[field], copy=False).tobytes()
    tag = Tensor.DESCRIPTOR.fields_by_name[field].number << 3 | 2
    tensor.MergeFromString(_varint(tag) + _varint(len(content)) + content)


def pack_varints(values):
    """Integers as protobuf varints; negative ones as their 64-bit two's complement."""
    rest = values.astype(numpy.int64).view(numpy.uint64) if values.dtype.kind != "u" else values.astype(numpy.uint64)
    groups = [(rest & 0x7F).astype(numpy.uint8)]
    rest = rest >> numpy.uint64(7)
    lengths = numpy.ones(len(values), numpy.intp)
    while rest.any():
        lengths += rest > 0
        groups.append((rest & 0x7F).astype(numpy.uint8))
        rest = rest >> numpy.uint64(7)
    ends = numpy.cumsum(lengths)
    starts = ends - lengths
    content = numpy.empty(ends[-1] if len(ends) else 0, numpy.uint8)
    for position, group in enumerate(groups):
        has = lengths > position
        content[starts[has] + position] = group[has] | numpy.where(lengths[has] > position + 1, 0x80, 0).astype(numpy.uint8)
    return content.tobytes()


def unpack_varints(content):
    """The 64-bit integers (signed) of packed varints."""
    octets = numpy.frombuffer(content, numpy.uint8)
    ends = numpy.flatnonzero(octets < 0x80)
    if len(ends) == len(octets):
        return octets.astype(numpy.int64)
    starts = numpy.concatenate(([0], ends[:-1] + 1))
    lengths = ends - starts + 1
    values = numpy.zeros(len(ends), numpy.uint64)
    for position in range(int(lengths.max())):
        has = lengths > position
        group = (octets[starts[has] + position] & 0x7F).astype(numpy.uint64)
        values[has] |= group << numpy.uint64(7 * position)
    return values.view(numpy.int64)


def _varint(value):
    octets = bytearray()
    while value > 0x7F:
        octets.append(value & 0x7F | 0x80)
        value >>= 7
    octets.append(value)
    return bytes(octets)


def _content(encoded, wanted):
    """The bytes of the one length-delimited field `wanted`, as protobuf's own encoder wrote it."""
    view, at = memoryview(encoded), 0
    while at < len(view):
        tag, at = _read_varint(view, at)
        if tag & 7 == 0:
            _, at = _read_varint(view, at)
        else:
            size, at = _read_varint(view, at)
            if tag >> 3 == wanted:
                return view[at:at + size]
            at += size
    return view[:0]


def _read_varint(view, at):
    value = shift = 0
    while True:
        octet = view[at]
        at += 1
        value |= (octet & 0x7F) << shift
        if octet < 0x80:
            return value, at
        shift += 7
