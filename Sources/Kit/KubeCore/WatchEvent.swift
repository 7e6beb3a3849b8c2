// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import JSON

/// One line of a watch.
package enum WatchEvent<Item: KubeResource>: Equatable, Sendable {
    case added(Item)
    case modified(Item)
    case deleted(Item)
    /// Nothing happened up to this version: a watch may resume here.
    case bookmark(resourceVersion: String)
    /// The server ends the watch; 410 means that the version is too old to resume at.
    case failed(APIStatus)
}

/// Turns a line of a watch into its event.
package enum WatchDecoder<Item: KubeResource> {
    private struct Frame: JSONRecord {
        var type = ""
        /// Where the object's bytes lie; they are read once the type is known.
        var object = Span()
        static var fields: JSONFields<Frame> { [.required("type", \.type), .required("object", \.object)] }
    }

    /// A value that is passed over, remembering where it lies in the line.
    private struct Span: JSONCodable, Equatable, Sendable {
        var range = 0..<0
        init() {}
        init(from reader: inout JSONReader) throws(JSONError) {
            let start = reader.offset
            try reader.skip()
            range = start..<reader.offset
        }
        func write(to writer: inout JSONWriter) { writer.null() }
    }

    private struct Bookmark: JSONRecord {
        var metadata = ObjectMeta()
        static var fields: JSONFields<Bookmark> { [.required("metadata", \.metadata)] }
    }

    package static func decode(_ line: ArraySlice<UInt8>) throws(JSONError) -> WatchEvent<Item> {
        let frame = try Frame.decode(json: line)
        let object = line[(line.startIndex + frame.object.range.lowerBound)..<(line.startIndex + frame.object.range.upperBound)]
        switch frame.type {
        case "ADDED": return .added(try Item.decode(json: object))
        case "MODIFIED": return .modified(try Item.decode(json: object))
        case "DELETED": return .deleted(try Item.decode(json: object))
        case "BOOKMARK": return .bookmark(resourceVersion: try Bookmark.decode(json: object).metadata.resourceVersion)
        case "ERROR": return .failed(try APIStatus.decode(json: object))
        default: throw JSONError("wanted ADDED, MODIFIED, DELETED, BOOKMARK or ERROR, found \"\(frame.type)\"", path: "type")
        }
    }
}
