# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors

"""The generated code is what Hydrosphere's clients carry."""

import ast
import importlib
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

from hydro_runtime.protos import ModelSignature, Tensor

_house = pathlib.Path(__file__).parents[3]
_generated = pathlib.Path(__file__).parents[1] / "hydro_runtime" / "generated"
_original_package = "hydro-serving-grpc==3.0.3"


@pytest.mark.skipif(not shutil.which("protoc"), reason="needs protoc")
def test_the_generated_code_is_up_to_date(tmp_path):
    version = subprocess.run(["protoc", "--version"], capture_output=True, text=True, check=True).stdout
    if "3.21" not in version:
        pytest.skip(f"needs protoc 3.21, found {version}")
    source = _house / "Sources/Domain/Protos/proto"
    files = sorted(str(path.relative_to(source)) for path in (source / "hydro_serving_grpc").rglob("*.proto"))
    subprocess.run(["protoc", f"-I{source}", f"--python_out={tmp_path}", *files], check=True)
    for made in tmp_path.rglob("*.py"):
        assert made.read_text() == (_generated / made.relative_to(tmp_path)).read_text()


def _original():
    """The folder that holds the original's stubs, fetched once."""
    state = pathlib.Path(os.environ.get("HYDRO_STATE") or pathlib.Path.home() / ".cache" / "hydro")
    folder = state / "python" / _original_package.replace("==", "-")
    if not folder.exists():
        part = folder.with_name(folder.name + ".part")
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--upgrade", "--target", str(part), _original_package]
        subprocess.run(pip, check=True, timeout=300)
        part.rename(folder)
    return folder


def test_descriptors_equal_those_of_hydro_serving_grpc():
    """Byte for byte: a model may load both copies into one process."""
    theirs = _original() / "hydro_serving_grpc"
    for ours in _generated.rglob("*_pb2.py"):
        text = (theirs.parent / ours.relative_to(_generated)).read_text()
        literal = re.search(r"(?:serialized_pb=|AddSerializedFile\()(b'.*')\)?$", text, re.M)
        module = ".".join(ours.relative_to(_generated).with_suffix("").parts)
        descriptor = importlib.import_module(module).DESCRIPTOR
        assert descriptor.serialized_pb == ast.literal_eval(literal[1])


def test_field_numbers():
    numbers = {each.name: each.number for each in Tensor.DESCRIPTOR.fields}
    assert numbers == {
        "dtype": 1, "tensor_shape": 2, "binary_val": 4, "float_val": 5, "double_val": 6, "int_val": 7, "string_val": 8,
        "scomplex_val": 9, "int64_val": 10, "bool_val": 11, "dcomplex_val": 12, "half_val": 13, "uint32_val": 16,
        "uint64_val": 17, "map_val": 27}
    assert {each.name: each.number for each in ModelSignature.DESCRIPTOR.fields} == {"signature_name": 1, "inputs": 2, "outputs": 3}
