// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import CoreMetrics
import Telemetry
import Testing

struct MetricsRegistryTests {
    @Test func `each kind of metric is shown as Prometheus reads it`() {
        var settings = MetricsRegistry.Settings()
        settings.bounds = [0.1, 1]
        settings.help = ["hits": "a \\ line\nmore"]
        let registry = MetricsRegistry(settings)
        let hits = Counter(label: "hits", dimensions: [("b", "x\"\\\n"), ("a", "1")], factory: registry)
        hits.increment(by: 2)
        Counter(label: "hits", dimensions: [("a", "1"), ("b", "x\"\\\n")], factory: registry).increment()
        FloatingPointCounter(label: "seconds", factory: registry).increment(by: 0.5)
        let meter = Meter(label: "queue-depth", factory: registry)
        meter.set(3)
        meter.decrement(by: 1)
        let timer = Timer(label: "wait_seconds", factory: registry)
        timer.recordNanoseconds(50_000_000)
        timer.recordNanoseconds(100_000_000)
        timer.recordNanoseconds(2_000_000_000)
        Recorder(label: "last", dimensions: [], aggregate: false, factory: registry).record(7)
        #expect(
            registry.exposition() == #"""
                # HELP hits a \\ line\nmore
                # TYPE hits counter
                hits{a="1",b="x\"\\\n"} 3
                # TYPE last gauge
                last 7
                # TYPE queue_depth gauge
                queue_depth 2
                # TYPE seconds counter
                seconds 0.5
                # TYPE wait_seconds histogram
                wait_seconds_bucket{le="0.1"} 2
                wait_seconds_bucket{le="1"} 2
                wait_seconds_bucket{le="+Inf"} 3
                wait_seconds_sum 2.15
                wait_seconds_count 3

                """#)
    }

    @Test func `a name has bounded series, and what is dropped is counted by name`() {
        var settings = MetricsRegistry.Settings()
        settings.seriesOfName = 2
        let registry = MetricsRegistry(settings)
        for user in 1...5 { Counter(label: "hits", dimensions: [("user", "\(user)")], factory: registry).increment(by: 10) }
        #expect(registry.exposition().contains("hits{user=\"2\"} 10\n"))
        #expect(!registry.exposition().contains("user=\"3\""))
        #expect(registry.exposition().contains("hydro_telemetry_samples_dropped_total{metric=\"hits\"} 3\n"))
    }

    @Test func `names are bounded, and so is the counter of what they lost`() {
        var settings = MetricsRegistry.Settings()
        settings.names = 2
        let registry = MetricsRegistry(settings)
        for name in ["a", "b", "c", "d"] { Meter(label: name, factory: registry).set(1) }
        #expect(registry.exposition().contains("a 1\n"))
        #expect(registry.exposition().contains("hydro_telemetry_samples_dropped_total{metric=\"other\"} 3\n"))
    }

    @Test func `a name that means another type is refused, not mixed`() {
        let registry = MetricsRegistry()
        Counter(label: "x", factory: registry).increment()
        Meter(label: "x", factory: registry).set(9)
        #expect(registry.exposition().contains("# TYPE x counter\nx 1\n"))
        #expect(registry.exposition().contains("samples_dropped_total{metric=\"x\"} 1\n"))
    }

    @Test func `a destroyed series is gone`() {
        let registry = MetricsRegistry()
        let counter = Counter(label: "x", factory: registry)
        counter.increment()
        counter.destroy()
        #expect(registry.exposition() == "")
    }

    @Test(arguments: [("a.b-c", "a_b_c"), ("9lives", "_9lives"), ("ns:x", "ns:x"), ("é", "_"), ("", "_")])
    func `names are made fit`(label: String, name: String) {
        let registry = MetricsRegistry()
        Counter(label: label, factory: registry).increment()
        #expect(registry.exposition().hasSuffix("\n\(name) 1\n"))
    }

    @Test func `odd numbers are spelled Prometheus' way`() {
        let registry = MetricsRegistry()
        for (name, value) in [("inf", Double.infinity), ("less", -.infinity), ("nan", .nan), ("whole", 1e3), ("part", 1.25)] {
            Meter(label: name, factory: registry).set(value)
        }
        for line in ["inf +Inf\n", "less -Inf\n", "nan NaN\n", "whole 1000\n", "part 1.25\n"] {
            #expect(registry.exposition().contains(line))
        }
    }
}
