# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors
"""What connections cost that ask for nothing."""
import contextlib
import socket
import time
import urllib.parse

import processes


def connections(server, count):
    """Prints resident memory before, and with so many connections that have asked once and are kept."""
    before = processes.memory(server.pid, "VmRSS")
    host = urllib.parse.urlsplit(server.http)
    with contextlib.ExitStack() as stack:
        for place in range(count):
            # One source address has some 28,000 ports; that is enough.
            each = stack.enter_context(socket.create_connection((host.hostname, host.port), 10))
            each.sendall(b"GET /nothing HTTP/1.1\r\nhost: bench\r\n\r\n")
            if place % 100 == 99:
                each.recv(65536)
        time.sleep(1)
        during = processes.memory(server.pid, "VmRSS")
    time.sleep(1)
    print(f"{server.name}: {before / 1e6:.1f} MB, with {count:,} idle connections {during / 1e6:.1f} MB", flush=True)
