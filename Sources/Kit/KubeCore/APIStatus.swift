// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import JSON

/// What the API server answers instead of an object: why it refused, or that it did.
package struct APIStatus: JSONRecord, Error, CustomStringConvertible {
    package var status = ""
    package var reason = ""
    package var message = ""
    package var code = 0
    package var details = Details()

    package init() {}
    package init(code: Int, reason: String, message: String) {
        self.code = code
        self.reason = reason
        self.message = message
        status = "Failure"
    }

    package static let fields: JSONFields<APIStatus> = [
        .init("status", \.status), .init("reason", \.reason), .init("message", \.message), .init("code", \.code),
        .init("details", \.details),
    ]

    package var description: String { message.isEmpty ? "\(code) \(reason)" : message }

    package struct Details: JSONRecord {
        package var name = ""
        package var kind = ""
        package var retryAfterSeconds: Int?
        package var causes: [Cause] = []
        package init() {}
        package static let fields: JSONFields<Details> = [
            .init("name", \.name), .init("kind", \.kind), .init("retryAfterSeconds", \.retryAfterSeconds), .init("causes", \.causes),
        ]
    }

    package struct Cause: JSONRecord {
        package var reason = ""
        package var message = ""
        package var field = ""
        package init() {}
        package static let fields: JSONFields<Cause> = [.init("reason", \.reason), .init("message", \.message), .init("field", \.field)]
    }
}
