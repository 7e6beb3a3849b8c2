# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors
"""Requests, as fast as they are answered, by wrk (HTTP/1.1) and h2load (gRPC)."""
import json
import re
import struct
import subprocess

_LUA = """
wrk.method = "POST"
local file = io.open("BODY", "rb")
wrk.body = file:read("*a")
file:close()
HEADERS
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format('\\nRESULT {"requests": %d, "seconds": %f, "p50": %f, "p99": %f, "failed": %d}\\n', summary.requests,
    summary.duration / 1e6, latency:percentile(50) / 1e6, latency:percentile(99) / 1e6,
    e.connect + e.read + e.write + e.status + e.timeout))
end
"""


class Said:
    """What a slice of load found: requests answered, seconds it took, and latencies in seconds."""

    def __init__(self, requests, seconds, p50, p99):
        self.requests, self.seconds, self.p50, self.p99 = requests, seconds, p50, p99


class HTTPLoad:
    """One body, posted over HTTP/1.1 to a path."""

    def __init__(self, folder, name, path, body, headers=None):
        self.path, self.body, self._script = path, f"{folder}/{name}.body", f"{folder}/{name}.lua"
        self.headers = {"Content-Type": "application/json", **(headers or {})}
        with open(self.body, "wb") as file:
            file.write(body)
        lines = "\n".join(f'wrk.headers["{key}"] = "{value}"' for key, value in self.headers.items())
        with open(self._script, "w", encoding="utf-8") as file:
            file.write(_LUA.replace("BODY", self.body).replace("HEADERS", lines))

    def url(self, server):
        return server.http + self.path

    def check(self, server):
        """One request: what is answered must be an answer."""
        given = [word for key, value in self.headers.items() for word in ("-H", f"{key}: {value}")]
        said = _run(["curl", "-sS", "-w", "\n%{http_code}", *given, "--data-binary", f"@{self.body}", self.url(server)], 15)
        if not said.endswith("\n200"):
            raise SystemExit(f"wanted 200 from {self.url(server)}, found: {said[:500]}")

    def run(self, server, connections, seconds):
        said = _run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", self._script, self.url(server)], seconds + 30)
        found = json.loads(re.search(r"RESULT (.*)", said)[1])
        if found["failed"] or not found["requests"]:
            raise SystemExit(f"wanted answers from {self.url(server)}, found:\n{said}")
        return Said(found["requests"], found["seconds"], found["p50"], found["p99"])


class GRPCLoad:
    """One message, sent over HTTP/2 to a method; up to 16 connections, then several streams on each."""

    def __init__(self, folder, name, path, message):
        self.path, self._body, self._log = path, f"{folder}/{name}.frame", f"{folder}/{name}.log"
        with open(self._body, "wb") as file:
            file.write(b"\0" + struct.pack(">I", len(message)) + message)

    def url(self, server):
        return server.grpc + self.path

    def check(self, server):
        """One call: its trailers must say that it went well, which h2load does not look at."""
        said = _run(["curl", "-sS", "--http2-prior-knowledge", "-D", "-", "-o", "/dev/null", "-H", "content-type: application/grpc", "-H", "te: trailers",
                     "--data-binary", f"@{self._body}", self.url(server)], 15)
        if not re.search(r"^grpc-status: 0\s*$", said, re.MULTILINE | re.IGNORECASE):
            raise SystemExit(f"wanted grpc-status 0 from {self.url(server)}, found:\n{said}")

    def run(self, server, concurrency, seconds):
        clients = min(concurrency, 16)
        with open(self._log, "w", encoding="ascii"):
            pass
        said = _run(["h2load", "-t1", f"-c{clients}", f"-m{concurrency // clients}", "-D", f"{seconds}s", "--warm-up-time", "0s", "-d", self._body,
                     "-H", "content-type: application/grpc", "-H", "te: trailers", f"--log-file={self._log}", self.url(server)], seconds + 30)
        took = re.search(r"finished in ([\d.]+)(m?s)", said)
        with open(self._log, encoding="ascii") as file:
            rows = [line.split("\t") for line in file]
        times = sorted(int(row[2]) for row in rows if row[1] == "200")
        # What was under way when the time was over counts as cut, not as failed.
        if not times or not took or sum(row[1] != "200" for row in rows) > concurrency:
            raise SystemExit(f"wanted answers from {self.url(server)}, found:\n{said}")
        return Said(len(times), float(took[1]) / (1000 if took[2] == "ms" else 1), times[len(times) // 2] / 1e6, times[len(times) * 99 // 100] / 1e6)


def _run(command, seconds):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=seconds, check=True).stdout
