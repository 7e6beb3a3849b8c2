// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Foundation
import Testing

@testable import Archive

/// Archives that other programs wrote, gzipped and in base64.
///
/// The tar archives hold, in order: `dir/`, `dir/a.bin` (the 1,000 bytes of `sample`), a file of 301 letters' name, `dir/größe`, two symbolic
/// links (the second to a name of 120), a hard link, an empty file, a pipe and a device. The zip archives hold `dir/`, `dir/a.bin` (deflated),
/// `dir/größe` and a symbolic link; in the second every number stands in zip64 fields.
enum Fixture {
    static let sample = (0..<1000).map { UInt8(truncatingIfNeeded: $0 * 7) }

    static let gnuTar = unpack(
        """
        H4sIAAAAAAACA0vJLNJnoDEwAAJzU1MwDQToNBa2mYmZMYOCKQMdQGlxSWKRggLDCAUpwPhP1EvKzKNx/JuZmOCKf0NzU/T4NzcBUgoGo/FPe8DOJyqjrGVo\
        Ye/mGxKdlFlQXtfaM3nWwhXrt+09cvrSzQfP3339w8wlKCGvpmti7eQZEB6XmlNc1djRP23uktWbdh44fu7qncevPv74z8YrIq2kaWBu5+oTHJWYkV9W29I9\
        aeaC5eu27jl86uKN+8/efvnNxCkgLqeqY2zl6OEfFpuSXVTZ0N43dc7iVRt37D929srtRy8/fP/HyiMspaihb2br4h0UmZCeV1rT3DVxxvxla7fsPnTywvV7\
        T998/sXIwS8mq6JtZOng7hcak5xVWFHf1jtl9qKVG7bvO3rm8q2HL95/+8vCLSSpoK5nauPsFRgRn5ZbUt3UOWH6vKVrNu86eOL8tbtPXn/6Oer/Uf+PBP/j\
        yv56+nr6Dj75eek+mXnZNCz/sZT78DLfxNQMvfw3NzNiUPAZLf9pDnIGJdDPG5RgNP7JAgTaf6ASADX/GxuZmxmOtv/oEv/Aop9hFIxYAOr/pRcd3nZ4fupA\
        9f8w87+hganhaP+PLqC0JM1iNBeM7PyfQ7umP5H53wA9/xuZGDMoGNF6YGo0/w+K/p+huSFG/88UGP/eo+U/zUHJAIHRkncQlf/A7E/LOoDk8t/YzNwYVP7T\
        IyGOzv/oZyQWpQyu+t8QWCkwKBjSY3JqNP71U3MLSioHU/wbAKt/o9H+H73ivyCzIJVhcMW/sbE5g4LZaPzTJf7zSnNyBln/z8zQlEHBeCjFP7QrA6WNGUbB\
        KBgFo2CQAwCOHV1XACgAAA==
        """)
    static let paxTar = unpack(
        """
        H4sIAAAAAAACA+3aVXATURQG4MWhuDss7sn6FiktXry4S0rSNDTdhjSFFivu7l7cXYprcXd3d3dPSoeZ2jA87GYh//dy85a58+ecc/du9CarlpAZZSfyfPRq\
        F3dN4LPAMyxB8oQCQoJtOqv9KwnXpLfnr9P4miSZ8xc4LrH8aZGPm7/IcRRBUshffqkyZM9XpDTt7lmzftM2viZLt94DR4yfNmfxqsjte4+cvnTzwfN3X5O5\
        Zc5VsHg5rmLV2j4t2hvMwd37Dhk9aeb8ZWs37zpw/NzVO49fffyRMn22vIVLUWLlGvWatNb5B3XtNWD4uKmzF63csC3q8KmLN+4/e/slaZpMOQsUK8tWqOLd\
        sHk7fYA1rM/gURNnzFu6ZtPO/cfOXrn96OWH7ynSZc1TqKRW8Khet3GrjkYppGf/YWOnRCxcsX7rnkMnL1y/9/TN5ySpM+bIX7QMU96rVoNmbTt17hIaPmjk\
        hOlzl6zeuGPf0TOXbz188f5b8rRZcpMlNHylanUatezgF2jr0W/omMmzFixft2X3wRPnr9198voT9o/9u8L+Eyt/jVaj9fLRhXobdHqDVb7+n0Df/93zOUGM\
        3f9pimE4ggxF/5cdS9OkRWfz9zCrklZSJbf/Jn8lQvzD+c/RAWLXP8tSDI3znyL5B0lGAlyWGuY/xXDx5j9NY/4rgaF+jX/HPYDRGhUZFWFwQ1W41v2P0erp\
        aXDe/U/8+U+JHM1i/iuyfZufO6rAtevfbJICCKfWPxV3/rOUvf4ZuS+mUf+qOP8xlBD//Mfi/KcEmuVIR/1HHwJtToITp3P7f5BklHMG/HX/ZwVRdPR/JX57\
        eP+r9ddZ9eqa/zTF2Z//aSVeTiN/rSHQYgtTU/6UyIsMnv+Uyt9ishgIdeXPiiJBCshfkfylELNZZc9/As8TJPsv5R/zX6aYlSUAAAAAAAAAAAAAAAAAAAAA\
        AAAAAGTyE1Ll9rkAUAAA
        """)
    static let zip = unpack(
        """
        H4sIAAAAAAACAwvwZmYRYYAARQZkwALEKZlF+gFQFRxgFf+veglKMDIwvGBmYOCEqkjUS8rMS054Ljw18JrRlg3ln3k7/U7paKzPfjvTJvth19fb3+Qsa18+\
        a37+ft+/xGdCUyaEXzbdWPaJh6Pf+6zmuqw3L+ablZ985WvNL2Nf/vXc43D5+j/pj0Unhl0yMdhe/JWzz+vMCf3VuS/nmRQf/FQa/V3GrvTjsb/p+fv/pD0S\
        EZgefNVwW9GXD/zdvif1VuVkvJ9tlf5xVa/1N3nr6qffFk+X3/c/+angtKArF8w3l37k6/LxOK+9NvPdLIvkf5u2RpfJW1U+/LV3eb7d/6QnD8Qnh14021RS\
        8J271/Oc1poV+a/nGlVfPMV7+7usbfHPa4fF3+//m/pQbFJIwHXjrYXfuHo6/E/rrsx7Nceg9t4l09nlsjaF/27dVV9v/zdF4uv/Ff/dG/4zQoOPAxLAjdY/\
        TFmggcsNDb70osPbDs9PLS1JswhAiQ2hT7/LWYEsVmjogxTnZOZlg8M7wJuRSYQZd9TBwFtHBnhEwnRgj0oYWNKohByxcG04vAADDY2JjCgeQnchundg4P/C\
        PkaE5wK8WdkgfmBhuAGkdzKCXJeokJyfm5uaVwIAV+QGzLACAAA=
        """)
    static let zip64 = unpack(
        """
        H4sIAAAAAAACAwvwZmYRYYAARQZkwALEKZlF+gFAFbpANgdYxf+rXoL/oYCTQQSsIlEvKTOPkUGA4QUzRKsEI4ROTnguPDXwmtGWDeWfeTv9TulorM9+O9Mm\
        +2HX19vf5CxrXz5rfv5+37/EZ0JTJoRfNt1Y9omHo9/7rOa6rDcv5puVn3zla80vY1/+9dzjcPn6P+mPRSeGXTIx2F78lbPP68wJ/dW5L+eZFB/8VBr9Xcau\
        9OOxv+n5+/+kPRIRmB581XBb0ZcP/N2+J/VW5WS8n22V/nFVr/U3eevqp98WT5ff9z/5qeC0oCsXzDeXfuTr8vE4r702890si+R/m7ZGl8lbVT78tXd5vt3/\
        pCcPxCeHXjTbVFLwnbvX85zWmhX5r+caVV88xXv7u6xt8c9rh8Xf7/+b+lBsUkjAdeOthd+4ejr8T+uuzHs1x6D23iXT2eWyNoX/bt1VX2//N0Xi6/8V/90b\
        /jMGQAKdAxLojdY/TFmgAc4NDfT0osPbDs9PLS1JswhAiSGhT7/LWYEsVmiMgBTnZOZlg+MgwJuRSYQZd3TCwFtHBnjkMjLpMuOKXhm4jiWNIBGkyJbAiGwl\
        qFK4kVi9xwM3sgFuJNSzjEAdpYxohmD1NsKQ/wthhoACAWTCIrgJbGw6UFW6DLoY4QCjeaDqzyL0sYPom0wQPiNYjJUNoocFrB6klpMhUSE5Pzc3Na8EAC5Z\
        ACpEAwAA
        """)

    private static func unpack(_ base64: String) -> [UInt8] {
        let inflater = Inflater(.gzip)
        // A fixture that does not unpack shows as empty, and fails every test that uses it.
        return (try? drive(inflater, [UInt8](Data(base64Encoded: base64) ?? Data()), by: 4096)) ?? []
    }
}

/// Everything that a decoder makes of `bytes`, fed in pieces of `size`.
func drive(_ decoder: any ByteDecoder, _ bytes: [UInt8], by size: Int) throws -> [UInt8] {
    var output: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: size) {
        decoder.feed(Array(bytes[start..<min(start + size, bytes.count)]))
        while let piece = try decoder.next() {
            #expect(piece.count <= max(decodedPieceSize, size) && !piece.isEmpty)
            output += piece
        }
    }
    try decoder.finish()
    return output
}

/// The entries of a tar archive with their contents, read in pieces of `size`.
func readTar(_ bytes: [UInt8], by size: Int) throws -> [(entry: TarEntry, content: [UInt8])] {
    var reader = TarReader()
    var found: [(entry: TarEntry, content: [UInt8])] = []
    for start in stride(from: 0, to: bytes.count, by: size) {
        reader.feed(Array(bytes[start..<min(start + size, bytes.count)]))
        while let event = try reader.next() {
            switch event {
            case .entry(let entry): found.append((entry, []))
            case .content(let piece): found[found.count - 1].content += piece
            }
        }
    }
    try reader.finish()
    return found
}
