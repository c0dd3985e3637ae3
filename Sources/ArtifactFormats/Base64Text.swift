// Files that are base64 from their first byte on, in lines or in one.

import Foundation

public enum Base64Text {
    /// What the first bytes of such a file hold.
    ///
    /// - Returns: nil where they are no base64.
    public static func decoded(_ head: [UInt8]) -> [UInt8]? {
        let text = head.filter { ![0x0a, 0x0d, 0x20, 0x09].contains($0) }
        guard text.count >= 24, text.allSatisfy(isDigit) else { return nil }
        // What follows may be a piece.
        let whole = text.prefix(text.count - text.count % 4)
        return Data(base64Encoded: Data(whole)).map { Array($0) }
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: "="): true
        default: false
        }
    }
}
