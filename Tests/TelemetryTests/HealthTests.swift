// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Telemetry
import Testing

struct HealthTests {
    let health = Health([
        .init("loop", .live) { .passing },
        .init("routes", .ready) { .passing },
        .init("upstream", .ready) { .failing("wanted a first list, found none") },
    ])

    @Test func `a probe names every check and the first to blame`() {
        let page = AdminPage.at("/readyz", health: health, metrics: MetricsRegistry())
        #expect(page?.status == 503)
        #expect(page?.body == "[+] routes: ok\n[-] upstream: wanted a first list, found none\nfailing\n")
    }

    @Test(arguments: ["/healthz", "/livez"]) func `live asks only what bears on living`(path: String) {
        let page = AdminPage.at(path, health: health, metrics: MetricsRegistry())
        #expect(page?.status == 200)
        #expect(page?.body == "[+] loop: ok\nok\n")
    }

    @Test func `a draining program lives on but is not ready`() {
        let health = Health([.init("routes", .ready) { .passing }])
        #expect(health.report(.ready).isPassing)
        health.drain()
        #expect(health.report(.live).isPassing)
        #expect(health.report(.ready).findings.last == .init(name: "drain", state: .failing("shutting down")))
    }

    @Test func `metrics end with the facts of the process`() throws {
        let page = try #require(AdminPage.at("/metrics", health: health, metrics: MetricsRegistry()))
        #expect(page.contentType == "text/plain; version=0.0.4; charset=utf-8")
        let sample = try #require(page.body.split(separator: "\n").first { $0.hasPrefix("process_resident_memory_bytes ") })
        #expect(try #require(Double(sample.split(separator: " ")[1])) > 1e6)
    }

    @Test(arguments: ["/", "/metrics/", "/healthz?x", ""]) func `other paths are somebody else's`(path: String) {
        #expect(AdminPage.at(path, health: health, metrics: MetricsRegistry()) == nil)
    }
}
