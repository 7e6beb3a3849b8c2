// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import JSON

/// A page of objects, and where the next one and a watch begin.
package struct ResourceList<Item: KubeResource>: JSONRecord {
    package var metadata = ListMeta()
    package var items: [Item] = []

    package init() {}
    package init(_ items: [Item], resourceVersion: String) {
        self.items = items
        metadata.resourceVersion = resourceVersion
    }

    package static var fields: JSONFields<ResourceList> { [.init("metadata", \.metadata), .init("items", \.items)] }
}

/// The metadata of a list.
package struct ListMeta: JSONRecord {
    package var resourceVersion = ""
    /// Where the next page begins; empty on the last.
    package var `continue` = ""

    package init() {}
    package static let fields: JSONFields<ListMeta> = [
        .init("resourceVersion", \.resourceVersion), .init("continue", \.continue),
    ]
}
