// The head of a CMS envelope: who may open it, with which cipher, and where its content begins (RFC 5652 and RFC 5083).

/// All that stands before the encrypted content of an EnvelopedData or AuthEnvelopedData.
public struct CMSEnvelope {
    /// More than this is no list of recipients that anybody has.
    static let largestHead = 1 << 20
    private static let enveloped: [UInt8] = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x03]
    private static let authEnveloped: [UInt8] = [0x06, 0x0b, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x17]

    /// Whether a code at its end vouches for the content.
    let isAuthenticated: Bool
    /// The element that holds the content, and those around it, from the outermost on.
    let content: BERHeader
    let around: [BERHeader]
    /// Version, originator, recipients.
    private let parties: [UInt8]
    /// The content's type, and the cipher with its parameters.
    private let cipher: [UInt8]

    /// - Throws: ``BERCursor/Incomplete`` where more bytes are needed, ``BERCursor/Malformed``.
    init(_ bytes: [UInt8]) throws {
        var cursor = BERCursor(bytes)
        let outer = try cursor.enter(0x30)
        let type = Array(try cursor.take())
        guard type == Self.enveloped || type == Self.authEnveloped else { throw BERCursor.Malformed() }
        isAuthenticated = type == Self.authEnveloped
        let wrapper = try cursor.enter(0xa0)
        let envelope = try cursor.enter(0x30)
        guard try cursor.peek() == 0x02 else { throw BERCursor.Malformed() }
        var parties = Array(try cursor.take())
        if try cursor.peek() == 0xa0 { parties += try cursor.take() }
        guard try cursor.peek() == 0x31 else { throw BERCursor.Malformed() }
        parties += try cursor.take()
        self.parties = parties
        let info = try cursor.enter(0x30)
        guard try cursor.peek() == 0x06 else { throw BERCursor.Malformed() }
        var cipher = Array(try cursor.take())
        guard try cursor.peek() == 0x30 else { throw BERCursor.Malformed() }
        cipher += try cursor.take()
        self.cipher = cipher
        guard try [0x80, 0xa0].contains(cursor.peek()) else { throw BERCursor.Malformed() }
        content = try cursor.enter()
        around = [outer, wrapper, envelope, info]
    }

    /// Where the content begins in a file, in bytes; nil where these first bytes of it don't reach, or are of no envelope.
    public static func contentStart(in head: [UInt8]) -> Int? {
        (try? CMSEnvelope(head))?.content.content
    }

    /// The same envelope without its content, in definite lengths: small, whatever the file's size.
    ///
    /// The code at its end has not come in yet; zeros stand in its place.
    var detached: [UInt8] {
        let info = BERCursor.element(0x30, cipher)
        let code = isAuthenticated ? BERCursor.element(0x04, [UInt8](repeating: 0, count: 16)) : []
        let envelope = BERCursor.element(0x30, parties + info + code)
        return BERCursor.element(0x30, (isAuthenticated ? Self.authEnveloped : Self.enveloped) + BERCursor.element(0xa0, envelope))
    }

    /// What stands behind the content: the authenticating code, where there is one.
    ///
    /// - Parameters:
    ///   - bytes: All that follows the content.
    ///   - position: Where they stand in the file.
    /// - Throws: ``BERCursor/Incomplete``, ``BERCursor/Malformed``, and ``Unsupported`` for attributes that the code covers too.
    func code(in bytes: [UInt8], at position: Int) throws -> [UInt8] {
        var cursor = BERCursor(bytes, base: position)
        try cursor.leave(around[3])
        var code: [UInt8] = []
        if isAuthenticated {
            if try cursor.peek() == 0xa1 { throw Unsupported() }
            let element = try cursor.enter(0x04)
            guard let end = element.end, (12...16).contains(end - element.content) else { throw BERCursor.Malformed() }
            for offset in 0..<(end - element.content) { code.append(try cursor.peek(offset)) }
            cursor = BERCursor(Array(bytes[(end - position)...]), base: end)
        }
        // Attributes that nothing vouches for say nothing that is used here.
        let attributes: UInt8 = isAuthenticated ? 0xa2 : 0xa1
        if try !cursor.isEnd(of: around[2]), try cursor.peek() == attributes { _ = try cursor.take() }
        for element in around[..<3].reversed() { try cursor.leave(element) }
        guard cursor.isAtEnd else { throw BERCursor.Malformed() }
        return code
    }

    struct Unsupported: Error {}
}
