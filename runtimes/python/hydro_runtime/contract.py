# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors

"""A model's contract: which fields go in, which come out."""

import numpy

from . import tensors
from .protos import ModelField, ModelSignature, Tensor, types
from .tensors import Mismatch, name_of


class Contract:
    """The signature that the image carries, and the conversions that it asks for."""

    def __init__(self, signature):
        self.name = signature.signature_name
        self.inputs = list(signature.inputs)
        self.outputs = list(signature.outputs)

    @staticmethod
    def load(path):
        """Reads `contract.protobin`; raises `Mismatch` where there is none to be had."""
        try:
            signature = ModelSignature.FromString(path.read_bytes())
        except FileNotFoundError:
            raise Mismatch(f"wants the model's signature at {path}, found no such file") from None
        except Exception as error:
            raise Mismatch(f"wants the model's signature at {path}, found: {error}") from error
        if not signature.signature_name:
            raise Mismatch(f"wants a signature with a name at {path}, found one without")
        return Contract(signature)

    def arguments(self, inputs):
        """Keyword arguments from a request's tensors; raises `Mismatch` with all that is wrong.

        Fields that the signature does not declare are for other variants of
        the stage, and stay behind.
        """
        arguments, wrong = {}, []
        for field in self.inputs:
            if field.name not in inputs:
                wrong.append(f'field "{field.name}" wants {describe(field)}, got nothing')
                continue
            try:
                arguments[field.name] = _incoming(field, inputs[field.name])
            except Mismatch as mismatch:
                wrong.append(f'field "{field.name}" {mismatch}')
        if wrong:
            raise Mismatch("; ".join(wrong))
        return arguments

    def results(self, returned):
        """Tensors from what the function returned; raises `Mismatch` with all that is wrong."""
        if not hasattr(returned, "keys") or not hasattr(returned, "__getitem__"):
            raise Mismatch(f'"{self.name}" wants a dict, got {type(returned).__name__}')
        wanted, found = [field.name for field in self.outputs], list(returned.keys())
        if set(wanted) != set(found):
            raise Mismatch(f'"{self.name}" wants {_names(wanted)}, got {_names(found)}')
        results, wrong = {}, []
        for field in self.outputs:
            try:
                results[field.name] = _outgoing(field, returned[field.name])
            except Mismatch as mismatch:
                wrong.append(f'field "{field.name}" {mismatch}')
        if wrong:
            raise Mismatch("; ".join(wrong))
        return results


def describe(field):
    """A field's type and shape: `double [30]`."""
    kind = "map" if field.HasField("subfields") else name_of(field.dtype)
    return f"{kind} {list(field.shape.dims)}" if field.HasField("shape") else kind


def _incoming(field, tensor):
    wanted = types.DT_MAP if field.HasField("subfields") else field.dtype
    if wanted not in (types.DT_ANY, types.DT_INVALID) and tensor.dtype != wanted:
        raise Mismatch(f"wants {describe(field)}, got {name_of(tensor.dtype)} {list(tensor.tensor_shape.dims)}")
    value = tensors.to_numpy(tensor)
    if field.HasField("shape") and not _fits(numpy.shape(value), field.shape.dims):
        raise Mismatch(f"wants {describe(field)}, got {name_of(tensor.dtype)} {list(numpy.shape(value))}")
    return value


def _outgoing(field, value):
    if getattr(getattr(value, "DESCRIPTOR", None), "full_name", "") == Tensor.DESCRIPTOR.full_name:
        return _ready_made(field, value)
    if field.HasField("subfields") or field.dtype == types.DT_MAP:
        return _map(field, value)
    try:
        array = numpy.asarray(value)
    except ValueError as error:
        raise Mismatch(f"wants {describe(field)}, got what numpy refuses: {error}") from None
    dtype = field.dtype
    if dtype in (types.DT_ANY, types.DT_INVALID):
        dtype = tensors.natural_dtype(array)
    return tensors.from_numpy(_shaped(field, tensors.cast(array, dtype)), dtype)


def _ready_made(field, given):
    """The model's own tensor, checked but not converted."""
    tensor = given if isinstance(given, Tensor) else Tensor.FromString(given.SerializeToString())
    _incoming(field, tensor)
    return tensor


def _map(field, value):
    """A dict, or an array of dicts, whose entries are fields themselves."""
    array = numpy.empty((), object)
    if hasattr(value, "keys"):
        array[()] = value
    else:
        array = numpy.asarray(value, object)
    made = numpy.empty(array.shape, object)
    for index in numpy.ndindex(array.shape):
        each = array[index]
        fields = field.subfields.data or [ModelField(name=name, dtype=types.DT_ANY) for name in getattr(each, "keys", list)()]
        made[index] = Contract(ModelSignature(signature_name=field.name, outputs=fields)).results(each)
    return tensors.from_numpy(_shaped(field, made), types.DT_MAP)


def _shaped(field, array):
    """`array` in the declared shape; dimensions of 1 may be missing or left over."""
    if not field.HasField("shape") or _fits(array.shape, field.shape.dims):
        return array
    try:
        made = array.reshape(tuple(field.shape.dims))
    except ValueError:
        made = None
    if made is not None and _squeezed(made.shape) == _squeezed(array.shape):
        return made
    raise Mismatch(f"wants {describe(field)}, got shape {list(array.shape)}")


def _fits(shape, dims):
    return len(shape) == len(dims) and all(wanted in (-1, found) for found, wanted in zip(shape, dims))


def _squeezed(dims):
    return [size for size in dims if size != 1]


def _names(names):
    return ", ".join(f'"{name}"' for name in names) or "nothing"
