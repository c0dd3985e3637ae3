// Cuts an SQL script into statements as psql would, without running it and in constant memory.

import Foundation

/// Follows a script through quotes, dollar quotes, comments and COPY data, so that text inside of them is never taken for a statement.
struct ScriptScanner {
    /// Something that stands in the script on its own.
    enum Item {
        /// Without its semicolon. Long literals are shortened, and what stands between dollar quotes is left out.
        case statement([UInt8], line: Int)
        /// A `--` comment outside of any statement, without its line break.
        case comment([UInt8])
        /// A command of psql's own, such as `\connect`.
        case command([UInt8], line: Int)
        /// The rows of a COPY: the line of its statement, and that of the end mark.
        case rows(statement: Int, end: Int)
        /// A row of a COPY that reads as a comment of pg_dump's own would.
        case commentInRows([UInt8])
        /// The script ended inside a statement, a literal or COPY data.
        case unfinished
    }

    private enum State {
        case code
        case lineComment
        case blockComment
        case literal
        case name
        case dollarTag
        case dollarBody
        case command
        /// After `COPY … FROM stdin;`, up to the end of that line.
        case copyLine
        case copyData
    }

    private static let longestStatement = 1 << 20
    private static let longestLiteral = 256
    private static let longestRowHead = 64
    private static let commentHead = Array("-- ".utf8)

    private var state = State.code
    private var text: [UInt8] = []
    private var literalLength = 0
    private var comment: [UInt8] = []
    private var command: [UInt8] = []
    private var tag: [UInt8] = []
    private var matched = 0
    private var depth = 0
    private var nesting = 0
    /// Whether the literal is an `E'…'`, and the byte before was its backslash.
    private var escapes = false
    private var escaped = false
    private var previous: UInt8 = 0
    private var copyHead: [UInt8] = []
    private var line = 1
    /// What psql passes over at the beginning of a file, and how much of it has been seen; nil behind it.
    private static let mark: [UInt8] = [0xef, 0xbb, 0xbf]
    private var seenOfMark: Int? = 0
    /// The line of the COPY whose rows these are.
    private var copyLine = 0

    static func forEachItem(of file: URL, _ body: (Item) throws -> Void) throws {
        var scanner = ScriptScanner()
        try LineReader.forEachChunk(of: file) { try scanner.take($0, body) }
        try scanner.finish(body)
    }

    /// Takes the next piece of the script.
    mutating func take(_ chunk: UnsafeRawBufferPointer, _ body: (Item) throws -> Void) rethrows {
        var index = 0
        while index < chunk.count {
            if case .copyData = state {
                // Rows are most of a dump: they are passed over a line at a time.
                guard let start = chunk.baseAddress, let end = memchr(start + index, 0x0a, chunk.count - index) else {
                    keepHead(of: chunk[index...])
                    return
                }
                let position = UnsafeRawPointer(end) - start
                keepHead(of: chunk[index..<position])
                if copyHead == Array("\\.".utf8) || copyHead == Array("\\.\r".utf8) {
                    state = .code
                    try body(.rows(statement: copyLine, end: line))
                } else if copyHead.starts(with: Self.commentHead) {
                    try body(.commentInRows(copyHead))
                }
                copyHead.removeAll(keepingCapacity: true)
                line += 1
                index = position + 1
                continue
            }
            let byte = chunk[index]
            index += 1
            if byte == UInt8(ascii: "\n") { line += 1 }
            try step(byte, body)
            previous = byte
        }
    }

    /// Of most rows three bytes tell what they are.
    private mutating func keepHead(of row: Slice<UnsafeRawBufferPointer>) {
        let limit = (copyHead.first ?? row.first) == UInt8(ascii: "-") ? Self.longestRowHead : 3
        copyHead.append(contentsOf: row.prefix(limit - min(limit, copyHead.count)))
    }

    mutating func finish(_ body: (Item) throws -> Void) rethrows {
        switch state {
        case .lineComment: try endComment(body)
        case .command: try endCommand(body)
        default: break
        }
        if case .code = state, !hasCode { return }
        try body(.unfinished)
    }

    private var hasCode: Bool { text.contains { !Self.isSpace($0) } }

    private mutating func step(_ byte: UInt8, _ body: (Item) throws -> Void) rethrows {
        if let seen = seenOfMark {
            guard byte != Self.mark[seen] else {
                seenOfMark = seen < Self.mark.count - 1 ? seen + 1 : nil
                return
            }
            seenOfMark = nil
        }
        switch state {
        case .code: try code(byte, body)
        case .lineComment:
            if byte == UInt8(ascii: "\n") { try endComment(body) } else if comment.count < Self.longestLiteral { comment.append(byte) }
        case .blockComment:
            if previous == UInt8(ascii: "/"), byte == UInt8(ascii: "*") {
                nesting += 1
            } else if previous == UInt8(ascii: "*"), byte == UInt8(ascii: "/") {
                nesting -= 1
                if nesting == 0 { state = .code }
            }
        case .literal: literal(byte)
        case .name:
            keep(byte)
            if byte == UInt8(ascii: "\"") { state = .code }
        case .dollarTag:
            if byte == UInt8(ascii: "$") {
                tag.append(byte)
                matched = 0
                state = .dollarBody
            } else if Self.isNameByte(byte) {
                tag.append(byte)
            } else {
                // A parameter such as $1, or a lone sign.
                state = .code
                try code(byte, body)
            }
        case .dollarBody:
            matched = byte == tag[matched] ? matched + 1 : byte == UInt8(ascii: "$") ? 1 : 0
            if matched == tag.count {
                state = .code
                for quote in "''".utf8 { keep(quote) }
            }
        case .command:
            if byte == UInt8(ascii: "\n") { try endCommand(body) } else if command.count < Self.longestLiteral { command.append(byte) }
        case .copyLine:
            if byte == UInt8(ascii: "\n") { state = .copyData }
        case .copyData: break
        }
    }

    private mutating func code(_ byte: UInt8, _ body: (Item) throws -> Void) rethrows {
        switch byte {
        case UInt8(ascii: "'"):
            keep(byte)
            literalLength = 0
            escaped = false
            // Right after a quote it is the second half of a doubled one, and the literal goes on as it began.
            if previous != byte { escapes = previous == UInt8(ascii: "E") || previous == UInt8(ascii: "e") }
            state = .literal
        case UInt8(ascii: "\""):
            keep(byte)
            state = .name
        case UInt8(ascii: "$") where !Self.isNameByte(previous):
            tag = [byte]
            state = .dollarTag
        case UInt8(ascii: "-") where previous == byte && text.last == byte:
            text.removeLast()
            comment = Array("--".utf8)
            state = .lineComment
        case UInt8(ascii: "*") where previous == UInt8(ascii: "/") && text.last == previous:
            text.removeLast()
            nesting = 1
            state = .blockComment
        case UInt8(ascii: "\\"):
            command = [byte]
            state = .command
        case UInt8(ascii: ";") where depth == 0:
            try endStatement(body)
        default:
            if byte == UInt8(ascii: "(") { depth += 1 }
            if byte == UInt8(ascii: ")") { depth = max(0, depth - 1) }
            if hasStarted || !Self.isSpace(byte) { keep(byte) }
        }
    }

    private var hasStarted: Bool { !text.isEmpty }

    private mutating func literal(_ byte: UInt8) {
        if escapes, escaped {
            escaped = false
        } else if escapes, byte == UInt8(ascii: "\\") {
            escaped = true
        } else if byte == UInt8(ascii: "'") {
            // A doubled quote ends one literal and begins the next: for our purpose the same.
            keep(byte)
            state = .code
            return
        }
        literalLength += 1
        if literalLength <= Self.longestLiteral { keep(byte) }
    }

    private mutating func endStatement(_ body: (Item) throws -> Void) rethrows {
        defer {
            text.removeAll(keepingCapacity: true)
            depth = 0
        }
        guard hasCode else { return }
        try body(.statement(text, line: line))
        if Self.isCopyFromInput(text) {
            copyHead.removeAll(keepingCapacity: true)
            copyLine = line
            state = .copyLine
        }
    }

    private mutating func endComment(_ body: (Item) throws -> Void) rethrows {
        state = .code
        if !hasCode { try body(.comment(comment)) }
        comment.removeAll(keepingCapacity: true)
    }

    private mutating func endCommand(_ body: (Item) throws -> Void) rethrows {
        state = .code
        try body(.command(command, line: line))
        command.removeAll(keepingCapacity: true)
    }

    private mutating func keep(_ byte: UInt8) {
        if text.count < Self.longestStatement { text.append(byte) }
    }

    private static func isCopyFromInput(_ text: [UInt8]) -> Bool {
        guard text.prefix(5).elementsEqual(Array("COPY ".utf8)) else { return false }
        let tokens = SQLToken.all(in: text)
        return zip(tokens, tokens.dropFirst()).contains { $0.isWord("FROM") && $1.isWord("STDIN") }
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0d).contains(byte) }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "_"), 0x80...0xff:
            true
        default: false
        }
    }
}
