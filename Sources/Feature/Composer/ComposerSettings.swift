// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

package import OCI

/// What a source may be at most.
package struct SourceLimits: Sendable, Equatable {
    /// Bytes as they are fetched.
    package var fetchedBytes: UInt64
    /// Bytes of all files, once unpacked.
    package var bytes: UInt64
    /// Files, folders and links.
    package var entries: Int

    package init(fetchedBytes: UInt64 = 8 << 30, bytes: UInt64 = 16 << 30, entries: Int = 100_000) {
        self.fetchedBytes = fetchedBytes
        self.bytes = bytes
        self.entries = entries
    }
}

/// How images are made here.
package struct ComposerSettings: Sendable {
    package var registry: RegistrySettings
    /// For the registry that images go to, and for those that runtimes come from. Sources bring their own.
    package var keychain: Keychain
    /// Builds that run at once.
    package var concurrency: Int
    /// Builds that wait for their turn; more are refused, to come again later.
    package var queueLimit: Int
    /// A build that takes longer is ended.
    package var buildDeadline: Duration
    package var limits: SourceLimits
    /// Where files lie on their way: as much room as `limits` allow, times the builds at once, twice for zip archives.
    package var spoolFolder: String

    package init(
        registry: RegistrySettings = RegistrySettings(), keychain: Keychain = .anonymous, concurrency: Int = 2, queueLimit: Int = 1000,
        buildDeadline: Duration = .seconds(3600), limits: SourceLimits = SourceLimits(), spoolFolder: String = "/tmp"
    ) {
        self.registry = registry
        self.keychain = keychain
        self.concurrency = concurrency
        self.queueLimit = queueLimit
        self.buildDeadline = buildDeadline
        self.limits = limits
        self.spoolFolder = spoolFolder
    }
}
