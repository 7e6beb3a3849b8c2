// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import JSON

/// Something that happened to an object, for people to read.
package struct Event: KubeResource {
    package static let kind = ResourceKind("", "v1", "Event", "events")
    package var metadata = ObjectMeta()
    package var involvedObject = Involved()
    package var type = "Normal"
    package var reason = ""
    package var message = ""
    package var count = 1
    package var firstTimestamp: Timestamp?
    package var lastTimestamp: Timestamp?
    package var source = Source()
    package var reportingComponent = ""
    package var reportingInstance = ""

    package init() {}
    package static let fields: JSONFields<Event> = [
        .init("metadata", \.metadata), .init("involvedObject", \.involvedObject), .init("type", \.type), .init("reason", \.reason),
        .init("message", \.message), .init("count", \.count), .init("firstTimestamp", \.firstTimestamp),
        .init("lastTimestamp", \.lastTimestamp), .init("source", \.source), .init("reportingComponent", \.reportingComponent),
        .init("reportingInstance", \.reportingInstance),
    ]

    package struct Involved: JSONRecord, Hashable {
        package var apiVersion = ""
        package var kind = ""
        package var namespace: String?
        package var name = ""
        package var uid = ""
        package init() {}
        package init(_ ref: ObjectRef) {
            apiVersion = ref.kind.apiVersion
            kind = ref.kind.kind
            namespace = ref.key.namespace.isEmpty ? nil : ref.key.namespace
            name = ref.key.name
            uid = ref.uid ?? ""
        }
        package static let fields: JSONFields<Involved> = [
            .init("apiVersion", \.apiVersion), .init("kind", \.kind), .init("namespace", \.namespace), .init("name", \.name),
            .init("uid", \.uid),
        ]
    }

    package struct Source: JSONRecord {
        package var component = ""
        package init() {}
        package static let fields: JSONFields<Source> = [.init("component", \.component)]
    }
}
