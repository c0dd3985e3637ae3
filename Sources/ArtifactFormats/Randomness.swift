// How random bytes are: what is encrypted shows nothing, and what is not shows something.

import Foundation

/// Judged by Shannon's entropy, in bits for each byte.
public enum Randomness {
    public static func entropy(of bytes: [UInt8]) -> Double {
        guard !bytes.isEmpty else { return 0 }
        var counts = [Int](repeating: 0, count: 256)
        for byte in bytes { counts[Int(byte)] += 1 }
        let total = Double(bytes.count)
        return counts.reduce(0.0) { sum, count in
            guard count > 0 else { return sum }
            let share = Double(count) / total
            return sum - share * log2(share)
        }
    }

    /// Whether a sample shows no more order than random bytes do; false where there are too few to tell.
    public static func isNoise(_ bytes: [UInt8]) -> Bool {
        guard bytes.count >= 128 else { return false }
        // Well below what so many random bytes show (8 less 255/(2n ln 2)), and well above text, tables and dumps.
        return entropy(of: bytes) >= max(0, 8 - 255 / (2 * Double(bytes.count) * 0.693)) - 0.5
    }
}
