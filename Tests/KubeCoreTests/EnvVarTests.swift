// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import JSON
import KubeCore
import Testing

struct EnvVarTests {
    @Test func `an empty value is left out, as the server does`() {
        #expect(String(decoding: EnvVar("A", "").json(), as: UTF8.self) == #"{"name":"A"}"#)
        #expect(String(decoding: EnvVar("A", "b").json(), as: UTF8.self) == #"{"name":"A","value":"b"}"#)
    }
}
