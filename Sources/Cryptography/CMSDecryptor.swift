// Decryption of a CMS envelope as it comes in: the head is small, the content passes through, memory stays flat.

/// Stored bytes of an EnvelopedData or AuthEnvelopedData in DER or BER in, plain bytes out. Not to be shared between tasks.
///
/// Of an AuthEnvelopedData the plain bytes are worth nothing until ``finish(into:)`` has returned: the code that vouches for them
/// stands at its end.
final class CMSDecryptor: StoredDecryptor {
    private enum Part {
        case head([UInt8])
        case content
        case tail([UInt8])
    }
    private let recipient: CMSRecipient
    private var part = Part.head([])
    private var envelope: CMSEnvelope?
    private var cipher: CMSContent?
    /// Where in the file the next byte of the content stands.
    private var position = 0
    /// Bytes that are left of the current piece of content.
    private var left = 0
    /// The elements around the pieces that are open, from the outermost on.
    private var open: [BERHeader] = []
    /// The tag and the length of the next piece, as far as they have come in.
    private var pieceHeader: [UInt8] = []

    init(recipient: CMSRecipient) {
        self.recipient = recipient
    }

    func update(_ bytes: UnsafeRawBufferPointer, into output: inout [UInt8]) throws(CryptographyError) {
        switch part {
        case .head(var head):
            head += bytes
            part = .head(head)
            try begin(head, into: &output)
        case .content: try take(bytes, into: &output)
        case .tail(var tail):
            tail += bytes
            guard tail.count <= CMSEnvelope.largestHead else { throw Self.damaged }
            part = .tail(tail)
        }
    }

    private func begin(_ head: [UInt8], into output: inout [UInt8]) throws(CryptographyError) {
        let envelope: CMSEnvelope
        do {
            envelope = try CMSEnvelope(head)
        } catch is BERCursor.Incomplete {
            if head.count > CMSEnvelope.largestHead { throw Self.damaged }
            return
        } catch {
            throw head.first == 0x30 ? Self.damaged : Self.notEncrypted
        }
        self.envelope = envelope
        cipher = try recipient.open(envelope)
        position = envelope.content.content
        part = .content
        if envelope.content.isConstructed {
            open = [envelope.content]
            try close()
        } else {
            left = (envelope.content.end ?? position) - position
            if left == 0 { part = .tail([]) }
        }
        let rest = Array(head[envelope.content.content...])
        try rest.lend { (bytes) throws(CryptographyError) in try update(bytes, into: &output) }
    }

    private func take(_ bytes: UnsafeRawBufferPointer, into output: inout [UInt8]) throws(CryptographyError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            guard case .content = part else {
                return try update(UnsafeRawBufferPointer(rebasing: rest), into: &output)
            }
            if left > 0 {
                let piece = rest.prefix(left)
                try cipher?.update(UnsafeRawBufferPointer(rebasing: piece), into: &output)
                rest = rest.dropFirst(piece.count)
                left -= piece.count
                position += piece.count
                if left == 0 { try close() }
            } else if let byte = rest.popFirst() {
                pieceHeader.append(byte)
                try beginPiece()
            }
        }
    }

    /// Once tag and length of a piece are whole.
    private func beginPiece() throws(CryptographyError) {
        guard let around = open.last, pieceHeader.count <= 10 else { throw Self.damaged }
        if around.end == nil, pieceHeader == [0, 0] {
            position += 2
            pieceHeader = []
            open.removeLast()
            return try close()
        }
        var cursor = BERCursor(pieceHeader, base: position)
        let header: BERHeader
        do {
            header = try cursor.enter()
        } catch is BERCursor.Incomplete {
            return
        } catch {
            throw Self.damaged
        }
        if let outer = around.end, (header.end ?? header.content) > outer { throw Self.damaged }
        position = header.content
        pieceHeader = []
        switch header.tag {
        case 0x04: left = (header.end ?? position) - position
        case 0x24 where open.count < 8: open.append(header)
        default: throw Self.damaged
        }
        if left == 0 { try close() }
    }

    /// Leaves the elements that end here; behind the outermost one the tail begins.
    private func close() throws(CryptographyError) {
        while let last = open.last, let end = last.end, end <= position {
            guard end == position else { throw Self.damaged }
            open.removeLast()
        }
        if open.isEmpty { part = .tail([]) }
    }

    /// Appends the rest. The stream is used up.
    ///
    /// Throws `truncated` or `wrongKeyOrDamaged`.
    func finish(into output: inout [UInt8]) throws(CryptographyError) {
        guard case .tail(let tail) = part, let envelope, let cipher else { throw Self.truncated }
        let code: [UInt8]
        do {
            code = try envelope.code(in: tail, at: position)
        } catch is BERCursor.Incomplete {
            throw Self.truncated
        } catch is CMSEnvelope.Unsupported {
            throw CryptographyError(
                .unsupported, message: "the envelope's code covers attributes beside its content, which muster doesn't read",
                hint: "encrypt with openssl cms -encrypt, which writes none")
        } catch {
            throw Self.damaged
        }
        guard cipher.finish(code: code, into: &output) else {
            throw CryptographyError(
                .wrongKeyOrDamaged,
                message: envelope.isAuthenticated ? "the content is not what its code vouches for" : "the last block does not decrypt",
                hint: "the file was changed or damaged, or the key is wrong: fetch another copy")
        }
    }

    static let damaged = CryptographyError(
        .wrongKeyOrDamaged, message: "the file is no whole CMS envelope", hint: "the file was changed or damaged: fetch another copy")

    private static let truncated = CryptographyError(
        .truncated, message: "the CMS envelope is cut off before its end",
        hint: "fetch the file again, and compare its size with the original's; a copy that was cut off cannot be decrypted")

    private static let notEncrypted = CryptographyError(
        .notEncrypted, message: "the file is no CMS envelope in DER",
        hint: "write it with openssl cms -encrypt -binary -stream -outform DER; PEM and S/MIME are not read")
}
