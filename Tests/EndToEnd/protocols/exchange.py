# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors
"""Arrays of every type, with the values at their ends, and the model that gives them back."""
import numpy as np
from models import DTYPES
from tritonclient.utils import np_to_triton_dtype


def _ends(dtype):
    ends = np.iinfo(dtype)
    return np.array([[ends.min, ends.max], [0, 1]], dtype)


def _floats(dtype):
    ends = np.finfo(dtype)
    return np.array([[ends.min, ends.max], [ends.tiny, ends.eps], [0.1, -0.0]], dtype)


ARRAYS = {
    "bool": np.array([[True, False]]), "uint8": _ends(np.uint8), "uint16": _ends(np.uint16), "uint32": _ends(np.uint32),
    "uint64": _ends(np.uint64), "int8": _ends(np.int8), "int16": _ends(np.int16), "int32": _ends(np.int32), "int64": _ends(np.int64),
    "half": _floats(np.float16), "float": _floats(np.float32), "double": _floats(np.float64),
    "string": np.array([["plain".encode(), "ümlaut \u2713".encode()], [b"", b"a\nb\"c"]], dtype=object)}


def mirrored(module, client, arrays, binary=True, **more):
    """What the model `mirror` gives back for some of its inputs; the others are empty."""
    inputs = []
    for dtype in DTYPES:
        array = arrays.get(dtype)
        if array is None:
            array = np.empty((0, 2), ARRAYS[dtype].dtype)
        name = "BYTES" if dtype == "string" else np_to_triton_dtype(array.dtype)
        each = module.InferInput(f"in_{dtype}", list(array.shape), name)
        if "http" in module.__name__:
            each.set_data_from_numpy(array, binary_data=binary or dtype == "half")
        else:
            each.set_data_from_numpy(array)
        inputs.append(each)
    if "http" in module.__name__:
        more["outputs"] = [module.InferRequestedOutput(f"out_{each}", binary_data=binary) for each in arrays]
    return client.infer("mirror", inputs, **more)
