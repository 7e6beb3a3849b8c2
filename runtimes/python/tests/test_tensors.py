# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors

"""Tensors and numpy values, both ways."""

import numpy
import pytest

from conftest import field, signature
from hydro_runtime import packed, tensors
from hydro_runtime.contract import Contract
from hydro_runtime.protos import MapTensorData, ModelField, ModelSignature, Tensor, TensorShape, types
from hydro_runtime.tensors import Mismatch

# Every type with numbers: its field, numpy's type, and values at its edges.
_numbers = {
    "FLOAT": ("float_val", "f4", [0, -1.5, 3.4028235e38, float("inf")]),
    "DOUBLE": ("double_val", "f8", [0, -1.5, 1.7976931348623157e308, 5e-324]),
    "HALF": ("half_val", "f2", [0, -1.5, 65504, -0.0]),
    "INT8": ("int_val", "i1", [0, -128, 127]), "INT16": ("int_val", "i2", [0, -32768, 32767]),
    "INT32": ("int_val", "i4", [0, -2**31, 2**31 - 1]), "INT64": ("int64_val", "i8", [0, -2**63, 2**63 - 1]),
    "UINT8": ("int_val", "u1", [0, 255]), "UINT16": ("int_val", "u2", [0, 65535]),
    "UINT32": ("uint32_val", "u4", [0, 2**32 - 1]), "UINT64": ("uint64_val", "u8", [0, 2**64 - 1]),
    "QINT8": ("int_val", "i1", [-128, 127]), "QINT16": ("int_val", "i2", [-32768, 32767]),
    "QINT32": ("int_val", "i4", [-2**31, 2**31 - 1]), "QUINT8": ("int_val", "u1", [0, 255]),
    "QUINT16": ("int_val", "u2", [0, 65535]), "BOOL": ("bool_val", "?", [True, False]),
    "COMPLEX64": ("scomplex_val", "c8", [1 + 2j, -0.5j]), "COMPLEX128": ("dcomplex_val", "c16", [1 + 2j, 1e300j]),
}
# One length that Python walks over, one that is read from the encoding.
_repeats = [1, packed.WORTHWHILE]


def _number(name):
    return types.DataType.Value(f"DT_{name}")


@pytest.mark.parametrize("repeats", _repeats)
@pytest.mark.parametrize("name", _numbers)
def test_each_type_survives_there_and_back(name, repeats):
    column, dtype, values = _numbers[name]
    array = numpy.array(values * repeats, dtype).reshape(len(values), repeats)
    tensor = Tensor.FromString(tensors.from_numpy(array, _number(name)).SerializeToString())
    assert [each.name for each, _ in tensor.ListFields()] == ["dtype", "tensor_shape", column]
    back = tensors.to_numpy(tensor)
    assert back.dtype == dtype and back.flags.writeable
    assert back.tobytes() == array.tobytes() and back.shape == array.shape


@pytest.mark.parametrize("name", _numbers)
def test_raw_content_is_read_too(name):
    _, dtype, values = _numbers[name]
    array = numpy.array(values, dtype)
    tensor = Tensor(dtype=_number(name), tensor_shape=TensorShape(dims=array.shape), binary_val=array.tobytes())
    assert tensors.to_numpy(tensor).tobytes() == array.tobytes()


@pytest.mark.parametrize("values", [
    [], [0], [127], [128], [-1], [2**63 - 1, -2**63], list(range(-300, 300)), [2**k for k in range(63)]])
def test_varints_equal_protobufs_own(values):
    encoded = packed.pack_varints(numpy.array(values, "i8"))
    own = Tensor(int64_val=values).SerializeToString()
    assert own.endswith(encoded)
    assert packed.unpack_varints(encoded).tolist() == values


def test_fields_from_a_later_protocol_do_not_disturb_a_big_tensor():
    tensor = Tensor(dtype=types.DT_DOUBLE, tensor_shape=TensorShape(dims=[1000]), double_val=range(1000))
    tensor.MergeFromString(b"\xf9\x06" + bytes(8))  # field 111, eight bytes
    assert tensors.to_numpy(tensor).sum() == 499500


def test_strings_survive_there_and_back():
    words = ["", "Grüße", "水", "ends in zero\0"]
    tensor = tensors.from_numpy(tensors.cast(numpy.array(words, object), types.DT_STRING), types.DT_STRING)
    assert [each.decode() for each in tensor.string_val] == words
    assert tensors.to_numpy(tensor).tolist() == words


def test_a_scalar_is_a_numpy_scalar():
    assert isinstance(tensors.to_numpy(Tensor(dtype=types.DT_INT64, int64_val=[5])), numpy.int64)
    assert isinstance(tensors.to_numpy(Tensor(dtype=types.DT_STRING, tensor_shape=TensorShape(), string_val=[b"a"])), numpy.str_)


def test_one_long_string_does_not_widen_all_the_others():
    tensor = Tensor(dtype=types.DT_STRING, string_val=[b"x" * 1_000_000] + [b"y"] * 100_000)
    assert tensors.to_numpy(tensor).dtype == object


def test_maps_are_dicts():
    inner = Tensor(dtype=types.DT_INT64, tensor_shape=TensorShape(dims=[2]), int64_val=[1, 2])
    one = Tensor(dtype=types.DT_MAP, map_val=[MapTensorData(subtensors={"a": inner})])
    assert tensors.to_numpy(one)["a"].tolist() == [1, 2]
    many = Tensor(dtype=types.DT_MAP, tensor_shape=TensorShape(dims=[2]), map_val=one.map_val[:] * 2)
    assert [sorted(each) for each in tensors.to_numpy(many)] == [["a"], ["a"]]


@pytest.mark.parametrize("tensor, message", [
    (Tensor(dtype=types.DT_DOUBLE, tensor_shape=TensorShape(dims=[2, 3]), double_val=[1]), "shape [2, 3] wants 6 values, got 1"),
    (Tensor(dtype=types.DT_DOUBLE, tensor_shape=TensorShape()), "shape [] wants 1 values, got 0"),
    (Tensor(dtype=types.DT_DOUBLE, tensor_shape=TensorShape(dims=[-1]), double_val=[1]), "dimensions from 0 up, got shape [-1]"),
    (Tensor(dtype=types.DT_UINT8, int_val=[256]), "wants uint8, got 256, which does not fit"),
    (Tensor(dtype=types.DT_STRING, string_val=[b"\xff"]), "UTF-8"),
    (Tensor(dtype=types.DT_COMPLEX64, scomplex_val=[1]), "in pairs, got 1"),
    (Tensor(dtype=types.DT_INT32, binary_val=b"abc"), "multiple of 4 bytes for int32, got 3"),
    (Tensor(dtype=types.DT_STRING, binary_val=b"abc"), "wants string_val for string, got binary_val"),
    (Tensor(dtype=types.DT_ANY), "wants a type with values, got any"),
    (Tensor(dtype=14), "got type 14"),
])
def test_a_tensor_that_contradicts_itself_is_refused(tensor, message):
    with pytest.raises(Mismatch) as mismatch:
        tensors.to_numpy(tensor)
    assert message in str(mismatch.value)


@pytest.mark.parametrize("value, name, expected", [
    (3, "DOUBLE", 3.0), (True, "INT64", 1), (2.0, "INT32", 2), (0.1, "FLOAT", numpy.float32(0.1)), (1, "BOOL", True),
    (numpy.uint64(5), "INT8", 5), (1, "COMPLEX64", 1 + 0j), (float("nan"), "HALF", float("nan")), (2**63, "UINT64", 2**63),
])
def test_a_value_that_survives_is_cast(value, name, expected):
    made = tensors.cast(numpy.asarray(value), _number(name))
    numpy.testing.assert_equal(made[()], numpy.asarray(expected, made.dtype)[()])


@pytest.mark.parametrize("value, name", [
    (1.5, "INT64"), (300, "UINT8"), (-1, "UINT64"), (2**63, "INT64"), (float(2**63), "INT64"), (float("nan"), "INT32"),
    (1e39, "FLOAT"), (1e6, "HALF"), (2, "BOOL"),
    (1j, "DOUBLE"), ("1", "INT64"), (None, "DOUBLE"), (1, "STRING"), ({"a": 1}, "DOUBLE"),
])
def test_a_value_that_would_be_lost_is_refused(value, name):
    with pytest.raises(Mismatch):
        tensors.cast(numpy.asarray(value), _number(name))


@pytest.mark.parametrize("value, dims, found", [
    ([1.0], [], []), (1.0, [1], [1]), ([[1.0, 2.0]], [2], [2]), ([1.0, 2.0], [-1, 1], [2, 1]), ([[5.0]], [-1], [1]), ([], [-1], [0]),
])
def test_dimensions_of_one_come_and_go(value, dims, found):
    contract = Contract(signature([], [("y", "double", dims)]))
    assert list(contract.results({"y": value})["y"].tensor_shape.dims) == found


@pytest.mark.parametrize("value, dims", [([1.0, 2.0], []), ([[1.0, 2.0], [3.0, 4.0]], [4]), ([1.0], [2]), ([[1.0, 2.0]] * 3, [-1, 3])])
def test_another_shape_is_refused(value, dims):
    with pytest.raises(Mismatch, match="got shape"):
        Contract(signature([], [("y", "double", dims)])).results({"y": value})


def test_undeclared_inputs_stay_behind_and_any_takes_all():
    contract = Contract(signature([("x", "any", None)], []))
    word = Tensor(dtype=types.DT_STRING, tensor_shape=TensorShape(), string_val=[b"hi"])
    assert contract.arguments({"x": word, "other": word}) == {"x": "hi"}


def test_maps_in_a_signature_convert_field_by_field():
    person = ModelField(name="person", shape=TensorShape(), subfields=ModelField.Subfield(
        data=[field("age", "int64", []), field("name", "string", [])]))
    contract = Contract(ModelSignature(signature_name="predict", inputs=[person], outputs=[person]))
    made = contract.results({"person": {"age": 41, "name": "Ada"}})
    assert contract.arguments(made) == {"person": {"age": 41, "name": "Ada"}}
    with pytest.raises(Mismatch, match='field "person" .*"age", "name".*got "age"'):
        contract.results({"person": {"age": 41}})
    free = Contract(signature([], [("m", "map", [])])).results({"m": {"a": [1, 2]}})
    assert list(free["m"].map_val[0].subtensors["a"].int64_val) == [1, 2]


def test_numpy_types_speak_for_themselves_where_anything_goes():
    contract = Contract(signature([], [("y", "any", None)]))
    kinds = [numpy.float16(1), numpy.uint8(1), True, 1, 1.0, 1j, "a", b"a", numpy.array([1, 2], "i2")]
    found = [types.DataType.Name(contract.results({"y": each})["y"].dtype) for each in kinds]
    assert found == ["DT_HALF", "DT_UINT8", "DT_BOOL", "DT_INT64", "DT_DOUBLE", "DT_COMPLEX128", "DT_STRING", "DT_STRING", "DT_INT16"]
