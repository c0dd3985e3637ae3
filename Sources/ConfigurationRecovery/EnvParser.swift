// Reads `.env` text the way that the common readers agree on; what they disagree on is a malformed line.

public import Cryptography
import Foundation

extension EnvFile {
    /// Why a file is no `.env` file at all.
    public enum Unreadable: Error, Sendable, Hashable {
        case notText
        /// Not a single key in it.
        case noKey
    }

    /// Reads a whole file: `KEY=value` lines, `export` before them, comments, blank lines, single and double quotes (also over several
    /// lines), CRLF, a byte order mark. Nothing is expanded: `${OTHER}` is text.
    public init(parsing secret: Secret) throws(Unreadable) {
        var parser = secret.withBytes { EnvParser($0) }
        guard parser.isText else { throw .notText }
        parser.read()
        guard !parser.values.isEmpty || !parser.malformed.isEmpty else { throw .noKey }
        self.init(values: parser.values, lines: parser.lines, duplicates: parser.duplicates.sorted(), malformedLines: parser.malformed)
    }
}

/// One pass over the bytes of one file.
private struct EnvParser {
    var values: [String: Secret] = [:]
    var lines: [String: Int] = [:]
    var duplicates: Set<String> = []
    var malformed: [Int] = []
    let isText: Bool
    private let bytes: [UInt8]
    private var position = 0
    private var line = 1

    private static let newline = UInt8(ascii: "\n")
    private static let quote = UInt8(ascii: "\"")
    private static let apostrophe = UInt8(ascii: "'")
    private static let backslash = UInt8(ascii: "\\")

    init(_ source: UnsafeRawBufferPointer) {
        var all = Array(source)
        if all.starts(with: [0xef, 0xbb, 0xbf]) { all.removeFirst(3) }
        isText = !all.contains(0) && String(validating: all, as: UTF8.self) != nil
        // A carriage return belongs to the line's end, wherever the file was edited.
        var plain: [UInt8] = []
        plain.reserveCapacity(all.count)
        for (index, byte) in all.enumerated() where !(byte == 13 && (index + 1 == all.count || all[index + 1] == Self.newline)) {
            plain.append(byte)
        }
        bytes = plain
    }

    mutating func read() {
        while position < bytes.count {
            let start = position
            let number = line
            if !readLine() {
                malformed.append(number)
                // From the next line on, whatever a quote without an end may have swallowed.
                position = start
                line = number
                skipLine()
            }
        }
    }

    /// - Returns: False where it is malformed.
    private mutating func readLine() -> Bool {
        let number = line
        skipBlanks()
        guard let first = peek else { return true }
        if first == Self.newline || first == UInt8(ascii: "#") {
            skipLine()
            return true
        }
        var name = readName()
        if name == "export", let next = peek, Self.isBlank(next) {
            skipBlanks()
            name = readName()
        }
        skipBlanks()
        guard let name, peek == UInt8(ascii: "=") else { return false }
        position += 1
        skipBlanks()
        let value: Secret?
        switch peek {
        case Self.quote?: value = readQuoted(Self.quote)
        case Self.apostrophe?: value = readQuoted(Self.apostrophe)
        default: value = readBare()
        }
        guard let value else { return false }
        lines[name] = number
        if values.updateValue(value, forKey: name) != nil { duplicates.insert(name) }
        return true
    }

    private mutating func readName() -> String? {
        let start = position
        while let byte = peek, Self.isNamePart(byte) { position += 1 }
        guard position > start, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[start]) else { return nil }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    /// Up to a comment or the end of the line.
    private mutating func readBare() -> Secret {
        var end = position
        while end < bytes.count, bytes[end] != Self.newline {
            if bytes[end] == UInt8(ascii: "#"), Self.isBlank(bytes[end - 1]) { break }
            end += 1
        }
        var last = end
        while last > position, Self.isBlank(bytes[last - 1]) { last -= 1 }
        let value = Secret(bytes[position..<last])
        position = end
        skipLine()
        return value
    }

    /// - Returns: nil where the quote has no end, or is followed by more than a comment.
    private mutating func readQuoted(_ quote: UInt8) -> Secret? {
        position += 1
        var value: [UInt8] = []
        while let byte = peek {
            position += 1
            if byte == quote {
                skipBlanks()
                guard peek == nil || peek == Self.newline || peek == UInt8(ascii: "#") else { return nil }
                skipLine()
                return Secret(value)
            }
            if byte == Self.newline { line += 1 }
            guard quote == Self.quote, byte == Self.backslash, let next = peek else {
                value.append(byte)
                continue
            }
            position += 1
            switch next {
            case UInt8(ascii: "n"): value.append(Self.newline)
            case UInt8(ascii: "r"): value.append(13)
            case UInt8(ascii: "t"): value.append(9)
            case Self.quote, Self.backslash, UInt8(ascii: "$"), UInt8(ascii: "`"): value.append(next)
            default:
                if next == Self.newline { line += 1 }
                value += [byte, next]
            }
        }
        return nil
    }

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipBlanks() {
        while let byte = peek, Self.isBlank(byte) { position += 1 }
    }

    /// Past the end of the line.
    private mutating func skipLine() {
        while let byte = peek {
            position += 1
            if byte == Self.newline {
                line += 1
                return
            }
        }
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 32 || byte == 9 }

    private static func isNamePart(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"): true
        default: false
        }
    }
}
