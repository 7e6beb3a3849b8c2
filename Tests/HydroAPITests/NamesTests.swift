// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import HydroAPI
import Testing

struct NamesTests {
    @Test func `a short name is parent and number`() {
        #expect(Names.modelVersion(model: "tumour", version: 2) == "tumour-2")
        #expect(Names.servable(modelVersion: "tumour-2", deploymentConfiguration: nil) == "tumour-2")
    }

    @Test(arguments: [String(repeating: "m", count: 60), "with.dots", "9lives", String(repeating: "a", count: 48) + "----"])
    func `a name that does not fit ends in a hash and is a label`(model: String) {
        let name = Names.modelVersion(model: model, version: 12)
        #expect(name.utf8.count <= Names.longest)
        #expect(name.wholeMatch(of: /[a-z]([-a-z0-9]*[a-z0-9])?/) != nil)
        #expect(name == Names.modelVersion(model: model, version: 12))
        #expect(name != Names.modelVersion(model: model + "x", version: 12))
    }

    @Test func `two parents never make the same servable`() {
        // Version "a-1" with configuration "b-2" and version "a-1-b" with configuration "2" would both be "a-1-b-2".
        #expect(
            Names.servable(modelVersion: "a-1", deploymentConfiguration: "b-2")
                != Names.servable(modelVersion: "a-1-b", deploymentConfiguration: "2"))
    }
}

struct SpanTextTests {
    @Test(arguments: [("10s", Duration.seconds(10)), ("250ms", .milliseconds(250)), ("2m", .seconds(120))])
    func `a span is a number and a unit`(text: String, span: Duration) { #expect(SpanText.duration(text) == span) }

    @Test(arguments: ["", "10", "s", "-1s", "0s", "1.5s", "1h"])
    func `anything else is no span`(text: String) { #expect(SpanText.duration(text) == nil) }
}
