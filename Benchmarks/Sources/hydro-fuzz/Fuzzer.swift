// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import FuzzTargets
import Glibc

// libFuzzer calls these two. `hack/fuzz` builds with `--sanitize fuzzer`, which brings libFuzzer and its `main`.

/// Chosen by the environment: the command line is libFuzzer's.
private let target = getenv("HYDRO_FUZZ_TARGET").flatMap { FuzzTarget(rawValue: String(cString: $0)) }

/// Writes good inputs to the folder that the environment names, for libFuzzer to begin with.
@_cdecl("LLVMFuzzerInitialize")
func prepare(_ count: UnsafeMutableRawPointer?, _ arguments: UnsafeMutableRawPointer?) -> CInt {
    guard let target else {
        say("HYDRO_FUZZ_TARGET wants one of \(FuzzTarget.allCases.map(\.rawValue).joined(separator: " "))\n")
        exit(2)
    }
    guard let folder = getenv("HYDRO_FUZZ_SEEDS").map({ String(cString: $0) }) else { return 0 }
    for (place, seed) in target.seeds.enumerated() {
        guard let file = fopen("\(folder)/seed-\(place)", "w") else { continue }
        fwrite(seed, 1, seed.count, file)
        fclose(file)
    }
    return 0
}

/// One input. What does not hold ends the process, and libFuzzer keeps the input.
@_cdecl("LLVMFuzzerTestOneInput")
func attempt(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let target else { return 0 }
    let input = Array(UnsafeBufferPointer(start: bytes, count: count))
    if let complaint = target.complaint(about: input) {
        say("\(target.rawValue): \(complaint)\n")
        abort()
    }
    return 0
}

/// At once, with no buffer that an abort would lose.
private func say(_ text: String) { _ = Array(text.utf8).withUnsafeBytes { write(2, $0.baseAddress, $0.count) } }
