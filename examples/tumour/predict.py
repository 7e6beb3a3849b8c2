# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors

"""Asks the gateway over gRPC, as a client of Hydrosphere does.

    python3 examples/tumour/predict.py --address 127.0.0.1:9091 --application tumour --rows 3

The messages are those of PyPI's hydro-serving-grpc where it is installed,
else the same from this repository; grpcio is needed.
"""

import argparse
import json
import pathlib
import sys

import grpc

_folder = pathlib.Path(__file__).parent
sys.path.append(str(_folder.parents[1] / "runtimes/python/hydro_runtime/generated"))

from hydro_serving_grpc.serving.contract.tensor_pb2 import Tensor, TensorShape  # noqa: E402
from hydro_serving_grpc.serving.contract.types_pb2 import DT_DOUBLE  # noqa: E402
from hydro_serving_grpc.serving.gateway.api_pb2 import GatewayPredictRequest  # noqa: E402
from hydro_serving_grpc.serving.runtime.api_pb2 import PredictResponse  # noqa: E402


class Predictor:
    """One application, over gRPC."""

    def __init__(self, address, application, namespace=None, timeout=10):
        self._application = application
        self._metadata = [("hydro-namespace", namespace)] if namespace else []
        self._timeout = timeout
        # A gateway is near; a proxy for the wide world would only be in the way.
        self._channel = grpc.insecure_channel(address, options=[("grpc.enable_http_proxy", 0)])
        self._call = self._channel.unary_unary(
            "/hydrosphere.serving.gateway.GatewayService/PredictApplication",
            GatewayPredictRequest.SerializeToString, PredictResponse.FromString)

    def predict(self, row):
        """The answer to one row, as Python values."""
        features = Tensor(dtype=DT_DOUBLE, tensor_shape=TensorShape(dims=[len(row)]), double_val=row)
        request = GatewayPredictRequest(name=self._application, data={"features": features})
        outputs = self._call(request, metadata=self._metadata, timeout=self._timeout).outputs
        return {"malignant": outputs["malignant"].int64_val[0], "probability": outputs["probability"].double_val[0]}


def main():
    """Prints one line a row."""
    arguments = argparse.ArgumentParser(description="ask the tumour application over gRPC")
    arguments.add_argument("--address", default="127.0.0.1:9091", help="host:port of the gateway's gRPC")
    arguments.add_argument("--application", default="tumour")
    arguments.add_argument("--namespace", help="where the application is, if not in the default namespace")
    arguments.add_argument("--rows", type=int, default=1, help="how many of the 50 rows")
    options = arguments.parse_args()
    predictor = Predictor(options.address, options.application, options.namespace)
    for row in json.loads((_folder / "requests/rows.json").read_text())[:options.rows]:
        print(json.dumps(predictor.predict(row)))


if __name__ == "__main__":
    main()
