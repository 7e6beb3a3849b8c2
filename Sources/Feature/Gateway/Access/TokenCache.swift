// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// The values of keys that were asked for lately: at most so many, in two generations, of which the older is let go of as a whole.
struct TokenCache<Value> {
    private let capacity: Int
    private var young: [[UInt8]: Value] = [:]
    private var old: [[UInt8]: Value] = [:]

    /// - Parameter capacity: at least 2.
    init(capacity: Int) { self.capacity = max(2, capacity) }

    var count: Int { young.count + old.count }

    subscript(key: [UInt8]) -> Value? {
        mutating get {
            if let value = young[key] { return value }
            guard let value = old.removeValue(forKey: key) else { return nil }
            keep(value, key)
            return value
        }
        set {
            old[key] = nil
            if let newValue { keep(newValue, key) } else { young[key] = nil }
        }
    }

    private mutating func keep(_ value: Value, _ key: [UInt8]) {
        if young.count >= capacity / 2, young[key] == nil {
            old = young
            young = [:]
        }
        young[key] = value
    }
}
