// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Contract
import Protos
import Testing

struct DatatypeTests {
    @Test func `thirteen types have a name, and each name gives its type`() {
        let named = DataType.allCases.compactMap { type in type.openInferenceName.map { ($0, type) } }
        #expect(named.count == 13)
        for (name, type) in named { #expect(Array(name.utf8).withUnsafeBytes { DataType(openInference: $0) } == type) }
        #expect(Array("BF16".utf8).withUnsafeBytes { DataType(openInference: $0) } == nil)
    }
}
