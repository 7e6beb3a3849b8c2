# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors

"""Whether this process serves, told over gRPC and over plain HTTP.

HTTP is for the kubelet's probes: they need no client in the image. The gRPC
messages are small enough to be read and written here, which leaves their
names free for a model that brings `grpc_health` along.
"""

import http.server
import socket
import threading
from concurrent import futures

import grpc

_SERVING, _NOT_SERVING, _SERVICE_UNKNOWN = 1, 2, 3
_services = ("", "hydrosphere.serving.runtime.PredictionService")


class Health:
    """One answer for all who ask, and a call for those who watch."""

    def __init__(self):
        self._lock = threading.Lock()
        self._reason = "loading"
        self._watchers = set()

    @property
    def reason(self):
        """Why it does not serve; none when it does."""
        with self._lock:
            return self._reason

    def serving(self):
        """The model is ready."""
        self._become(None)

    def not_serving(self, reason):
        """The model is not ready, or no longer."""
        self._become(reason)

    def watch(self, watcher):
        """Calls `watcher(status)` now and at every change."""
        with self._lock:
            self._watchers.add(watcher)
            watcher(self._status())

    def forget(self, watcher):
        """Ends what `watch` began."""
        with self._lock:
            self._watchers.discard(watcher)

    def _become(self, reason):
        with self._lock:
            before = self._status()
            self._reason = reason
            if self._status() != before:
                for watcher in self._watchers:
                    watcher(self._status())

    def _status(self):
        return _SERVING if self._reason is None else _NOT_SERVING


class HealthService:
    """`grpc.health.v1.Health`, on threads of its own, so that it answers while all workers are busy."""

    _most_watchers = 100

    def __init__(self, health):
        self._health = health
        self._room = threading.BoundedSemaphore(self._most_watchers)

        def check(request, context):
            return self._check(request, context)

        def watch(request, context, send):
            self._watch(request, context, send)

        # How grpcio's own health service keeps off the pool of the workers.
        check.experimental_thread_pool = watch.experimental_thread_pool = futures.ThreadPoolExecutor(2, "health")
        watch.experimental_non_blocking = True
        self.handlers = grpc.method_handlers_generic_handler("grpc.health.v1.Health", {
            "Check": grpc.unary_unary_rpc_method_handler(check, _service_name, _response),
            "Watch": grpc.unary_stream_rpc_method_handler(watch, _service_name, _response),
        })

    def _check(self, service, context):
        if service not in _services:
            context.abort(grpc.StatusCode.NOT_FOUND, f'unknown service "{service}"')
        return _NOT_SERVING if self._health.reason is not None else _SERVING

    def _watch(self, service, context, send):
        if service not in _services:
            send(_SERVICE_UNKNOWN)
            return
        if not self._room.acquire(blocking=False):
            context.set_code(grpc.StatusCode.RESOURCE_EXHAUSTED)
            context.set_details(f"wants at most {self._most_watchers} watchers")
            send(None)
            return

        def leave():
            self._health.forget(send)
            self._room.release()

        if context.add_callback(leave):
            self._health.watch(send)
        else:
            self._room.release()


class HealthServer(http.server.ThreadingHTTPServer):
    """`GET /healthz`: 200, or 503 with the reason."""

    daemon_threads = True
    address_family = socket.AF_INET6 if socket.has_dualstack_ipv6() else socket.AF_INET

    def __init__(self, port, health):
        self.health = health
        super().__init__(("", port), _HealthRequest)
        self._thread = threading.Thread(target=self.serve_forever, name="healthz", daemon=True)

    def server_bind(self):
        if self.address_family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()

    def start(self):
        """Answers on a thread of its own until the process ends."""
        self._thread.start()


class _HealthRequest(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 5

    def do_GET(self):
        if self.path.partition("?")[0] != "/healthz":
            return self._answer(404, "not found")
        reason = self.server.health.reason
        return self._answer(200, "ok") if reason is None else self._answer(503, reason)

    do_HEAD = do_GET

    def _answer(self, status, text):
        body = f"{text}\n".encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format, *arguments):
        """Probes are not worth a line each."""


def _service_name(message):
    """The one field of HealthCheckRequest."""
    if not message:
        return ""
    if message[0] != 0x0A or len(message) < 2 or message[1] != len(message) - 2:
        raise ValueError("wants a HealthCheckRequest")
    return message[2:].decode()


def _response(status):
    """HealthCheckResponse with its one field."""
    return bytes((0x08, status))
