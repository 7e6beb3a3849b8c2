// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import CCurl

/// The parts of a URL that rules are about.
struct WebAddress: Equatable {
    /// Who is spoken to. Credentials never cross from one origin to another.
    struct Origin: Hashable {
        var scheme: String
        var host: String
        var port: String
    }

    let text: String
    let origin: Origin

    /// Nil where the text is no absolute `http` or `https` URL.
    init?(_ text: String) {
        self.init(parts: [text])
    }

    /// The address that a `Location` header means, seen from this one. Credentials in it are left out.
    func following(_ location: String) -> WebAddress? {
        WebAddress(parts: [text, location])
    }

    /// Whether it is this machine, which no proxy could reach.
    var isLoopback: Bool {
        ["localhost", "[::1]"].contains(origin.host) || origin.host.hasPrefix("127.") && origin.host.allSatisfy { $0.isNumber || $0 == "." }
    }

    /// How errors name the peer.
    var host: String { "\(origin.host):\(origin.port)" }

    /// Each part is resolved against the ones before.
    private init?(parts: [String]) {
        guard let handle = curl_url() else { return nil }
        defer { curl_url_cleanup(handle) }
        for (index, part) in parts.enumerated() {
            guard !part.isEmpty, part.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else { return nil }
            // What a server writes into Location is often not encoded.
            let flags = index == 0 ? 0 : UInt32(CURLU_URLENCODE)
            guard curl_url_set(handle, CURLUPART_URL, part, flags) == CURLUE_OK else { return nil }
        }
        if parts.count > 1 {
            curl_url_set(handle, CURLUPART_USER, nil, 0)
            curl_url_set(handle, CURLUPART_PASSWORD, nil, 0)
        }
        guard let text = Self.part(CURLUPART_URL, of: handle), let scheme = Self.part(CURLUPART_SCHEME, of: handle),
            let host = Self.part(CURLUPART_HOST, of: handle), let port = Self.part(CURLUPART_PORT, of: handle, UInt32(CURLU_DEFAULT_PORT)),
            scheme == "http" || scheme == "https"
        else { return nil }
        self.text = text
        origin = Origin(scheme: scheme, host: host.lowercased(), port: port)
    }

    private static func part(_ part: CURLUPart, of handle: OpaquePointer, _ flags: UInt32 = 0) -> String? {
        var text: UnsafeMutablePointer<CChar>?
        guard curl_url_get(handle, part, &text, flags) == CURLUE_OK, let text else { return nil }
        defer { curl_free(text) }
        return String(cString: text)
    }
}
