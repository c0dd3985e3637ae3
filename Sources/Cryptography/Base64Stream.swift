// Base64 turned into bytes while it streams by, as `openssl enc -a` wraps what it writes.

/// Takes lines of any length, or one. Not to be shared between tasks.
struct Base64Stream {
    private var bits: UInt32 = 0
    private var digits = 0
    private var padding = 0

    /// Whether a file begins as base64 of `Salted__`.
    static func begins(_ head: some Collection<UInt8>) -> Bool { head.starts(with: mark) }
    static let mark = Array("U2FsdGVkX1".utf8)

    /// Appends what the text stands for.
    ///
    /// - Returns: false where it is no base64.
    mutating func update(_ text: UnsafeRawBufferPointer, into output: inout [UInt8]) -> Bool {
        output.reserveCapacity(output.count + text.count * 3 / 4 + 3)
        for byte in text {
            let value: UInt32
            switch byte {
            case 0x41...0x5a: value = UInt32(byte) - 0x41
            case 0x61...0x7a: value = UInt32(byte) - 0x61 + 26
            case 0x30...0x39: value = UInt32(byte) - 0x30 + 52
            case 0x2b: value = 62
            case 0x2f: value = 63
            case 0x3d:
                padding += 1
                continue
            case 0x0a, 0x0d, 0x20, 0x09: continue
            default: return false
            }
            // Nothing follows the sign of the end.
            guard padding == 0 else { return false }
            bits = bits << 6 | value
            digits += 1
            guard digits == 4 else { continue }
            output.append(UInt8(truncatingIfNeeded: bits >> 16))
            output.append(UInt8(truncatingIfNeeded: bits >> 8))
            output.append(UInt8(truncatingIfNeeded: bits))
            digits = 0
            bits = 0
        }
        return true
    }

    /// Appends what an unfinished group of four stands for.
    ///
    /// - Returns: false where the text ends in its midst.
    mutating func finish(into output: inout [UInt8]) -> Bool {
        switch (digits, padding) {
        case (0, 0): return true
        case (2, 2): output.append(UInt8(truncatingIfNeeded: bits >> 4))
        case (3, 1):
            output.append(UInt8(truncatingIfNeeded: bits >> 10))
            output.append(UInt8(truncatingIfNeeded: bits >> 2))
        default: return false
        }
        digits = 0
        return true
    }
}
