// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import SwiftProtobuf

/// What the messages and services of `proto/` are, for callers that ask a server for it (`grpc.reflection`).
package struct Descriptors: Sendable {
    /// All files. Made once, when it is first asked for.
    package static let all = Descriptors()

    /// The full names of all services, sorted.
    package let services: [String]
    private let files: [String: File]
    private let fileOfSymbol: [String: String]

    private struct File {
        var bytes: [UInt8]
        var leansOn: [String]
    }

    private init() {
        var (services, files, symbols) = ([String](), [String: File](), [String: String]())
        // Our own bytes, which a test reads: they are whole.
        let set = try? Google_Protobuf_FileDescriptorSet(serializedBytes: Self.bytes)
        for file in set?.file ?? [] {
            // What was just read can be written.
            files[file.name] = File(bytes: (try? file.serializedBytes()) ?? [], leansOn: file.dependency)
            let package = file.package
            for service in file.service {
                let name = "\(package).\(service.name)"
                services.append(name)
                symbols[name] = file.name
                for method in service.method { symbols["\(name).\(method.name)"] = file.name }
            }
            for kind in file.enumType { symbols["\(package).\(kind.name)"] = file.name }
            for message in file.messageType { Self.add(message, in: package, of: file.name, to: &symbols) }
        }
        self.services = services.sorted()
        self.files = files
        fileOfSymbol = symbols
    }

    /// The serialized `FileDescriptorProto`s of a file and of all that it leans on, the file first; nil where there is no such file.
    package func files(named name: String) -> [[UInt8]]? {
        guard files[name] != nil else { return nil }
        var (wanted, found) = ([name], [[UInt8]]())
        var place = 0
        while place < wanted.count {
            if let file = files[wanted[place]] {
                found.append(file.bytes)
                for next in file.leansOn where !wanted.contains(next) { wanted.append(next) }
            }
            place += 1
        }
        return found
    }

    /// The same for the file that defines a message, an enum, a service or a method, by its full name.
    package func files(defining symbol: String) -> [[UInt8]]? { fileOfSymbol[symbol].flatMap { files(named: $0) } }

    private static func add(
        _ message: Google_Protobuf_DescriptorProto, in scope: String, of file: String, to symbols: inout [String: String]
    ) {
        let name = "\(scope).\(message.name)"
        symbols[name] = file
        for kind in message.enumType { symbols["\(name).\(kind.name)"] = file }
        for inner in message.nestedType { add(inner, in: name, of: file, to: &symbols) }
    }

    private static var bytes: [UInt8] {
        Array(DescriptorSet.words.withUnsafeBytes { $0.prefix(DescriptorSet.size) })
    }
}
