// The words of one SQL statement.

/// A word, name, literal or sign.
enum SQLToken: Sendable, Hashable {
    /// Unquoted: a keyword or a name, as written.
    case word(String)
    /// A quoted name, without its quotes.
    case name(String)
    /// A text literal, without its quotes. It may have been shortened.
    case literal(String)
    case sign(UInt8)

    func isWord(_ keyword: String) -> Bool {
        if case .word(let word) = self { word.uppercased() == keyword } else { false }
    }

    func isSign(_ character: Unicode.Scalar) -> Bool { self == .sign(UInt8(ascii: character)) }

    /// What it names, where it can be a name.
    var identifier: String? {
        switch self {
        case .word(let text), .name(let text): text
        case .literal, .sign: nil
        }
    }

    static func all(in text: [UInt8]) -> [SQLToken] {
        var tokens: [SQLToken] = []
        var index = 0
        while index < text.count {
            let byte = text[index]
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
                let content = quoted(text, &index, by: byte)
                tokens.append(byte == UInt8(ascii: "'") ? .literal(content) : .name(content))
            } else if isWordByte(byte) {
                let end = text[index...].firstIndex { !isWordByte($0) } ?? text.count
                tokens.append(.word(String(decoding: text[index..<end], as: UTF8.self)))
                index = end
            } else {
                if byte > 0x20 { tokens.append(.sign(byte)) }
                index += 1
            }
        }
        return tokens
    }

    private static func quoted(_ text: [UInt8], _ index: inout Int, by quote: UInt8) -> String {
        var content: [UInt8] = []
        index += 1
        while index < text.count {
            if text[index] == quote {
                guard index + 1 < text.count, text[index + 1] == quote else { break }
                index += 1
            }
            content.append(text[index])
            index += 1
        }
        index += 1
        return String(decoding: content, as: UTF8.self)
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "_"), UInt8(ascii: "$"), 0x80...0xff:
            true
        default: false
        }
    }
}
