# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors

"""A model's pod that adds one: a gRPC server in a process of its own, without a protobuf compiler."""

import multiprocessing
import os
import signal
import time
from concurrent import futures

import grpc


def varint(data, at):
    """A number of the wire format, and where the next begins."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def wire(number):
    """A number in the wire format."""
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes(out + bytes([number]))


def chunk(field, content):
    """A field of bytes."""
    return wire(field << 3 | 2) + wire(len(content)) + content


def fields(data):
    """The fields of a message: number and content."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        if key & 7 == 2:
            size, at = varint(data, at)
            yield key >> 3, data[at:at + size]
            at += size
        else:
            value, at = varint(data, at)
            yield key >> 3, value


def message(name, number):
    """A PredictRequest or PredictResponse of one int64."""
    # Tensor: dtype 1 = DT_INT64 (9), shape 2 (empty: a scalar), int64_val 10.
    tensor = wire(1 << 3) + wire(9) + chunk(2, b"") + chunk(10, wire(number))
    return chunk(1, chunk(1, name.encode()) + chunk(2, tensor))


def number(data):
    """The int64 of such a message."""
    for field, entry in fields(data):
        if field != 1:
            continue
        tensor = dict(fields(entry))[2]
        for field, value in fields(tensor):
            if field == 10:
                return varint(value, 0)[0] if isinstance(value, bytes) else value
    return 0


def _serve(port, delay):
    def predict(request, _):
        if delay:
            time.sleep(delay)
        return message("y", number(request) + 1)

    method = grpc.unary_unary_rpc_method_handler(predict)
    server = grpc.server(futures.ThreadPoolExecutor(4), options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(
        "hydrosphere.serving.runtime.PredictionService", {"Predict": method})])
    port.value = server.add_insecure_port(f"127.0.0.1:{port.value}")
    server.start()
    signal.sigwait([signal.SIGTERM])
    os._exit(0)


class Model:
    """The process."""

    def __init__(self, delay=0):
        self._delay = delay
        self._port = multiprocessing.get_context("spawn").Value("i", 0)

    def __enter__(self):
        self.start()
        return self

    def start(self):
        """On the port that it had, if it had one."""
        before, self._ready = self._port.value, False
        context = multiprocessing.get_context("spawn")
        self._process = context.Process(target=_serve, args=(self._port, self._delay), daemon=True)
        self._process.start()
        deadline = time.monotonic() + 20
        while not self._port.value or (before and not self._answers()):
            assert time.monotonic() < deadline, "wants a model that listens, found none"
            time.sleep(0.05)

    def _answers(self):
        try:
            with grpc.insecure_channel(f"127.0.0.1:{self.port}") as channel:
                grpc.channel_ready_future(channel).result(1)
            return True
        except grpc.FutureTimeoutError:
            return False

    @property
    def port(self):
        """Where it listens."""
        return self._port.value

    def stop(self):
        """Ends it."""
        self._process.terminate()
        self._process.join(10)

    def __exit__(self, *failure):
        self.stop()
