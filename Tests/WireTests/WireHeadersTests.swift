// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Testing

@testable import Wire

struct WireHeadersTests {
    @Test func `names are found in any case, values in order`() {
        var headers: WireHeaders = ["Content-Type": "a", "x": "1"]
        headers.append("X", "2")
        #expect(headers["content-type"] == "a")
        #expect(headers["CONTENT-TYPE"] == "a")
        #expect(headers["x"] == "1")
        #expect(headers.values(of: "x") == ["1", "2"])
        #expect(headers["xx"] == nil)
        #expect(headers.map(\.name) == ["content-type", "x", "x"])
    }

    @Test func `setting replaces all of a name, and nil removes them`() {
        var headers: WireHeaders = ["x": "1", "y": "2", "X": "3"]
        headers["x"] = "4"
        #expect(headers == ["y": "2", "x": "4"])
        headers["y"] = nil
        #expect(headers == ["x": "4"])
    }

    @Test func `a value cannot begin another field`() {
        let headers: WireHeaders = ["x": "1\r\nset-cookie: a\0"]
        #expect(headers["x"] == "1  set-cookie: a ")
    }

    @Test func `a date is written as the standard wants it`() {
        #expect(HTTPDate.format(784_111_777).elementsEqual("Sun, 06 Nov 1994 08:49:37 GMT".utf8))
    }
}
