# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors

"""The example's two versions answer what scikit-learn itself answered when they were trained."""

import json
import math
import pathlib

import pytest

from conftest import signature
from hydro_runtime.protos import Tensor, TensorShape, types

_example = pathlib.Path(__file__).parents[3] / "examples" / "tumour"
_requests = _example / "requests"


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_the_tumour_model_answers_like_its_pipeline(start, tmp_path, version):
    sklearn = pytest.importorskip("sklearn")
    expected = json.loads((_requests / "expected.json").read_text())
    if sklearn.__version__.split(".")[:2] != expected["scikit-learn"].split(".")[:2]:
        pytest.skip(f'needs scikit-learn {expected["scikit-learn"]}')
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "model.joblib").write_bytes((_example / version / "model.joblib").read_bytes())
    process = start((_example / version / "func_main.py").read_text(), signature(
        [("features", "double", [30])], [("malignant", "int64", []), ("probability", "double", [])]), place="files")
    process.logged("serving")
    for number, row in enumerate(json.loads((_requests / "rows.json").read_text())):
        answer = process.predict(features=Tensor(dtype=types.DT_DOUBLE, tensor_shape=TensorShape(dims=[30]), double_val=row))
        assert answer["malignant"].int64_val[0] == expected[version]["malignant"][number]
        assert math.isclose(answer["probability"].double_val[0], expected[version]["probability"][number], rel_tol=1e-9)
