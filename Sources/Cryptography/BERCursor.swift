// Reads the tags and lengths of BER, of which DER is a part, from bytes that may not all have come in yet.

/// One element's beginning.
struct BERHeader {
    /// The first byte: class, whether it is constructed, and number.
    var tag: UInt8
    /// Where its content begins.
    var content: Int
    /// Where it ends; nil where two zero bytes end it.
    var end: Int?

    var isConstructed: Bool { tag & 0x20 != 0 }
}

/// A position in bytes. Every method throws ``Incomplete`` where they end too early.
struct BERCursor {
    /// What has come in so far doesn't reach.
    struct Incomplete: Error {}
    /// No BER, or none that a file of these formats could hold.
    struct Malformed: Error {}

    let bytes: [UInt8]
    /// Where the bytes stand in the file: ends of elements are counted from the file's beginning.
    let base: Int
    private(set) var position: Int
    private static let deepest = 32

    init(_ bytes: [UInt8], base: Int = 0) {
        self.bytes = bytes
        self.base = base
        position = base
    }

    var isAtEnd: Bool { position == base + bytes.count }

    func peek(_ offset: Int = 0) throws -> UInt8 {
        let index = position - base + offset
        guard index < bytes.count else { throw Incomplete() }
        return bytes[index]
    }

    /// Goes behind the tag and length of the next element.
    mutating func enter() throws -> BERHeader {
        let tag = try peek()
        // Numbers above 30 have more bytes; nothing here has one.
        guard tag & 0x1f != 0x1f else { throw Malformed() }
        let first = try peek(1)
        position += 2
        if first == 0x80 {
            guard tag & 0x20 != 0 else { throw Malformed() }
            return BERHeader(tag: tag, content: position, end: nil)
        }
        var length = Int(first)
        if first > 0x80 {
            let count = Int(first & 0x7f)
            guard count <= 8 else { throw Malformed() }
            length = 0
            for _ in 0..<count {
                guard length < 1 << 52 else { throw Malformed() }
                length = length << 8 | Int(try peek())
                position += 1
            }
        }
        guard length < 1 << 60 else { throw Malformed() }
        return BERHeader(tag: tag, content: position, end: position + length)
    }

    /// Enters the next element, which must have this tag.
    mutating func enter(_ tag: UInt8) throws -> BERHeader {
        guard try peek() == tag else { throw Malformed() }
        return try enter()
    }

    /// The next element as it stands, whatever is in it.
    mutating func take() throws -> ArraySlice<UInt8> {
        let start = position
        try skip(depth: 0)
        return bytes[(start - base)..<(position - base)]
    }

    private mutating func skip(depth: Int) throws {
        guard depth < Self.deepest else { throw Malformed() }
        let header = try enter()
        if let end = header.end {
            guard end - base <= bytes.count else { throw Incomplete() }
            position = end
            return
        }
        while try !(peek() == 0 && peek(1) == 0) { try skip(depth: depth + 1) }
        position += 2
    }

    /// Whether an element that was entered ends here.
    func isEnd(of header: BERHeader) throws -> Bool {
        guard let end = header.end else { return try peek() == 0 && peek(1) == 0 }
        guard position <= end else { throw Malformed() }
        return position == end
    }

    /// Leaves an element that must end here.
    mutating func leave(_ header: BERHeader) throws {
        guard try isEnd(of: header) else { throw Malformed() }
        if header.end == nil { position += 2 }
    }

    /// An element of definite length.
    static func element(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
        guard content.count > 127 else { return [tag, UInt8(content.count)] + content }
        var length: [UInt8] = []
        var rest = content.count
        while rest > 0 {
            length.insert(UInt8(rest & 0xff), at: 0)
            rest >>= 8
        }
        return [tag, 0x80 | UInt8(length.count)] + length + content
    }
}
