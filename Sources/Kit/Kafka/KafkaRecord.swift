// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// A named value beside a record's own. Names may repeat.
package struct KafkaHeader: Sendable, Equatable {
    package var name: String
    package var value: [UInt8]

    package init(_ name: String, _ value: [UInt8]) {
        self.name = name
        self.value = value
    }

    package init(_ name: String, _ text: String) { self.init(name, Array(text.utf8)) }
}

/// One partition of one topic.
package struct KafkaPartition: Sendable, Hashable, CustomStringConvertible {
    package var topic: String
    package var number: Int32

    package init(_ topic: String, _ number: Int32) {
        self.topic = topic
        self.number = number
    }

    package var description: String { "\(topic)[\(number)]" }
}

/// What a consumer read.
package struct KafkaRecord: Sendable {
    package var partition: KafkaPartition
    package var offset: Int64
    /// Absent where the producer gave none.
    package var key: [UInt8]?
    /// Absent in a tombstone.
    package var value: [UInt8]?
    package var headers: [KafkaHeader] = []
    /// Milliseconds since 1970; nil where the broker keeps none.
    package var timestamp: Int64?
    /// Which assignment of the partition the record was read under: a finish of an earlier one counts for nothing.
    package var assignment: Int = 0

    package init(partition: KafkaPartition, offset: Int64, key: [UInt8]? = nil, value: [UInt8]? = nil) {
        self.partition = partition
        self.offset = offset
        self.key = key
        self.value = value
    }

    /// The last value of that name, the case of ASCII letters aside, as text. What is not UTF-8 is repaired.
    package func header(_ name: String) -> String? {
        headers.last { $0.name.lowercased() == name }.map { String(decoding: $0.value, as: UTF8.self) }
    }
}

/// What a producer is to write. Equal keys go to the same partition, by the hash that Java's clients use.
package struct KafkaMessage: Sendable, Equatable {
    package var topic: String
    package var key: [UInt8]?
    package var value: [UInt8]?
    package var headers: [KafkaHeader]

    package init(topic: String, key: [UInt8]?, value: [UInt8]?, headers: [KafkaHeader] = []) {
        self.topic = topic
        self.key = key
        self.value = value
        self.headers = headers
    }

    /// Bytes that it holds.
    package var size: Int {
        headers.reduce((key?.count ?? 0) + (value?.count ?? 0)) { $0 + $1.name.utf8.count + $1.value.count }
    }
}
