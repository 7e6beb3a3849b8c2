# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors

"""Requests: one, many at once, or a steady stream that notes every failure."""

import collections
import http.client
import json
import threading
import time


class Gateway:
    """The gateway's HTTP, for the applications of one namespace."""

    def __init__(self, host, port, namespace):
        self._address = (host, port)
        self._prefix = f"/namespaces/{namespace}/gateway/application"
        self._local = threading.local()

    def ask(self, application, body, **headers):
        """Status and answer; `body` is JSON's value, or bytes to send as they are. In headers' names `_` stands for `-`."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = http.client.HTTPConnection(*self._address, timeout=15)
        try:
            connection.request("POST", f"{self._prefix}/{application}", content, {
                "Content-Type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}})
            response = connection.getresponse()
            text = response.read()
        except Exception:
            self.close()
            raise
        return response.status, json.loads(text)

    def close(self):
        """Ends this thread's connection."""
        connection = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
            self._local.connection = None

    def version(self, application):
        """Which version answers now; none when nobody does."""
        try:
            status, answer = self.ask(application, {"x": 1.0})
        except (OSError, http.client.HTTPException):
            return None
        return answer["version"] if status == 200 else None

    def tally(self, application, count, threads=8):
        """How many of `count` requests each version answered; every request must succeed."""
        def work(share, own):
            for _ in range(share):
                try:
                    status, answer = self.ask(application, {"x": 1.0})
                except Exception as error:
                    status, answer = "no answer", repr(error)
                own[answer["version"] if status == 200 else f"{status}: {answer}"] += 1
            self.close()

        shares = [count // threads + (number < count % threads) for number in range(threads)]
        tallies = [collections.Counter() for _ in shares]
        workers = [threading.Thread(target=work, args=each) for each in zip(shares, tallies)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        counted = sum(tallies, collections.Counter())
        failures = {answer: times for answer, times in counted.items() if not isinstance(answer, int)}
        assert not failures, f"wants {count} answers, got {failures}"
        return counted


class Stream:
    """A steady stream of requests while a `with` block runs.

    Requests start on time whether or not the earlier ones have ended, as far as `lanes` go.
    """

    def __init__(self, gateway, application, rate=50, lanes=10):
        self._gateway, self._application = gateway, application
        self._period, self._lanes = lanes / rate, lanes
        self._over = threading.Event()
        self._lock = threading.Lock()
        self.failures = []
        self.versions = collections.Counter()

    def __enter__(self):
        begin = time.monotonic()
        self._threads = [threading.Thread(target=self._lane, args=(begin + lane * self._period / self._lanes,))
                         for lane in range(self._lanes)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *failure):
        self._over.set()
        for thread in self._threads:
            thread.join(30)

    def _lane(self, turn):
        while not self._over.wait(max(0, turn - time.monotonic())):
            turn += self._period
            begun = time.monotonic()
            try:
                status, answer = self._gateway.ask(self._application, {"x": 1.0})
            except Exception as error:
                status, answer = "no answer", repr(error)
            with self._lock:
                if status == 200:
                    self.versions[answer["version"]] += 1
                else:
                    self.failures.append((f"after {time.monotonic() - begun:.2f} s", status, answer))
        self._gateway.close()

    def check(self, least):
        """Every request was answered, and there were at least so many."""
        assert not self.failures, f"wants every request answered, {len(self.failures)} were not: {self.failures[:5]}"
        total = sum(self.versions.values())
        assert total >= least, f"wants at least {least} requests, got {total}"
