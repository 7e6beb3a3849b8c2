# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors

"""An open loop of predictions over HTTP and gRPC together, which notes every one that failed.

    python3 load.py --http HOST:PORT --grpc HOST:PORT --namespace NS --application NAME --rate 200

Asks until SIGINT, whether or not earlier requests have ended; then prints one line of JSON.
Half of the requests go over HTTP and half over gRPC; most on connections that are kept, one
in twenty on a new one. Nothing is asked twice: a request that fails has failed.
"""

import argparse
import asyncio
import collections
import contextlib
import json
import pathlib
import signal
import subprocess
import sys
import time

_patience = 10  # seconds for an answer, which the gateway is told
_fresh_every = 20


class Tally:
    """What has come back so far."""

    def __init__(self):
        self.began = time.monotonic()
        self.asked = collections.Counter()
        self.seconds = collections.defaultdict(list)
        self.versions = collections.Counter()
        self.failures = []

    def answer(self, kind, took, version):
        """A right answer, after so many seconds."""
        self.seconds[kind].append(took)
        self.versions[version] += 1

    def fail(self, kind, began, reason):
        """No answer, or a wrong one."""
        now = time.monotonic()
        self.failures.append({"kind": kind, "at": round(began - self.began, 3), "after": round(now - began, 3), "reason": str(reason)[:300]})

    def report(self):
        """Everything as one JSON value; latencies in milliseconds."""
        return {
            "seconds": round(time.monotonic() - self.began, 1), "asked": dict(self.asked), "failures": self.failures,
            "versions": self.versions,
            "ms": {kind: {"p50": _quantile(took, 0.5), "p99": _quantile(took, 0.99), "max": _quantile(took, 1)}
                   for kind, took in self.seconds.items()},
        }


class HTTPCaller:
    """HTTP/1.1 on a pool of connections."""

    def __init__(self, options):
        self._host, _, self._port = options.http.rpartition(":")
        self._path = f"/namespaces/{options.namespace}/gateway/application/{options.application}"
        self._idle = collections.deque()

    async def ask(self, x, fresh):
        """The version that answered."""
        reader, writer = await self._connection(fresh)
        try:
            body = json.dumps({"x": x}).encode()
            head = (f"POST {self._path} HTTP/1.1\r\nHost: {self._host}\r\nContent-Type: application/json\r\n"
                    f"Content-Length: {len(body)}\r\nX-Request-Timeout: {_patience}s\r\n{'Connection: close' if fresh else 'Accept: */*'}\r\n\r\n")
            writer.write(head.encode() + body)
            status, headers, text = await _answer(reader)
        except BaseException:
            writer.close()
            raise
        if fresh or headers.get("connection") == "close":
            writer.close()
        else:
            self._idle.append((reader, writer))
        if status != 200:
            raise RuntimeError(f"{status}: {text.decode(errors='replace')}")
        answer = json.loads(text)
        if answer["x"] != x:
            raise RuntimeError(f"wanted {x}, got {answer}")
        return answer["version"]

    async def _connection(self, fresh):
        while self._idle and not fresh:
            # The one that has rested longest, so that none is ever cold; one that the gateway has closed is left.
            reader, writer = self._idle.popleft()
            if not reader.at_eof() and not writer.is_closing():
                return reader, writer
            writer.close()
        return await asyncio.open_connection(self._host, int(self._port))


async def _answer(reader):
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:] if line)}
    return int(lines[0].split()[1]), headers, await reader.readexactly(int(headers["content-length"]))


class GRPCCaller:
    """Hydrosphere's gRPC on a few channels."""

    def __init__(self, options):
        sys.path.append(str(pathlib.Path(__file__).parents[3] / "runtimes/python/hydro_runtime/generated"))
        import grpc
        from hydro_serving_grpc.serving.contract.tensor_pb2 import Tensor, TensorShape
        from hydro_serving_grpc.serving.contract.types_pb2 import DT_DOUBLE
        from hydro_serving_grpc.serving.gateway.api_pb2 import GatewayPredictRequest
        from hydro_serving_grpc.serving.runtime.api_pb2 import PredictResponse

        def channel():
            # A pool of its own, or channels to one address would share a connection.
            return grpc.aio.insecure_channel(options.grpc, options=[("grpc.enable_http_proxy", 0), ("grpc.use_local_subchannel_pool", 1)])

        def call(channel):
            return channel.unary_unary("/hydrosphere.serving.gateway.GatewayService/PredictApplication",
                                       GatewayPredictRequest.SerializeToString, PredictResponse.FromString)

        def request(x):
            tensor = Tensor(dtype=DT_DOUBLE, tensor_shape=TensorShape(), double_val=[x])
            return GatewayPredictRequest(name=options.application, data={"x": tensor})

        self._channel, self._call, self._request = channel, call, request
        self._kept = [call(channel()) for _ in range(4)]
        self._metadata = [("hydro-namespace", options.namespace)]

    async def ask(self, x, fresh):
        """The version that answered."""
        if fresh:
            async with self._channel() as channel:
                return await self._send(self._call(channel), x)
        self._kept.append(self._kept.pop(0))
        return await self._send(self._kept[0], x)

    async def _send(self, call, x):
        outputs = (await call(self._request(x), metadata=self._metadata, timeout=_patience)).outputs
        if list(outputs["x"].double_val) != [x]:
            raise RuntimeError(f"wanted {x}, got {outputs}")
        return outputs["version"].int64_val[0]


async def run(options):
    """Asks until told to stop, then waits for what is under way."""
    over = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, over.set)
    callers = [("http", HTTPCaller(options)), ("grpc", GRPCCaller(options))]
    tally, under_way, number = Tally(), set(), 0
    while not over.is_set():
        kind, caller = callers[number % 2]
        task = asyncio.create_task(_one(tally, kind, caller, number))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
        number += 1
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(over.wait(), max(0, tally.began + number / options.rate - time.monotonic()))
    if under_way:
        await asyncio.wait(under_way, timeout=_patience + 5)
    print(json.dumps(tally.report()), flush=True)


async def _one(tally, kind, caller, number):
    tally.asked[kind] += 1
    began = time.monotonic()
    try:
        version = await asyncio.wait_for(caller.ask(float(number), number // 2 % _fresh_every == 0), _patience + 5)
        tally.answer(kind, time.monotonic() - began, version)
    except Exception as error:
        tally.fail(kind, began, f"{type(error).__name__}: {getattr(error, 'details', lambda: None)() or error}")


def _quantile(values, share):
    ordered = sorted(values)
    return round(1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1) if ordered else None


class Load:
    """The same in a process of its own, while a `with` block runs; then `report` says how it went."""

    def __init__(self, addresses, namespace, application, rate=200):
        self._command = [sys.executable, __file__, "--http", addresses["http"], "--grpc", addresses["grpc"],
                         "--namespace", namespace, "--application", application, "--rate", str(rate)]
        self.report = None

    def __enter__(self):
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(self, *failure):
        self._process.send_signal(signal.SIGINT)
        try:
            printed, _ = self._process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise
        self.report = json.loads(printed)


def main():
    """The command line."""
    arguments = argparse.ArgumentParser(description="ask for predictions until interrupted")
    for name in ("--http", "--grpc", "--namespace", "--application"):
        arguments.add_argument(name, required=True)
    arguments.add_argument("--rate", type=float, default=200, help="requests per second, over both protocols together")
    asyncio.run(run(arguments.parse_args()))


if __name__ == "__main__":
    main()
