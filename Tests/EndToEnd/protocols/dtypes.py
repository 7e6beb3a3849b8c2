# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors
"""Arrays in every protocol's messages and back, by numpy alone."""
import struct

import numpy as np

# type: numpy's, the number in Hydrosphere's and TensorFlow's messages, the field there, the name in Open Inference, the field there.
TYPES = {
    "bool": (np.bool_, 10, "bool_val", "BOOL", "bool_contents"), "int8": (np.int8, 6, "int_val", "INT8", "int_contents"),
    "int16": (np.int16, 5, "int_val", "INT16", "int_contents"), "int32": (np.int32, 3, "int_val", "INT32", "int_contents"),
    "int64": (np.int64, 9, "int64_val", "INT64", "int64_contents"), "uint8": (np.uint8, 4, "int_val", "UINT8", "uint_contents"),
    "uint16": (np.uint16, 17, "int_val", "UINT16", "uint_contents"), "uint32": (np.uint32, 22, "uint32_val", "UINT32", "uint_contents"),
    "uint64": (np.uint64, 23, "uint64_val", "UINT64", "uint64_contents"), "half": (np.float16, 19, "half_val", "FP16", None),
    "float": (np.float32, 1, "float_val", "FP32", "fp32_contents"), "double": (np.float64, 2, "double_val", "FP64", "fp64_contents"),
    "string": (object, 7, "string_val", "BYTES", "bytes_contents"),
}
SHAPES = {"one": (), "row": (6,), "table": (2, 1, 3), "none": (0, 4)}


def six(dtype, is_json):
    """Six values of a type: those that conversions lose first; for JSON only such as JSON has."""
    kind = TYPES[dtype][0]
    if dtype == "bool":
        return np.array([1, 0, 0, 1, 1, 0], np.bool_)
    if dtype == "string":
        texts = ["", "a", "ümlaut ✓", 'a\n"b"\\', "\x00", "z" * 300]
        return np.array([each.encode() for each in texts] if is_json else [b"", b"\xff\xfe", b"\x00", b"a", b"z" * 300, b"\x80"], object)
    if np.issubdtype(kind, np.integer):
        ends = np.iinfo(kind)
        return np.array([ends.min, ends.max, 0, 1, ends.max - 1, ends.max // 2], kind)
    ends = np.finfo(kind)
    last = [0.1, ends.eps] if is_json else [np.nan, -np.inf]
    return np.array([ends.min, ends.max, ends.smallest_subnormal, -0.0, *last], kind)


def arrays(is_json, without=()):
    """An array of every type in every shape, by `type-shape`."""
    made = {}
    for dtype in TYPES:
        for name, shape in SHAPES.items():
            if dtype not in without:
                values = six(dtype, is_json)
                count = int(np.prod(shape))
                made[f"{dtype}-{name}"] = values[len(values) - count:].reshape(shape)
    return made


def fields(arrays):
    """The fields of a signature that takes them."""
    return [(name, name.partition("-")[0], list(array.shape)) for name, array in sorted(arrays.items())]


def same(one, other):
    """Whether two arrays are so to the bit."""
    if one.dtype != other.dtype or one.shape != other.shape:
        return False
    return one.tolist() == other.tolist() if one.dtype == object else one.tobytes() == other.tobytes()


def raw(array):
    """Elements as Open Inference puts them beside its messages."""
    if array.dtype == object:
        return b"".join(struct.pack("<I", len(each)) + each for each in array.ravel().tolist())
    return array.tobytes()


def unraw(content, dtype, shape):
    """The array of such elements."""
    kind = TYPES[dtype][0]
    if kind is not object:
        return np.frombuffer(content, kind).reshape(shape)
    values, at = [], 0
    while at < len(content):
        size = struct.unpack_from("<I", content, at)[0]
        values.append(content[at + 4:at + 4 + size])
        at += 4 + size
    return _strings(values, shape)


def plain(array, dtype):
    """The elements as Python's values, for typed fields and JSON."""
    values = array.ravel()
    return (values.view(np.uint16) if dtype == "half" else values).tolist()


def unplain(values, dtype, shape):
    """The array of such values."""
    kind = TYPES[dtype][0]
    if dtype == "half":
        return np.array(list(values), np.uint16).view(np.float16).reshape(shape)
    return _strings(list(values), shape) if kind is object else np.array(list(values), kind).reshape(shape)


def _strings(values, shape):
    made = np.empty(len(values), object)
    made[:] = values
    return made.reshape(shape)


def tensor(array, dtype, made):
    """Fills a message of Hydrosphere's or TensorFlow's."""
    _, made.dtype, field, _, _ = TYPES[dtype]
    made.tensor_shape.SetInParent()
    if hasattr(made.tensor_shape, "dims"):
        made.tensor_shape.dims.extend(array.shape)
    else:
        for size in array.shape:
            made.tensor_shape.dim.add(size=size)
    getattr(made, field).extend(plain(array, dtype))


def untensor(found):
    """The array of such a message, whichever way its values lie."""
    dtype = next(name for name, known in TYPES.items() if known[1] == found.dtype)
    shape = tuple(found.tensor_shape.dims) if hasattr(found.tensor_shape, "dims") else tuple(each.size for each in found.tensor_shape.dim)
    packed = getattr(found, "binary_val", b"") or getattr(found, "tensor_content", b"")
    if packed:
        return np.frombuffer(packed, TYPES[dtype][0]).reshape(shape)
    return unplain(getattr(found, TYPES[dtype][2]), dtype, shape)


def infer(message, tensors, contents, arrays, is_raw):
    """Fills a message of Open Inference: its tensors, and the raw contents beside them."""
    for name, array in sorted(arrays.items()):
        dtype = name.partition("-")[0]
        one = tensors.add(name=name, datatype=TYPES[dtype][3], shape=array.shape)
        if is_raw:
            contents.append(raw(array))
        else:
            getattr(one.contents, TYPES[dtype][4]).extend(plain(array, dtype))
    return message


def uninfer(tensors, contents):
    """The arrays of such a message."""
    found = {}
    for place, one in enumerate(tensors):
        dtype = next(name for name, known in TYPES.items() if known[3] == one.datatype)
        shape = tuple(one.shape)
        values = unraw(contents[place], dtype, shape) if contents else unplain(getattr(one.contents, TYPES[dtype][4]), dtype, shape)
        found[one.name] = values
    return found
