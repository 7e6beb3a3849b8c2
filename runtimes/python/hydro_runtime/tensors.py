# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors

"""Tensors and numpy values, both ways.

A tensor without dimensions is a numpy scalar; a map is a dict; strings are
numpy strings.
"""

import math

import numpy

from . import packed
from .protos import MapTensorData, Tensor, TensorShape, types


class Mismatch(Exception):
    """A value that is not what it should be: what was wanted, what was found."""


# Our types: the field that holds them, and numpy's type.
_kinds = {
    types.DT_FLOAT: ("float_val", "f4"), types.DT_DOUBLE: ("double_val", "f8"), types.DT_HALF: ("half_val", "f2"),
    types.DT_INT8: ("int_val", "i1"), types.DT_INT16: ("int_val", "i2"),
    types.DT_INT32: ("int_val", "i4"), types.DT_INT64: ("int64_val", "i8"),
    types.DT_UINT8: ("int_val", "u1"), types.DT_UINT16: ("int_val", "u2"),
    types.DT_UINT32: ("uint32_val", "u4"), types.DT_UINT64: ("uint64_val", "u8"),
    types.DT_QINT8: ("int_val", "i1"), types.DT_QINT16: ("int_val", "i2"), types.DT_QINT32: ("int_val", "i4"),
    types.DT_QUINT8: ("int_val", "u1"), types.DT_QUINT16: ("int_val", "u2"),
    types.DT_BOOL: ("bool_val", "?"),
    types.DT_COMPLEX64: ("scomplex_val", "c8"), types.DT_COMPLEX128: ("dcomplex_val", "c16"),
    types.DT_STRING: ("string_val", "U"),
    types.DT_MAP: ("map_val", "O"),
}
_from_numpy = {
    "f4": types.DT_FLOAT, "f8": types.DT_DOUBLE, "f2": types.DT_HALF, "b1": types.DT_BOOL,
    "i1": types.DT_INT8, "i2": types.DT_INT16, "i4": types.DT_INT32, "i8": types.DT_INT64,
    "u1": types.DT_UINT8, "u2": types.DT_UINT16, "u4": types.DT_UINT32, "u8": types.DT_UINT64,
    "c8": types.DT_COMPLEX64, "c16": types.DT_COMPLEX128,
}


def name_of(dtype):
    """A type as signatures spell it: `int64`, `double`."""
    try:
        return types.DataType.Name(dtype).removeprefix("DT_").lower()
    except ValueError:
        return f"type {dtype}"


def to_numpy(tensor):
    """The tensor's value; raises `Mismatch` where the tensor contradicts itself."""
    if tensor.dtype not in _kinds:
        raise Mismatch(f"wants a type with values, got {name_of(tensor.dtype)}")
    values = _binary(tensor) if tensor.binary_val else _typed(tensor)
    if not tensor.HasField("tensor_shape") and len(values) != 1:
        return values
    shape = tuple(tensor.tensor_shape.dims)
    if any(size < 0 for size in shape):
        raise Mismatch(f"wants dimensions from 0 up, got shape {list(shape)}")
    if math.prod(shape) != len(values):
        raise Mismatch(f"shape {list(shape)} wants {math.prod(shape)} values, got {len(values)}")
    return values.reshape(shape) if shape else values[0]


def from_numpy(value, dtype):
    """A tensor of `dtype` with the content of `value`, an array that `cast` has made."""
    tensor = Tensor(dtype=dtype, tensor_shape=TensorShape(dims=value.shape))
    field, flat = _kinds[dtype][0], value.ravel()
    if dtype == types.DT_MAP:
        tensor.map_val.extend(MapTensorData(subtensors=each) for each in flat)
    elif dtype == types.DT_STRING:
        tensor.string_val.extend(each.encode() for each in flat.tolist())
    elif flat.dtype.kind == "c":
        packed.fill(tensor, field, flat.view("f4" if dtype == types.DT_COMPLEX64 else "f8"))
    else:
        packed.fill(tensor, field, flat.view("u2") if dtype == types.DT_HALF else flat)
    return tensor


def natural_dtype(array):
    """The type that says the most about `array` when no signature does."""
    if array.dtype.kind in "USO":
        return types.DT_STRING
    try:
        return _from_numpy[f"{array.dtype.kind}{array.dtype.itemsize}"]
    except KeyError:
        raise Mismatch(f"wants numbers, strings or booleans, got numpy {array.dtype}") from None


def cast(array, dtype):
    """`array` as `dtype`, where every value survives but for the rounding of floats."""
    wanted, found = numpy.dtype(_kinds[dtype][1]), array.dtype
    if dtype == types.DT_STRING:
        return _strings(array)
    if found == wanted:
        return array
    if found.kind == "O":
        return cast(_homogeneous(array, dtype), dtype)
    ranks = "biufc"
    if found.kind not in ranks or (found.kind == "c" and wanted.kind != "c"):
        raise Mismatch(f"wants {name_of(dtype)}, got {_describe(array)}")
    with numpy.errstate(all="ignore"):
        made = array.astype(wanted)
        if wanted.kind in "fc":
            lost = numpy.isfinite(array) & ~numpy.isfinite(made)
        else:
            lost = (made != array) | ((made < 0) != (array < 0))
    if numpy.any(lost):
        raise Mismatch(f"wants {name_of(dtype)}, got {_describe(array)} with {array[lost].ravel()[0]!r}, which does not fit")
    return made


def _typed(tensor):
    field, dtype = _kinds[tensor.dtype]
    if tensor.dtype == types.DT_STRING:
        return _decoded(tensor.string_val)
    if tensor.dtype == types.DT_MAP:
        maps = numpy.empty(len(tensor.map_val), object)
        for position, each in enumerate(tensor.map_val):
            maps[position] = {name: to_numpy(inner) for name, inner in each.subtensors.items()}
        return maps
    values = packed.read(tensor, field)
    if dtype == "f2":
        return values.astype("u2").view("f2")
    if dtype in ("c8", "c16"):
        if len(values) % 2:
            raise Mismatch(f"wants real and imaginary parts in pairs, got {len(values)} numbers")
        return values.view(dtype)
    narrow = values.astype(dtype, copy=False)
    if narrow.dtype.itemsize < values.dtype.itemsize and not numpy.array_equal(narrow, values):
        raise Mismatch(f"wants {name_of(tensor.dtype)}, got {values[narrow != values][0]}, which does not fit")
    return narrow


def _binary(tensor):
    field, dtype = _kinds[tensor.dtype]
    if dtype in ("U", "O"):
        raise Mismatch(f"wants {field} for {name_of(tensor.dtype)}, got binary_val")
    size = numpy.dtype(dtype).itemsize
    if len(tensor.binary_val) % size:
        raise Mismatch(f"wants a multiple of {size} bytes for {name_of(tensor.dtype)}, got {len(tensor.binary_val)}")
    return numpy.frombuffer(tensor.binary_val, numpy.dtype(dtype).newbyteorder("<")).astype(dtype)


def _decoded(strings):
    try:
        return _text([each.decode() for each in strings])
    except UnicodeDecodeError as error:
        raise Mismatch(f"wants strings in UTF-8, got {error.object[:20]!r}") from None


def _strings(array):
    if array.dtype.kind == "U":
        return array
    if array.dtype.kind == "S":
        return numpy.char.decode(array, "utf-8")
    flat = [each.decode() if isinstance(each, bytes) else each for each in array.ravel().tolist()]
    for each in flat:
        if not isinstance(each, str):
            raise Mismatch(f"wants string, got {type(each).__name__}")
    return _text(flat).reshape(array.shape)


def _text(strings):
    """Numpy strings; objects where numpy's would drop a trailing zero or waste memory on one long string."""
    longest = max(map(len, strings), default=1)
    exact = not any(each.endswith("\0") for each in strings)
    if exact and longest * len(strings) <= 4 * sum(map(len, strings)) + 1_000_000:
        return numpy.array(strings, f"U{longest or 1}")
    made = numpy.empty(len(strings), object)
    made[:] = strings
    return made


def _homogeneous(array, dtype):
    made = numpy.array(array.tolist())
    if made.dtype.kind == "O":
        raise Mismatch(f"wants {name_of(dtype)}, got objects such as {type(array.ravel()[0]).__name__}")
    return made.reshape(array.shape)


def _describe(array):
    return name_of(natural_dtype(array)) if array.dtype.kind in "biufcUS" else f"numpy {array.dtype}"
