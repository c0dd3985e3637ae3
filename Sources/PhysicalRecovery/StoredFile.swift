// One stored file, read as its content: decrypted and decompressed on the way, in constant memory, off Swift's own threads.

import ArtifactFormats
import Cryptography
import Foundation
import Glibc
import OutsideTools
import ScratchHost

/// Why a stored file's content could not be had.
struct StoredFileProblem: Error, Sendable, Hashable {
    enum Kind: Sendable, Hashable {
        /// Not there, or not readable.
        case unreadable
        /// Encrypted where the estate says plain, or plain where it says encrypted.
        case encryption
        /// The key is wrong or the file is damaged.
        case undecryptable
        /// Cut off, or not what its compression should be.
        case damaged
        /// This machine can't: a full disk, a missing tool.
        case machine
        case cancelled
    }
    var kind: Kind
    /// One sentence, lower case, no full stop.
    var message: String
    var hint: String

    init(_ kind: Kind, _ message: String, hint: String) {
        self.kind = kind
        self.message = message
        self.hint = hint
    }
}

/// A file in a store.
struct StoredFile: Sendable {
    static let chunkSize = 256 * 1024

    var location: URL
    var encryption: ArtifactStream.Encryption?

    /// Hands the content over, chunk by chunk and in order, on a queue for blocking work.
    ///
    /// Decompression runs as a program inside the quarantine, fed and read through pipes: a hostile file meets a user without rights.
    func read(
        on host: ScratchHost, _ consume: @escaping @Sendable (UnsafeRawBufferPointer) throws -> Void
    ) async throws {
        let head = try await BlockingQueue.run { _ in try self.head() }
        guard let decompressor = Decompressor.of(ArtifactFormat(head: head)) else {
            return try await BlockingQueue.run { flag in try self.decrypted(flag) { try consume($0) } }
        }
        try await decompressed(by: decompressor, on: host, consume)
    }

    /// The first bytes of the content below any compression: enough to tell its format.
    func head() throws -> [UInt8] {
        var head: [UInt8] = []
        do {
            // A list of recipients stands in front of what a CMS envelope holds.
            let header = encryption?.format == .cms ? 16 * 1024 : 64
            try decrypted(nil, upTo: ArtifactFormat.bytesNeeded + header) { head += $0 }
        } catch is Enough {}
        return head
    }

    private struct Enough: Error {}

    /// - Parameter limit: Stops with ``Enough`` after about so many stored bytes: the end of the stream is not judged then.
    func decrypted(
        _ flag: StopFlag?, upTo limit: Int? = nil, acceptingAnything: Bool = false, _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        let descriptor = open(location.path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            if [EACCES, EPERM].contains(errno) {
                throw StoredFileProblem(
                    .machine, "\(location.path) may not be read by this user", hint: "run muster as a user who may, or let this one")
            }
            throw StoredFileProblem(
                .unreadable, "\(location.lastPathComponent) can't be read", hint: "check its permissions, and that the store is whole")
        }
        defer { close(descriptor) }
        posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: limit ?? Self.chunkSize, alignment: 64)
        defer { buffer.deallocate() }
        let decryptor: (any StoredDecryptor)?
        do throws(CryptographyError) { decryptor = try encryption?.decryptor() } catch { throw problem(error) }
        var plain: [UInt8] = []
        var first = true
        while true {
            try flag?.check()
            let count = try Self.fill(buffer, from: descriptor, name: location.lastPathComponent)
            let chunk = UnsafeRawBufferPointer(rebasing: buffer[..<count])
            if first, !acceptingAnything { try checkEncryption(of: chunk) }
            first = false
            guard count > 0 else { break }
            if let decryptor {
                plain.removeAll(keepingCapacity: true)
                do throws(CryptographyError) { try decryptor.update(chunk, into: &plain) } catch { throw problem(error) }
                if !plain.isEmpty { try plain.withUnsafeBytes(body) }
            } else {
                try body(chunk)
            }
            if limit != nil { throw Enough() }
        }
        guard let decryptor else { return }
        plain.removeAll(keepingCapacity: true)
        do throws(CryptographyError) { try decryptor.finish(into: &plain) } catch { throw problem(error) }
        if !plain.isEmpty { try plain.withUnsafeBytes(body) }
    }

    private func checkEncryption(of head: UnsafeRawBufferPointer) throws {
        let found = ArtifactFormat(head: Array(head.prefix(ArtifactFormat.bytesNeeded))).encryption
        guard found != encryption?.format.rawValue else { return }
        let encrypted = found != nil
        // An empty file is damage, whatever it should have been.
        guard !head.isEmpty else {
            throw StoredFileProblem(
                .damaged, "\(location.lastPathComponent) is empty", hint: "look at the archiving job's log: its disk may have been full")
        }
        if let found, encryption != nil {
            throw StoredFileProblem(
                .encryption, "\(location.lastPathComponent) is encrypted in another format than the estate says",
                hint: "declare encryption: {format: \(found), key: …} in the estate file")
        }
        throw encrypted
            ? StoredFileProblem(
                .encryption, "the estate says that \(location.lastPathComponent) is not encrypted, and it is",
                hint: "declare encryption: {format: \(found ?? "openssl"), key: …} in the estate file")
            : StoredFileProblem(
                .encryption, "the estate says that \(location.lastPathComponent) is encrypted, and it is not",
                hint: "mend the backup job, remove the plain copy from the store, and treat its content as disclosed")
    }

    private func problem(_ error: CryptographyError) -> StoredFileProblem {
        let name = location.lastPathComponent
        if [.truncated, .wrongKeyOrDamaged].contains(error.kind), let other = otherWriting(name) { return other }
        return switch error.kind {
        case .truncated:
            StoredFileProblem(.damaged, "\(name) is cut short", hint: "compare its size with the job's log, and store it again")
        case .wrongKeyOrDamaged, .notEncrypted:
            StoredFileProblem(
                .undecryptable, "\(name) doesn't decrypt",
                hint: "try the key of that day; if it is the right one, the file is damaged: fetch another copy"
                    + (encryption?.format == .openssl ? "; " + OpenSSLEncCipher.otherwise : ""))
        default: StoredFileProblem(.machine, error.message, hint: error.hint)
        }
    }

    /// Where `openssl enc` wrote it otherwise than the estate says, which trying tells: how.
    private func otherWriting(_ name: String) -> StoredFileProblem? {
        guard let encryption, encryption.format == .openssl,
            let head = try? ArtifactStream.head(of: location, count: OpenSSLEncGuess.sampleSize),
            let guess = try? OpenSSLEncGuess.find(
                head: head, passphrase: encryption.passphrase, declared: encryption.cipher, cancelled: { false }, fits: KnownBeginning.holds
            ),
            !guess.isRead || guess.made != encryption.cipher
        else { return nil }
        return StoredFileProblem(
            .undecryptable, "\(name) doesn't decrypt: openssl enc wrote it with \(guess.words)",
            hint: guess.isRead
                ? "write it into the estate file: \(guess.made.declaration)"
                : "have the job use openssl enc -aes-256-cbc: \(guess.cipher) is not read")
    }

    private static func fill(_ buffer: UnsafeMutableRawBufferPointer, from descriptor: Int32, name: String) throws -> Int {
        var filled = 0
        while filled < buffer.count {
            let count = Glibc.read(descriptor, buffer.baseAddress.map { $0 + filled }, buffer.count - filled)
            if count == 0 { break }
            if count > 0 {
                filled += count
            } else if errno != EINTR {
                throw StoredFileProblem(.unreadable, "\(name) can't be read to its end", hint: "check the store's disk")
            }
        }
        return filled
    }

    /// decrypt → pipe → program → pipe → consume: all three at once.
    private func decompressed(
        by decompressor: Decompressor, on host: ScratchHost, _ consume: @escaping @Sendable (UnsafeRawBufferPointer) throws -> Void
    ) async throws {
        let stored: PipeEnds
        let plain: PipeEnds
        do throws(ScratchError) {
            (stored, plain) = (try PipeEnds(), try PipeEnds())
        } catch {
            throw StoredFileProblem(.machine, error.message, hint: error.hint)
        }
        let name = location.lastPathComponent
        async let writing: Void = BlockingQueue.run { flag in
            defer { stored.closeWriting() }
            try self.decrypted(flag) { try stored.write($0) }
        }
        async let reading: Void = BlockingQueue.run { flag in
            defer { plain.closeReading() }
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.chunkSize, alignment: 64)
            defer { buffer.deallocate() }
            while true {
                try flag.check()
                let count = try Self.fill(buffer, from: plain.reading, name: name)
                guard count > 0 else { return }
                try consume(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            }
        }
        let ended: Result<ToolResult, any Error>
        do {
            ended = .success(try await host.run(decompressor.command, input: stored.readingPath, output: plain.writingPath))
        } catch {
            ended = .failure(error)
        }
        // The program is gone: our own copies of its ends must not keep the two threads waiting.
        stored.closeReading()
        plain.closeWriting()
        let wrote: Result<Void, any Error>
        do { wrote = .success(try await writing) } catch { wrote = .failure(error) }
        let read: Result<Void, any Error>
        do { read = .success(try await reading) } catch { read = .failure(error) }
        // A broken pipe only follows from the program's end or the reader's: theirs is the cause.
        if case .failure(let error) = wrote, !(error is BrokenPipe) { throw error }
        try read.get()
        let result: ToolResult
        do {
            result = try ended.get()
        } catch let error as ScratchError {
            throw StoredFileProblem(.machine, error.message, hint: error.hint)
        }
        guard result.succeeded, case .success = wrote else {
            throw StoredFileProblem(
                .damaged, "\(name) is cut short or damaged: \(decompressor.program) can't unpack it",
                hint: "fetch another copy, and check the store's disk")
        }
    }
}
