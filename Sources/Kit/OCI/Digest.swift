// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Hashing
package import JSON

/// The name of some bytes by their SHA-256: `sha256:` and 64 lower-case hexadecimal digits.
package struct Digest: Hashable, Sendable {
    /// The 64 digits.
    package let hex: String

    /// The digest of `bytes`.
    package init(of bytes: [UInt8]) {
        hex = SHA256.hex(of: bytes)
    }

    /// The digest that a hash arrived at.
    package init(sha256 bytes: [UInt8]) {
        precondition(bytes.count == SHA256.byteCount, "\(bytes.count) bytes are no SHA-256")
        hex = hexadecimal(bytes)
    }

    /// Reads a digest as registries write it.
    package init(parsing text: String) throws(ReferenceError) {
        let digits = text.dropFirst("sha256:".count)
        guard text.hasPrefix("sha256:"), digits.utf8.count == 64, digits.utf8.allSatisfy(Digest.isDigit) else {
            throw ReferenceError("digest \"\(text)\" is not \"sha256:\" and 64 lower-case hexadecimal digits")
        }
        hex = String(digits)
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
    }
}

extension Digest: CustomStringConvertible {
    package var description: String { "sha256:" + hex }
}

extension Digest: JSONCodable {
    package init(from reader: inout JSONReader) throws(JSONError) {
        let text = try reader.string()
        do throws(ReferenceError) {
            self = try Digest(parsing: text)
        } catch {
            throw reader.failure(error.message)
        }
    }

    package func write(to writer: inout JSONWriter) { writer.string(description) }
}

/// Text that names no image, repository or digest.
package struct ReferenceError: Error, Equatable, CustomStringConvertible {
    /// What stood there and what was wanted.
    package let message: String

    package init(_ message: String) { self.message = message }
    package var description: String { message }
}
