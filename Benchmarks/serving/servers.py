# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors
"""The programs that are compared: each one process, on ports of this machine."""
import contextlib
import os
import resource
import signal
import socket
import subprocess
import time
import urllib.request

UPSTREAM = 18910        # the model; the stage before it is one above
GATEWAY_HTTP, GATEWAY_GRPC, GATEWAY_ADMIN = 18920, 18921, 18922
NGINX_HTTP, NGINX_GRPC = 18930, 18931
HAPROXY_HTTP, HAPROXY_GRPC = 18940, 18941
NGINX = """
daemon off; master_process off; pid FOLDER/nginx.pid; error_log FOLDER/nginx.log;
events { worker_connections 15000; }
http {
  access_log off; client_body_temp_path FOLDER/body; proxy_temp_path FOLDER/proxy;
  fastcgi_temp_path FOLDER/f; uwsgi_temp_path FOLDER/u; scgi_temp_path FOLDER/s;
  keepalive_requests 1000000000; keepalive_timeout 300s; client_max_body_size 64m; client_body_buffer_size 2m;
  http2_max_concurrent_streams 512;
  upstream model { server ADDRESS:UPSTREAM; keepalive 300; keepalive_requests 1000000000; }
  upstream streams { server ADDRESS:UPSTREAM; keepalive 300; keepalive_requests 1000000000; }
  server { listen 127.0.0.1:HTTP; location / { proxy_pass http://model; proxy_http_version 1.1; proxy_set_header Connection ""; } }
  server { listen 127.0.0.1:GRPC http2; location / { grpc_pass grpc://streams; } }
}
"""
HAPROXY = """
global
  nbthread 1
  maxconn MOST
  tune.h2.max-concurrent-streams 256
defaults
  mode http
  timeout connect 5s
  timeout client 300s
  timeout server 60s
  http-reuse always
frontend plain
  bind 127.0.0.1:HTTP
  default_backend plain
backend plain
  server model ADDRESS:UPSTREAM
frontend streams
  bind 127.0.0.1:GRPC proto h2
  default_backend streams
backend streams
  server model ADDRESS:UPSTREAM proto h2
"""


class Server:
    """A running program: where it is asked, and what it uses."""

    def __init__(self, name, process, http, grpc):
        self.name, self.pid, self.http, self.grpc = name, process.pid, http, grpc

    def cpu_seconds(self):
        """Time on a processor, of all threads, in user mode and in the kernel: finer than the ticks of /proc/PID/stat."""
        return sum(self.cpu_of_threads().values())

    def cpu_of_threads(self):
        """{thread id: seconds on a processor}"""
        used = {}
        for thread in os.listdir(f"/proc/{self.pid}/task"):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):     # it has ended meanwhile
                with open(f"/proc/{self.pid}/task/{thread}/schedstat", encoding="ascii") as file:
                    used[thread] = int(file.read().split()[0]) / 1e9
        return used


def own_address():
    """An address of this machine other than loopback, which EndpointSlices may not name."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))     # nothing is sent
        return probe.getsockname()[0]


@contextlib.contextmanager
def upstream(program, address, folder):
    with _run([program, address, str(UPSTREAM), f"{folder}/tap"]) as process:
        _wait_for(address, UPSTREAM)
        yield Server("direct", process, f"http://{address}:{UPSTREAM}", f"http://{address}:{UPSTREAM}")


@contextlib.contextmanager
def gateway(program, kubeconfig, folder, loops, *more):
    command = [program, "--address", "127.0.0.1", "--http-port", str(GATEWAY_HTTP), "--grpc-port", str(GATEWAY_GRPC), "--admin-port",
               str(GATEWAY_ADMIN), "--loops", str(loops), "--drain-delay", "0s", "--drain-timeout", "2s", *more]
    with open(f"{folder}/gateway.log", "a", encoding="utf-8") as log, \
            _run(command, env={**os.environ, "KUBECONFIG": kubeconfig}, stderr=log) as process:
        _wait_until_ready(f"http://127.0.0.1:{GATEWAY_ADMIN}/readyz", process)
        yield Server("hydro-gateway", process, f"http://127.0.0.1:{GATEWAY_HTTP}", f"http://127.0.0.1:{GATEWAY_GRPC}")


def tap_flags(folder):
    """Has the gateway tell of every call at the upstream's socket."""
    return ["--tap-socket", f"{folder}/tap"]


@contextlib.contextmanager
def nginx(address, folder):
    file = _configuration(NGINX, f"{folder}/nginx.conf", address, NGINX_HTTP, NGINX_GRPC, folder)
    with _run(["nginx", "-e", "stderr", "-c", file]) as process:
        _wait_for("127.0.0.1", NGINX_HTTP)
        yield Server("nginx", process, f"http://127.0.0.1:{NGINX_HTTP}", f"http://127.0.0.1:{NGINX_GRPC}")


@contextlib.contextmanager
def haproxy(address, folder):
    file = _configuration(HAPROXY, f"{folder}/haproxy.cfg", address, HAPROXY_HTTP, HAPROXY_GRPC, folder)
    with _run(["haproxy", "-q", "-db", "-f", file]) as process:
        _wait_for("127.0.0.1", HAPROXY_HTTP)
        yield Server("HAProxy", process, f"http://127.0.0.1:{HAPROXY_HTTP}", f"http://127.0.0.1:{HAPROXY_GRPC}")


def most_of_haproxy():
    """The connections that HAProxy may have: it wants two descriptors for each, and some, at most 10,000 here."""
    return min(10_000, resource.getrlimit(resource.RLIMIT_NOFILE)[1] // 2 - 100)


def _configuration(text, path, address, http, grpc, folder):
    for word, value in {"FOLDER": folder, "UPSTREAM": UPSTREAM, "ADDRESS": address, "MOST": most_of_haproxy(), "HTTP": http, "GRPC": grpc}.items():
        text = text.replace(f":{word}", f":{value}") if word in ("HTTP", "GRPC", "UPSTREAM") else text.replace(word, str(value))
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


@contextlib.contextmanager
def _run(command, **more):
    """A process of its own while the block runs; ended by its id, by force if it does not go."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, **more)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def _wait_for(address, port):
    end = time.monotonic() + 10
    while time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection((address, port), 1):
            return
        time.sleep(0.05)
    raise SystemExit(f"wanted a server on {address}:{port}, found none")


def _wait_until_ready(url, process):
    end = time.monotonic() + 30
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=1):
            return
        time.sleep(0.05)
    raise SystemExit(f"wanted the gateway to be ready, found that {url} does not say so")
