// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

extension TapMessages.Batch {
    /// Reads a batch; payloads stay slices of the message. Unknown fields are passed over.
    package init(scanning message: ArraySlice<UInt8>) throws(ProtoError) {
        self.init()
        self = try message.fields(self) { (batch, field) throws(ProtoError) in
            switch field.number {
            case 1: batch.instanceID = field.text
            case 2: batch.sequence = try field.number64()
            case 3: batch.ledgers.append(try TapMessages.Ledger(scanning: field.content))
            case 4: batch.records.append(try TapMessages.Record(scanning: field.content))
            default: break
            }
        }
    }
}

extension TapMessages.Ledger {
    fileprivate init(scanning message: ArraySlice<UInt8>) throws(ProtoError) {
        self = try message.fields(TapMessages.Ledger(TapMessages.Subject())) { (ledger, field) throws(ProtoError) in
            switch field.number {
            case 1: ledger.subject = try TapMessages.Subject(scanning: field.content)
            case 2: ledger.losses.full = try field.count()
            case 3: ledger.losses.oversize = try field.count()
            case 4: ledger.losses.encode = try field.count()
            case 5: ledger.losses.absent = try field.count()
            case 6: ledger.losses.unsent = try field.count()
            default: break
            }
        }
    }
}

extension TapMessages.Subject {
    fileprivate init(scanning message: ArraySlice<UInt8>) throws(ProtoError) {
        self = try message.fields(TapMessages.Subject()) { (subject, field) throws(ProtoError) in
            switch field.number {
            case 1: subject.namespace = field.text
            case 2: subject.application = field.text
            case 3: subject.stage = field.text
            case 4: subject.servable = field.text
            case 5: subject.model = field.text
            case 6: subject.version = Int(Int64(bitPattern: try field.number64()))
            case 7: subject.isShadow = try field.number64() != 0
            default: break
            }
        }
    }
}

extension TapMessages.Record {
    fileprivate init(scanning message: ArraySlice<UInt8>) throws(ProtoError) {
        self = try message.fields(TapMessages.Record()) { (record, field) throws(ProtoError) in
            switch field.number {
            case 1: record.ledger = try field.count()
            case 2: record.requestID = field.text
            case 3: record.traceID = field.text
            case 4: record.answeredAt = field.fixed64
            case 5: record.latencyNanos = try field.number64()
            case 6: record.outcome = try field.choice()
            case 7: record.message = field.text
            case 8: record.request = try TapMessages.Payload(scanning: field.content)
            case 9: record.answer = try TapMessages.Payload(scanning: field.content)
            case 10: record.tensorsOmitted = try field.number64() != 0
            default: break
            }
        }
    }
}

extension TapMessages.Payload {
    fileprivate init(scanning message: ArraySlice<UInt8>) throws(ProtoError) {
        self = try message.fields(TapMessages.Payload(.hydrosphere, [])) { (payload, field) throws(ProtoError) in
            switch field.number {
            case 1: payload.encoding = try field.choice()
            case 2: payload.message = field.content
            default: break
            }
        }
    }
}

/// One field of a message, where it lies.
private struct ScannedField {
    var number: Int
    var content: ArraySlice<UInt8>

    var text: String { String(decoding: content, as: UTF8.self) }

    /// The content as a varint.
    func number64() throws(ProtoError) -> UInt64 {
        try content.proto { (bytes) throws(ProtoError) in
            var scan = ProtoScan(bytes)
            return try scan.varint()
        }
    }

    func count() throws(ProtoError) -> Int {
        let number = try number64()
        guard let count = Int(exactly: number) else { throw ProtoError("wanted a count, found \(number)") }
        return count
    }

    func choice<Choice: RawRepresentable>() throws(ProtoError) -> Choice where Choice.RawValue == Int {
        let number = try count()
        guard let choice = Choice(rawValue: number) else { throw ProtoError("wanted a known \(Choice.self), found \(number)") }
        return choice
    }

    var fixed64: UInt64 { content.reversed().reduce(0) { $0 << 8 | UInt64($1) } }
}

extension ArraySlice<UInt8> {
    /// Hands every field to the body, with a value that it fills.
    fileprivate func fields<Value>(
        _ start: Value, _ body: (inout Value, ScannedField) throws(ProtoError) -> Void
    ) throws(ProtoError) -> Value {
        try proto { (bytes) throws(ProtoError) in
            var value = start
            var scan = ProtoScan(bytes)
            while let (number, type) = try scan.field() {
                let count = try scan.content(of: type).count
                let end = startIndex + scan.offset
                try body(&value, ScannedField(number: number, content: self[end - count..<end]))
            }
            return value
        }
    }

    fileprivate func proto<Value>(_ body: (UnsafeRawBufferPointer) throws(ProtoError) -> Value) throws(ProtoError) -> Value {
        try withUnsafeBytes { bytes in
            Result { () throws(ProtoError) in try body(bytes) }
        }.get()
    }
}
