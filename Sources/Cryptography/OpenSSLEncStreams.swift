// Encryption and decryption in the `openssl enc` format, chunk by chunk.

/// Plain bytes in, stored bytes out. Not to be shared between tasks.
public final class OpenSSLEncEncryptor {
    private let context: CipherContext
    private var header: [UInt8]

    init(context: CipherContext, header: [UInt8]) {
        self.context = context
        self.header = header
    }

    /// Appends the stored form of the bytes to the output; the first call puts the header in front.
    public func update(_ bytes: UnsafeRawBufferPointer, into output: inout [UInt8]) throws(CryptographyError) {
        output += header
        header = []
        try context.update(bytes, into: &output)
    }

    public func update(_ bytes: [UInt8]) throws(CryptographyError) -> [UInt8] {
        var output: [UInt8] = []
        try bytes.lend { (bytes) throws(CryptographyError) in try update(bytes, into: &output) }
        return output
    }

    /// Appends the last, padded block. The stream is used up.
    public func finish(into output: inout [UInt8]) throws(CryptographyError) {
        output += header
        header = []
        guard context.finish(into: &output) else { throw .library("running AES") }
    }

    public func finish() throws(CryptographyError) -> [UInt8] {
        var output: [UInt8] = []
        try finish(into: &output)
        return output
    }
}

/// Stored bytes in, plain bytes out. Not to be shared between tasks.
public final class OpenSSLEncDecryptor: StoredDecryptor {
    private let cipher: OpenSSLEncCipher
    private let passphrase: Secret
    private var header: [UInt8] = []
    private var context: CipherContext?
    /// Stored bytes after the header.
    private var count = 0
    /// The first bytes as they came, until they tell whether the file is text.
    private var begin: [UInt8]? = []
    private var text: Base64Stream?
    private var isWholeText = true

    init(cipher: OpenSSLEncCipher, passphrase: Secret) {
        self.cipher = cipher
        self.passphrase = passphrase
    }

    /// Appends the plain form of the bytes to the output; the last block is held back until ``finish(into:)``.
    ///
    /// Base64 of such a file (`openssl enc -a`) is read as well. Throws `notEncrypted` as soon as the header has come in and is none.
    public func update(_ bytes: UnsafeRawBufferPointer, into output: inout [UInt8]) throws(CryptographyError) {
        guard var begin else { return try take(bytes, into: &output) }
        begin += bytes
        self.begin = begin
        guard begin.count >= Base64Stream.mark.count else { return }
        self.begin = nil
        if Base64Stream.begins(begin) { text = Base64Stream() }
        try begin.lend { (bytes) throws(CryptographyError) in try take(bytes, into: &output) }
    }

    private func take(_ bytes: UnsafeRawBufferPointer, into output: inout [UInt8]) throws(CryptographyError) {
        guard text != nil else { return try decrypt(bytes, into: &output) }
        var stored: [UInt8] = []
        // What is no base64 any more is damage, which the end says: so much of it as there is.
        isWholeText = isWholeText && text?.update(bytes, into: &stored) == true
        try stored.lend { (stored) throws(CryptographyError) in try decrypt(stored, into: &output) }
    }

    private func decrypt(_ bytes: UnsafeRawBufferPointer, into output: inout [UInt8]) throws(CryptographyError) {
        var rest = bytes[...]
        if context == nil {
            let missing = OpenSSLEncCipher.headerSize - header.count
            header += rest.prefix(missing)
            rest = rest.dropFirst(missing)
            guard header.starts(with: OpenSSLEncCipher.magic.prefix(header.count)) else { throw Self.notEncrypted }
            guard header.count == OpenSSLEncCipher.headerSize else { return }
            context = try cipher.context(passphrase: passphrase, salt: Array(header.suffix(8)), encrypting: false)
        }
        count += rest.count
        try context?.update(UnsafeRawBufferPointer(rebasing: rest), into: &output)
    }

    /// Appends the last block, without its padding. The stream is used up.
    ///
    /// Throws `truncated` or `wrongKeyOrDamaged`.
    public func finish(into output: inout [UInt8]) throws(CryptographyError) {
        if let begin {
            self.begin = nil
            try begin.lend { (bytes) throws(CryptographyError) in try decrypt(bytes, into: &output) }
        }
        if text != nil {
            var last: [UInt8] = []
            isWholeText = text?.finish(into: &last) == true && isWholeText
            try last.lend { (bytes) throws(CryptographyError) in try decrypt(bytes, into: &output) }
        }
        if let problem = Self.truncation(size: Int64(header.count + count)) { throw problem }
        guard isWholeText, let context, context.finish(into: &output) else {
            throw CryptographyError(
                .wrongKeyOrDamaged, message: "the last block does not decrypt",
                hint: "the key is wrong or the file is damaged: the format has no checksum that would tell the two apart; "
                    + "where a seal gives the file's SHA-256 and it matches, the key (or the iterations and digest) is wrong")
        }
    }

    static let notEncrypted = CryptographyError(
        .notEncrypted, message: "the file is not in the `openssl enc` format: it does not begin with Salted__",
        hint: "if the backup is stored in plain, take `encryption` out of its entry in the estate file; "
            + "if it was written with -nosalt or in another format, that format is not supported")

    /// The error for a size, in bytes, that no whole file of this format can have.
    static func truncation(size: Int64) -> CryptographyError? {
        let header = Int64(OpenSSLEncCipher.headerSize)
        let block = Int64(OpenSSLEncCipher.blockSize)
        let hint = "fetch the file again, and compare its size with the original's; a copy that was cut off cannot be decrypted"
        if size == 0 {
            return CryptographyError(.truncated, message: "the file is empty", hint: hint)
        }
        if size < header + block {
            return CryptographyError(
                .truncated, message: "the file is cut off: \(size) bytes, where header and one block make \(header + block)", hint: hint)
        }
        if (size - header) % block != 0 {
            return CryptographyError(
                .truncated, message: "the file is cut off: \(size) bytes are no whole number of blocks of \(block)", hint: hint)
        }
        return nil
    }
}
