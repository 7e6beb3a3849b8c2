// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import JSON
import KubeCore
import Testing

struct ConditionTests {
    @Test func `an empty message is left out and read back as empty`() throws {
        let written = Condition("Ready", .true, reason: "Settled").json()
        #expect(!String(decoding: written, as: UTF8.self).contains("message"))
        #expect(try Condition.decode(json: written).message == "")
    }

    @Test func `a message is written as it is`() throws {
        let written = Condition("Ready", .false, reason: "Building", message: "waits").json()
        #expect(try Condition.decode(json: written).message == "waits")
    }
}
