// An artifact from file to file, digested and decrypted or encrypted on the way, in one pass and constant memory.

import Dispatch
public import Foundation

/// What a pass over an artifact has seen.
public struct StreamedArtifact: Sendable, Hashable {
    /// Of the artifact as it is stored: the side that is encrypted. Lower-case hex.
    public var sha256: String
    public var bytesRead: Int64
    /// 0 where it was only digested.
    public var bytesWritten: Int64

    public init(sha256: String, bytesRead: Int64, bytesWritten: Int64) {
        self.sha256 = sha256
        self.bytesRead = bytesRead
        self.bytesWritten = bytesWritten
    }
}

/// Passes over an artifact. The work runs on a queue of its own; a cancelled task ends it within a chunk. A file that was begun and not
/// finished is removed.
public enum ArtifactStream {
    /// A passphrase or key and the format that it opens.
    public struct Encryption: Sendable {
        /// By the estate file's words.
        public enum Format: String, Sendable, Hashable {
            case openssl, cms
            /// Opened by the program of that name, and not here.
            case age, gpg
        }
        public var format: Format
        /// The passphrase; of another format than `openssl` the key's text.
        public var passphrase: Secret
        /// Of format `openssl` alone.
        public var cipher: OpenSSLEncCipher

        public init(passphrase: Secret, cipher: OpenSSLEncCipher = OpenSSLEncCipher()) {
            format = .openssl
            self.passphrase = passphrase
            self.cipher = cipher
        }

        public init(_ format: Format, key: Secret) {
            self.format = format
            passphrase = key
            cipher = OpenSSLEncCipher()
        }

        /// Whether a program of this machine is needed to open it.
        public var needsProgram: Bool { [.age, .gpg].contains(format) }

        /// Whether the key can be one of its format at all. A key that isn't the right one is told by the files only.
        ///
        /// Throws `invalidKey`.
        public func checkKey() throws(CryptographyError) {
            let text = passphrase.withBytes { String(decoding: $0, as: UTF8.self) }
            switch format {
            case .openssl: break
            case .cms: _ = try CMSRecipient(pem: passphrase)
            case .age:
                guard text.contains("AGE-SECRET-KEY-") || text.contains("AGE-PLUGIN-") || text.contains("PRIVATE KEY-----") else {
                    throw CryptographyError(
                        .invalidKey, message: "the key is no age identity",
                        hint: "the key of format age is what age-keygen wrote, a line that begins with AGE-SECRET-KEY-; age asks for "
                            + "passphrases on a terminal only")
                }
            case .gpg:
                let block = text.contains("-----BEGIN PGP ")
                guard block ? text.contains("-----BEGIN PGP PRIVATE KEY BLOCK-----") : !text.contains(where: \.isNewline) else {
                    throw CryptographyError(
                        .invalidKey, message: "the key is neither an armored private key nor a passphrase of one line",
                        hint: "gpg --armor --export-secret-keys writes the private key; export it without a passphrase of its own")
                }
            }
        }

        /// A stream that turns stored bytes back into plain ones.
        ///
        /// Throws `invalidKey`, and `unsupported` where only a program opens the format.
        public func decryptor() throws(CryptographyError) -> any StoredDecryptor {
            switch format {
            case .openssl: return cipher.decryptor(passphrase: passphrase)
            case .cms: return CMSDecryptor(recipient: try CMSRecipient(pem: passphrase))
            case .age, .gpg:
                throw CryptographyError(
                    .unsupported, message: "format \(format.rawValue) is opened by its own program only",
                    hint: "this is a mistake in muster: please report it")
            }
        }

        /// A stream that turns plain bytes into stored ones.
        func encryptor() throws(CryptographyError) -> OpenSSLEncEncryptor {
            guard format == .openssl else {
                throw CryptographyError(
                    .unsupported, message: "muster writes format openssl only, not \(format.rawValue)",
                    hint:
                        "make the backup with \(format == .cms ? "openssl cms" : format.rawValue), and seal it with muster seal --existing latest"
                )
            }
            return try cipher.encryptor(passphrase: passphrase)
        }
    }

    /// Large enough that system calls cost nothing, small enough to stay in the processor's cache.
    static let chunkSize = 512 * 1024

    /// Copies a file, digesting it as it is stored and decrypting it where asked.
    ///
    /// - Parameters:
    ///   - target: replaced where it exists, readable by its owner only; nil only digests (and proves, with `decrypting`, that it decrypts).
    ///   - flushed: waits until the device has it.
    ///   - progress: told the bytes read so far, after each chunk, on the queue of the work.
    public static func copy(
        from source: URL, to target: URL?, decrypting encryption: Encryption? = nil, flushed: Bool = false,
        progress: @escaping @Sendable (Int64) -> Void = { _ in }
    ) async throws(CryptographyError) -> StreamedArtifact {
        try await BlockingWork.run(on: queue()) { (flag) throws(CryptographyError) in
            let input = try InputFile(source)
            let digest = try SHA256Stream()
            let decryptor = try encryption.map { (encryption) throws(CryptographyError) in try encryption.decryptor() }
            // What is wrong with the bytes, once it shows: the rest is still digested, so that a seal can say whose fault it is.
            var problem: CryptographyError?
            return try pass(from: input, to: target, flushed: flushed, flag: flag, progress: progress) {
                (chunk, output) throws(CryptographyError) in
                guard let chunk else {
                    let sha256 = try digest.finish()
                    do throws(CryptographyError) {
                        if let problem { throw problem }
                        try decryptor?.finish(into: &output)
                    } catch {
                        var error = error
                        error.storedSHA256 = sha256
                        throw error
                    }
                    return sha256
                }
                try digest.update(chunk)
                if problem != nil { return "" }
                if let decryptor {
                    do throws(CryptographyError) {
                        try decryptor.update(chunk, into: &output)
                    } catch {
                        problem = error
                    }
                } else {
                    output += chunk
                }
                return ""
            }
        }
    }

    /// Hands a file over as it is stored, digesting it on the way: for what a program turns into plain bytes.
    ///
    /// - Parameter consume: Called with each chunk, in order, on the queue of the work.
    public static func read(
        _ source: URL, progress: @escaping @Sendable (Int64) -> Void = { _ in },
        consume: @escaping @Sendable (UnsafeRawBufferPointer) -> Void
    ) async throws(CryptographyError) -> (sha256: String, size: Int64) {
        let result = try await BlockingWork.run(on: queue()) { (flag) throws(CryptographyError) in
            let input = try InputFile(source)
            let digest = try SHA256Stream()
            let read = try chunks(of: input, flag: flag, progress: progress) { (chunk) throws(CryptographyError) in
                try digest.update(chunk)
                consume(chunk)
            }
            return StreamedArtifact(sha256: try digest.finish(), bytesRead: read, bytesWritten: 0)
        }
        return (result.sha256, result.bytesRead)
    }

    /// Encrypts a file, digesting what is written. The target appears under its name only when it is whole.
    public static func encrypt(
        from source: URL, to target: URL, encryption: Encryption, flushed: Bool = true,
        progress: @escaping @Sendable (Int64) -> Void = { _ in }
    ) async throws(CryptographyError) -> StreamedArtifact {
        let writer = try await EncryptingFileWriter(to: target, encrypting: encryption, flushed: flushed)
        return try await BlockingWork.run(on: queue()) { (flag) throws(CryptographyError) in
            let input = try InputFile(source)
            let read = try chunks(of: input, flag: flag, progress: progress) { (chunk) throws(CryptographyError) in
                try writer.writeNow(chunk)
            }
            var result = try writer.finishNow()
            result.bytesRead = read
            return result
        }
    }

    /// The SHA-256 of a file, in lower-case hex, and its size in bytes.
    public static func digest(of file: URL) async throws(CryptographyError) -> (sha256: String, size: Int64) {
        let result = try await copy(from: file, to: nil)
        return (result.sha256, result.bytesRead)
    }

    private static func queue() -> DispatchQueue {
        DispatchQueue(label: "muster.cryptography.stream")
    }

    /// Feeds each chunk, and then nil, through `transform`; writes what it appends; gives back what it returned for nil.
    private static func pass(
        from input: borrowing InputFile, to target: URL?, flushed: Bool, flag: CancellationFlag, progress: (Int64) -> Void,
        transform: (UnsafeRawBufferPointer?, inout [UInt8]) throws(CryptographyError) -> String
    ) throws(CryptographyError) -> StreamedArtifact {
        guard let target else {
            var discarded: [UInt8] = []
            let read = try chunks(of: input, flag: flag, progress: progress) { (chunk) throws(CryptographyError) in
                discarded.removeAll(keepingCapacity: true)
                _ = try transform(chunk, &discarded)
            }
            return StreamedArtifact(sha256: try transform(nil, &discarded), bytesRead: read, bytesWritten: 0)
        }
        var file = try OutputFile(target)
        var output: [UInt8] = []
        var written: Int64 = 0
        let read = try chunks(of: input, flag: flag, progress: progress) { (chunk) throws(CryptographyError) in
            output.removeAll(keepingCapacity: true)
            _ = try transform(chunk, &output)
            try output.lend { (bytes) throws(CryptographyError) in try file.write(bytes) }
            written += Int64(output.count)
        }
        output.removeAll(keepingCapacity: true)
        let sha256 = try transform(nil, &output)
        try output.lend { (bytes) throws(CryptographyError) in try file.write(bytes) }
        try file.keep(flushed: flushed)
        return StreamedArtifact(sha256: sha256, bytesRead: read, bytesWritten: written + Int64(output.count))
    }

    private static func chunks(
        of input: borrowing InputFile, flag: CancellationFlag, progress: (Int64) -> Void,
        _ body: (UnsafeRawBufferPointer) throws(CryptographyError) -> Void
    ) throws(CryptographyError) -> Int64 {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: chunkSize, alignment: 64)
        defer { buffer.deallocate() }
        var total: Int64 = 0
        while true {
            try flag.check()
            let count = try input.read(into: buffer)
            guard count > 0 else { return total }
            try body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            total += Int64(count)
            progress(total)
        }
    }
}
