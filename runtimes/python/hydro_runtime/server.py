# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors

"""The process's life: listen, load, serve, drain."""

import logging
import os
import signal
import threading
import traceback
from concurrent import futures

import grpc

from .health import Health, HealthServer, HealthService
from .model import Model
from .service import PredictionService

_log = logging.getLogger("hydro.runtime")
_longest_message = 256 * 1024 * 1024
# Kubernetes keeps so much of a termination message.
_longest_termination = 4096


class Stopped(BaseException):
    """SIGTERM came while the model was loading."""


class Runtime:
    """One model behind one gRPC port and one HTTP port."""

    def __init__(self, settings):
        self._settings = settings
        self._health = Health()
        self._predictions = PredictionService()
        self._loading = False
        self._stop = threading.Event()
        self._http = HealthServer(settings.health_port, self._health)
        self._grpc = grpc.server(
            futures.ThreadPoolExecutor(settings.workers, "worker"),
            handlers=[self._predictions.handlers, HealthService(self._health).handlers],
            maximum_concurrent_rpcs=settings.workers + settings.queue,
            options=[
                ("grpc.max_receive_message_length", _longest_message),
                ("grpc.max_send_message_length", _longest_message),
                # Two processes on one port would share its connections by surprise.
                ("grpc.so_reuseport", 0),
                # Idle connections of the gateway may ask whether we are still here.
                ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
                ("grpc.keepalive_permit_without_calls", 1),
            ],
        )
        self.port = self._grpc.add_insecure_port(f"[::]:{settings.port}")
        if self.port == 0:
            raise OSError(f"APP_PORT wants a free port, {settings.port} is taken")
        self.health_port = self._http.server_address[1]

    def run(self):
        """Serves until SIGTERM or SIGINT; the process's exit status."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._signalled)
        self._http.start()
        self._grpc.start()
        _log.info("listening", extra={"port": self.port, "health_port": self.health_port})
        try:
            model = self._load()
        except Stopped:
            _log.info("stopped while loading")
            self._grpc.stop(0).wait(1)
            return 0
        except BaseException as error:  # an import can raise anything, SystemExit too
            return self._fail(error)
        self._predictions.serve(model)
        self._health.serving()
        _log.info("serving", extra={"signature": model.contract.name, "workers": self._settings.workers})
        self._stop.wait()
        self._drain()
        return 0

    def _load(self):
        self._loading = True
        try:
            if self._stop.is_set():
                raise Stopped
            return Model.load(self._settings.model_dir)
        finally:
            self._loading = False

    def _fail(self, error):
        """Says why, to everyone who may ask; then lets Kubernetes start over."""
        reason = f"the model did not load: {type(error).__name__}: {error}"
        self._health.not_serving(reason)
        _log.error("the model did not load", exc_info=error)
        self._leave_message(reason, "".join(traceback.format_exception(error)))
        self._stop.wait(self._settings.failed_seconds)
        self._grpc.stop(0).wait(1)
        return 1

    def _leave_message(self, reason, trace):
        """The reason and the end of the traceback, where the kubelet looks for them."""
        head = reason.encode()[:1024] + b"\n"
        message = head + trace.encode()[-(_longest_termination - len(head)):]
        try:
            # Only into a file that is there: the kubelet makes it, nobody else wants it.
            with open(os.open(self._settings.termination_log, os.O_WRONLY | os.O_TRUNC), "wb") as file:
                file.write(message)
        except OSError as error:
            _log.debug("no termination message", extra={"path": self._settings.termination_log, "reason": error})

    def _drain(self):
        """Stays for those who have not heard yet, then finishes what has begun."""
        self._health.not_serving("stopping")
        _log.info("draining", extra={"seconds": self._settings.drain_seconds + self._settings.grace_seconds})
        threading.Event().wait(self._settings.drain_seconds)
        self._grpc.stop(self._settings.grace_seconds).wait(self._settings.grace_seconds + 1)
        _log.info("stopped")

    def _signalled(self, number, frame):
        self._stop.set()
        if self._loading:
            raise Stopped
