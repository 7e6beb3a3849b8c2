# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors
"""Slices of load in turn, and tables of what they found."""
import os
import statistics

import processes

OURS, DIRECT = "hydro-gateway", "direct"


class Cell:
    """What one server did with one kind of request at one concurrency, over all rounds."""

    def __init__(self):
        self.requests, self.cpu, self.seconds, self.p50, self.p99 = 0, 0.0, 0.0, [], []

    def add(self, said, cpu):
        self.requests += said.requests
        self.seconds += said.seconds
        self.cpu += cpu
        self.p50.append(said.p50)
        self.p99.append(said.p99)

    @property
    def each(self):
        """Microseconds of processor time for each request."""
        return self.cpu / self.requests * 1e6

    @property
    def rate(self):
        return self.requests / self.seconds

    def latency(self):
        """(p50, p99) in milliseconds: the median of the rounds'."""
        return statistics.median(self.p50) * 1e3, statistics.median(self.p99) * 1e3


class Table:
    """All figures of a run."""

    def __init__(self):
        self.cells = {}

    def measure(self, letter, title, servers, load, wanted, is_aside=False):
        """Prints a table of servers in turn; the last is the upstream itself. What stands aside is not for the conclusions."""
        print(f"\n### ({letter}) {title}\n", flush=True)
        for server in servers:
            try:
                load.check(server)
            except SystemExit as error:
                return print(f"not measured: {error}", flush=True)
        print("| | c | requests/s | CPU, µs | p50, ms | p99, ms | added p50 | added p99 | RSS, MB |\n|---|---|---|---|---|---|---|---|---|")
        for concurrency in wanted.concurrencies:
            found = {server.name: Cell() for server in servers}
            try:
                for server in servers if not wanted.quick else ():
                    load.run(server, concurrency, 1)     # connections, and what is made once
                for _ in range(wanted.rounds):
                    for server in servers:
                        slice_of(load, server, concurrency, wanted.seconds, found[server.name])
            except SystemExit as error:
                print(f"not measured at c={concurrency}: {error}", flush=True)
                continue
            for server in servers:
                if not is_aside:
                    self.cells[letter, concurrency, server.name] = found[server.name]
                self._print(server, concurrency, found[server.name], found[DIRECT].latency())

    def _print(self, server, concurrency, cell, direct):
        p50, p99 = cell.latency()
        added = ["", ""] if server.name == DIRECT else [f"{p50 - direct[0]:.3f}", f"{p99 - direct[1]:.3f}"]
        memory = "" if server.name == DIRECT else f"{processes.memory(server.pid, 'VmRSS') / 1e6:.0f}"
        print(f"| {server.name} | {concurrency} | {cell.rate:,.0f} | {cell.each:.1f} | {p50:.3f} | {p99:.3f} | {added[0]} | {added[1]} | {memory} |",
              flush=True)

    def conclude(self):
        """The aims, one line each, with what was found."""
        print("\n### Aims\n\n| | aim | found |\n|---|---|---|")
        for letter, peer, most in (("a", "nginx", 1.0), ("b", "nginx", 1.0), ("c", "nginx", 1.3), ("c", "HAProxy", 1.3)):
            self._ratio(f"({letter}) CPU beside {peer}", most, letter, OURS, letter, peer)
        self._ratio("(e) CPU beside (a)", 3.5, "e", OURS, "a", OURS)
        self._ratio("(f) CPU beside (a)", None, "f", OURS, "a", OURS)
        for letter in sorted({letter for letter, _, _ in self.cells}):
            self._added(letter)
        if ("d", 1, OURS) in self.cells:
            found = ", ".join(f"{1.048576 / cell.each * 1e3:.2f}" for cell in self._all("d", OURS))
            print(f"| (d) GB for each second of a core | ≥ 1 | {found} |")

    def _all(self, letter, name):
        return [cell for (of, _, by), cell in self.cells.items() if of == letter and by == name]

    def _ratio(self, what, most, letter, name, other, peer):
        pairs = list(zip(self._all(letter, name), self._all(other, peer)))
        if pairs:
            print(f"| {what} | {f'≤ {most}' if most else ''} | {', '.join(f'{one.each / two.each:.2f}' for one, two in pairs)} |")

    def _added(self, letter):
        ours, direct = self.cells[letter, 1, OURS].latency(), self.cells[letter, 1, DIRECT].latency()
        print(f"| ({letter}) added at c=1, ms | p50 ≤ 0.1, p99 ≤ 1 | {ours[0] - direct[0]:.3f}, {ours[1] - direct[1]:.3f} |")


def slice_of(load, server, concurrency, seconds, cell):
    before = server.cpu_seconds()
    said = load.run(server, concurrency, seconds)
    cell.add(said, server.cpu_seconds() - before)


def loops(start, load, wanted):
    """Throughput with one loop and with two."""
    print(f"\n### Loops: (b) at c=256, {os.cpu_count()} cores shared with load and upstream\n")
    print("| loops | requests/s | CPU, µs | requests for each second of a core | share of each loop |\n|---|---|---|---|---|")
    found = {1: Cell(), 2: Cell()}
    for _ in range(wanted.rounds):
        for count, cell in found.items():
            with start(count) as server:
                load.run(server, 256, 1)
                before = server.cpu_of_threads()
                slice_of(load, server, 256, wanted.seconds, cell)
                after = server.cpu_of_threads()
                used = sorted((after[thread] - before.get(thread, 0) for thread in after), reverse=True)[:count]
                cell.shares = [each / sum(used) for each in used]
    for count, cell in found.items():
        shares = ", ".join(f"{share:.0%}" for share in cell.shares)
        print(f"| {count} | {cell.rate:,.0f} | {cell.each:.1f} | {1e6 / cell.each:,.0f} | {shares} |")
    print(f"\nTwo loops answer {found[2].rate / found[1].rate:.2f} × as many; by processor time they could "
          f"{2 * found[1].each / found[2].each:.2f} ×.")
