# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors

"""The wire's messages.

The generated code lies on `sys.path` under its original package name, so that
a model written for Hydrosphere may `import hydro_serving_grpc` and meet the
same classes.
"""

import pathlib
import sys

_generated = str(pathlib.Path(__file__).with_name("generated"))
if _generated not in sys.path:
    sys.path.insert(1, _generated)

from hydro_serving_grpc.serving.contract import types_pb2 as types  # noqa: E402
from hydro_serving_grpc.serving.contract.field_pb2 import ModelField  # noqa: E402
from hydro_serving_grpc.serving.contract.signature_pb2 import ModelSignature  # noqa: E402
from hydro_serving_grpc.serving.contract.tensor_pb2 import MapTensorData, Tensor, TensorShape  # noqa: E402
from hydro_serving_grpc.serving.runtime.api_pb2 import PredictRequest, PredictResponse  # noqa: E402

__all__ = [
    "MapTensorData", "ModelField", "ModelSignature", "PredictRequest", "PredictResponse",
    "Tensor", "TensorShape", "types",
]
