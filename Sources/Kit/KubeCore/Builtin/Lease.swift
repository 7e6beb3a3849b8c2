// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import JSON

/// Who holds something for how long.
package struct Lease: KubeResource {
    package static let kind = ResourceKind("coordination.k8s.io", "v1", "Lease", "leases")
    package var metadata = ObjectMeta()
    package var spec = Spec()

    package init() {}
    package static let fields: JSONFields<Lease> = [.init("metadata", \.metadata), .init("spec", \.spec)]

    package struct Spec: JSONRecord {
        /// Empty when it was given back.
        package var holderIdentity: String?
        package var leaseDurationSeconds: Int?
        package var acquireTime: MicroTime?
        package var renewTime: MicroTime?
        package var leaseTransitions: Int?
        package init() {}
        package static let fields: JSONFields<Spec> = [
            .init("holderIdentity", \.holderIdentity), .init("leaseDurationSeconds", \.leaseDurationSeconds),
            .init("acquireTime", \.acquireTime), .init("renewTime", \.renewTime), .init("leaseTransitions", \.leaseTransitions),
        ]
    }
}
