// Takes bytes as a backup tool writes them, and leaves an encrypted, digested file.

import Dispatch
public import Foundation

/// A file that is encrypted and digested as it is written. It appears under its name only once it is finished; one that is dropped before
/// leaves nothing behind.
///
/// Writes must come one after the other: the caller awaits each before the next.
public final class EncryptingFileWriter: Sendable {
    private let state: State
    private let queue = DispatchQueue(label: "muster.cryptography.writer")

    /// Opens `<name>.partial` beside the target, readable by its owner only.
    ///
    /// - Parameters:
    ///   - encryption: nil writes in plain, digested all the same.
    ///   - flushed: makes ``finish()`` wait until the device has it.
    public init(
        to target: URL, encrypting encryption: ArtifactStream.Encryption?, flushed: Bool = true
    ) async throws(CryptographyError) {
        state = try await BlockingWork.run(on: queue) { (_) throws(CryptographyError) in
            try State(target: target, encryption: encryption, flushed: flushed)
        }
    }

    /// Appends bytes of the plain side.
    public func write(_ bytes: [UInt8]) async throws(CryptographyError) {
        try await BlockingWork.run(on: queue) { [self] (flag) throws(CryptographyError) in
            try flag.check()
            try bytes.lend { (bytes) throws(CryptographyError) in try writeNow(bytes) }
        }
    }

    /// Writes the end, and gives the file its name.
    ///
    /// - Returns: the SHA-256 of the file as written, the plain bytes that came in, and the file's size.
    public func finish() async throws(CryptographyError) -> StreamedArtifact {
        try await BlockingWork.run(on: queue) { [self] (_) throws(CryptographyError) in try finishNow() }
    }

    /// Removes what was written. After ``finish()`` it does nothing.
    public func abandon() async {
        _ = try? await BlockingWork.run(on: queue) { [self] (_) throws(CryptographyError) in state.abandon() }
    }

    /// For a caller that is on a queue for blocking work already.
    func writeNow(_ bytes: UnsafeRawBufferPointer) throws(CryptographyError) {
        try state.write(bytes)
    }

    func finishNow() throws(CryptographyError) -> StreamedArtifact {
        try state.finish()
    }

    // @unchecked: only one queue at a time touches it. Each method of the writer awaits its turn on the writer's serial queue, and the
    // calls without a queue come from the one caller that never mixes the two.
    private final class State: @unchecked Sendable {
        private var file: OutputFile?
        private let target: URL
        private let digest: SHA256Stream
        private let encryptor: OpenSSLEncEncryptor?
        private let flushed: Bool
        private var output: [UInt8] = []
        private var result = StreamedArtifact(sha256: "", bytesRead: 0, bytesWritten: 0)

        init(target: URL, encryption: ArtifactStream.Encryption?, flushed: Bool) throws(CryptographyError) {
            self.target = target
            self.flushed = flushed
            digest = try SHA256Stream()
            if let encryption {
                encryptor = try encryption.encryptor()
            } else {
                encryptor = nil
            }
            file = try OutputFile(target.appendingPathExtension("partial"))
        }

        func write(_ bytes: UnsafeRawBufferPointer) throws(CryptographyError) {
            result.bytesRead += Int64(bytes.count)
            guard let encryptor else { return try store(bytes) }
            output.removeAll(keepingCapacity: true)
            try encryptor.update(bytes, into: &output)
            try output.lend { (bytes) throws(CryptographyError) in try store(bytes) }
        }

        func finish() throws(CryptographyError) -> StreamedArtifact {
            if let encryptor {
                output.removeAll(keepingCapacity: true)
                try encryptor.finish(into: &output)
                try output.lend { (bytes) throws(CryptographyError) in try store(bytes) }
            }
            result.sha256 = try digest.finish()
            try file?.keep(flushed: flushed, as: target)
            file = nil
            return result
        }

        func abandon() {
            file = nil
        }

        private func store(_ bytes: UnsafeRawBufferPointer) throws(CryptographyError) {
            guard file != nil else {
                throw CryptographyError(
                    .cannotWrite(path: target.path, code: EBADF), message: "cannot write \(target.path): it was finished before",
                    hint: "this is a mistake in muster: please report it")
            }
            try digest.update(bytes)
            try file?.write(bytes)
            result.bytesWritten += Int64(bytes.count)
        }
    }
}
