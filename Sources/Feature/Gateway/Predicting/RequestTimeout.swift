// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import HydroAPI

/// The `x-request-timeout` header: seconds, or a number with `ms`, `s` or `m`.
enum RequestTimeout {
    static func duration(_ text: String) -> Duration? {
        if let span = SpanText.duration(text) { return span }
        guard let seconds = Double(text), seconds > 0, seconds < 1e6 else { return nil }
        return .seconds(seconds)
    }
}
