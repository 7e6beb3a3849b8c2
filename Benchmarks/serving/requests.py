# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors
"""What is asked: the same twenty numbers in every protocol, and a tensor of one megabyte."""
import json
import struct

from serving import load

NUMBERS = [round(0.37 * place - 3.1, 2) + 0.125 for place in range(20)]
PIXELS = 262_144        # float32: 1 MiB


def open_inference_json(folder, application="one"):
    body = {"inputs": [{"name": "x", "datatype": "FP64", "shape": [20], "data": NUMBERS}]}
    return load.HTTPLoad(folder, f"open-inference-{application}", f"/v2/models/{application}/infer", json.dumps(body).encode())


def hydrosphere_json(folder, application="one"):
    return load.HTTPLoad(
        folder, f"hydrosphere-{application}", f"/gateway/application/{application}", json.dumps({"x": NUMBERS}).encode())


def hydrosphere_grpc(folder, application="one"):
    # Tensor: dtype (1) DT_DOUBLE, shape (2), double_val (6); GatewayPredictRequest: name (1), data (2), a map.
    tensor = b"\x08\x02" + _chunk(2, _chunk(1, b"\x14")) + _chunk(6, struct.pack("<20d", *NUMBERS))
    message = _chunk(1, application.encode()) + _chunk(2, _chunk(1, b"x") + _chunk(2, tensor))
    return load.GRPCLoad(
        folder, f"hydrosphere-{application}", "/hydrosphere.serving.gateway.GatewayService/PredictApplication", message)


def open_inference_binary(folder, application="bulk"):
    size = 4 * PIXELS
    head = json.dumps({"inputs": [
        {"name": "pixels", "datatype": "FP32", "shape": [PIXELS], "parameters": {"binary_data_size": size}}]}).encode()
    pixels = struct.pack("<f", 0.5) * PIXELS
    return load.HTTPLoad(
        folder, f"binary-{application}", f"/v2/models/{application}/infer", head + pixels,
        {"Content-Type": "application/octet-stream", "Inference-Header-Content-Length": str(len(head))})


def _chunk(field, content):
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _varint(number):
    return bytes([number]) if number < 128 else bytes([number & 127 | 128]) + _varint(number >> 7)
