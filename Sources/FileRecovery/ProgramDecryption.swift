// Decryption by age or gpg, inside the quarantine: stored bytes pass through a pipe, digested on the way, and never lie in memory.

import Cryptography
import DrillModel
import Foundation
import ScratchHost

extension Rule {
    static let programMissing = Rule("program-missing")
}

/// Opens artifacts of a format that only its own program reads.
struct ProgramDecryption: Sendable {
    var host: ScratchHost
    var encryption: ArtifactStream.Encryption

    /// How a program ended that was fed with a stored file.
    struct Ending: Sendable {
        var result: ToolResult
        /// The beginning of what it said. It may hold names of recipients: nothing of it is ever shown.
        var said: String
        var stored: (sha256: String, size: Int64)
        /// Whether it took every byte.
        var tookAll: Bool
    }

    /// Decrypts a file into another one.
    ///
    /// - Parameter isCut: Whether it was cut off on purpose: what opens of it is kept then.
    /// - Throws: ``CryptographyError`` with the digest of the stored bytes; ``DrillFailure`` (error) where the program is missing or
    ///   can't work here; `CancellationError`.
    func copy(
        from source: URL, to target: URL, isCut: Bool = false, progress: @escaping @Sendable (Int64) -> Void
    ) async throws -> StreamedArtifact {
        let work: URL
        do throws(ScratchError) {
            // Short: an agent's socket lies in it.
            work = try host.folder.keyFolder()
        } catch {
            throw Self.machine(error)
        }
        defer { try? FileManager.default.removeItem(at: work) }
        do {
            let ending =
                encryption.format == .age
                ? try await age(source, target, work, progress) : try await gpg(source, target, work, progress)
            let size = (try? FileManager.default.attributesOfItem(atPath: target.path)[.size] as? Int64) ?? 0
            return StreamedArtifact(sha256: ending.stored.sha256, bytesRead: ending.stored.size, bytesWritten: size)
        } catch {
            let size = (try? FileManager.default.attributesOfItem(atPath: target.path)[.size] as? Int64) ?? 0
            if isCut, error is CryptographyError, size > 0 { return StreamedArtifact(sha256: "", bytesRead: 0, bytesWritten: size) }
            // Half a file proves nothing, and may be what somebody else wrote into it.
            try? FileManager.default.removeItem(at: target)
            throw error
        }
    }

    // MARK: age

    private func age(
        _ source: URL, _ target: URL, _ work: URL, _ progress: @escaping @Sendable (Int64) -> Void
    ) async throws -> Ending {
        let ending = try await run(["age", "-d", "-i"], key: true, then: [], source, target, work, progress)
        if ending.result.succeeded, ending.tookAll { return ending }
        if ending.said.contains("failed to obtain passphrase") { throw Self.unusableKey("the identity is behind a passphrase of its own") }
        if ending.said.contains("passphrase-encrypted") {
            throw DrillFailure.error(
                Finding(
                    .encryptionFormUnsupported, object: source.lastPathComponent, expected: "a file that was encrypted for a recipient",
                    actual: "one that was encrypted with a passphrase",
                    message: "age asks for the passphrase of such a file on a terminal only",
                    hint: "encrypt with age -r RECIPIENT, and name the identity as the key"))
        }
        if ending.said.contains("error: reading") { throw Self.unusableKey("age doesn't take the key as an identity") }
        let cut = ["unexpected EOF", "header: EOF"].contains(where: ending.said.contains)
        throw failure(of: ending, isCut: cut)
    }

    // MARK: gpg

    private func gpg(
        _ source: URL, _ target: URL, _ work: URL, _ progress: @escaping @Sendable (Int64) -> Void
    ) async throws -> Ending {
        let common = ["gpg", "--homedir", work.path, "--batch", "--no-tty", "--quiet"]
        let decrypt = [
            "--status-fd", "2", "--trust-model", "always", "--disable-dirmngr", "--skip-verify", "--decrypt",
        ]
        let isKey = encryption.passphrase.withBytes {
            String(decoding: $0, as: UTF8.self).contains("-----BEGIN PGP PRIVATE KEY BLOCK-----")
        }
        let ending: Ending
        if isKey {
            do {
                try await importKey(common, work)
                ending = try await run(
                    common + ["--pinentry-mode", "error"] + decrypt, key: false, then: [], source, target, work, progress)
            } catch {
                await endAgent(work)
                throw error
            }
            await endAgent(work)
        } else {
            ending = try await run(
                common + ["--pinentry-mode", "loopback", "--passphrase-file"], key: true, then: decrypt, source, target, work, progress)
        }
        if ending.result.succeeded, ending.tookAll, GPGStatus(ending.said).isAuthenticated { return ending }
        // It says the same of a cut file as of a changed one; a seal knows its size.
        throw failure(of: ending, isCut: false)
    }

    /// Into a key ring of this one file's, which its agent keeps inside the private folder until both are gone.
    private func importKey(_ common: [String], _ work: URL) async throws {
        let pipe: PipeEnds
        do throws(ScratchError) { pipe = try PipeEnds() } catch { throw Self.machine(error) }
        let key = encryption.passphrase
        async let writing: Void = Self.blocking {
            key.withBytes { try? pipe.write($0) }
            pipe.closeWriting()
        }
        let result: ToolResult
        do {
            result = try await host.run(common + ["--import"], workingFolder: work, input: pipe.readingPath)
        } catch {
            pipe.closeReading()
            await writing
            throw translated(error)
        }
        pipe.closeReading()
        await writing
        guard result.succeeded else { throw Self.unusableKey("gpg doesn't take the key as a private key") }
        // Asked of the agent: a key that is locked and one that is wrong fail alike later on.
        let listed: ToolResult
        do {
            listed = try await host.run(["gpg-connect-agent", "--homedir", work.path, "KEYINFO --list", "/bye"], workingFolder: work)
        } catch {
            throw translated(error)
        }
        let keys = listed.output.split(separator: "\n").map { $0.split(separator: " ") }.filter { $0.starts(with: ["S", "KEYINFO"]) }
        if !keys.isEmpty, keys.allSatisfy({ $0.count > 7 && $0[7] == "P" }) {
            throw Self.unusableKey("the private key is behind a passphrase of its own")
        }
    }

    /// Also where the drill was cancelled.
    private func endAgent(_ work: URL) async {
        let host = host
        await Task { _ = try? await host.run(["gpgconf", "--homedir", work.path, "--kill", "all"], workingFolder: work) }.value
    }

    // MARK: Shared

    /// Runs a program whose standard input is the stored file and whose standard output becomes the plain one.
    ///
    /// - Parameter key: Whether the path of a pipe that gives the key follows the words of the command.
    private func run(
        _ command: [String], key: Bool, then more: [String], _ source: URL, _ target: URL, _ work: URL,
        _ progress: @escaping @Sendable (Int64) -> Void
    ) async throws -> Ending {
        let pipe: PipeEnds
        let keyPipe: KeyPipe?
        do throws(ScratchError) {
            pipe = try PipeEnds()
            keyPipe = key ? try KeyPipe(encryption.passphrase, in: work, of: host) : nil
        } catch {
            throw Self.machine(error)
        }
        let log = work.appendingPathComponent("log")
        let flow = Flow()
        async let feeding = Self.feed(source, into: pipe, flow, progress)
        async let handing: Void? = keyPipe?.hand()
        let ended: Result<ToolResult, any Error>
        do {
            ended = .success(
                try await host.run(
                    command + (keyPipe.map { [$0.url.path] } ?? []) + more, workingFolder: work, input: pipe.readingPath, output: target,
                    errors: log))
        } catch {
            ended = .failure(error)
        }
        // It is gone: neither of the two that serve it may go on waiting.
        keyPipe?.end()
        pipe.closeReading()
        await handing
        let stored = await feeding
        let result: ToolResult
        do { result = try ended.get() } catch { throw translated(error) }
        let text = UnlinkedFile.data(log, upTo: 64 * 1024)
        return Ending(
            result: result, said: String(decoding: text, as: UTF8.self), stored: try stored.get(), tookAll: !flow.isBroken)
    }

    /// Whether the reader of a pipe has gone away. Touched by one thread at a time: the feeding one, then whoever awaited it.
    private final class Flow: @unchecked Sendable {
        var isBroken = false
    }

    /// To the source's end in any case: its digest tells whose fault a failure is.
    private static func feed(
        _ source: URL, into pipe: PipeEnds, _ flow: Flow, _ progress: @escaping @Sendable (Int64) -> Void
    ) async -> Result<(sha256: String, size: Int64), CryptographyError> {
        defer { pipe.closeWriting() }
        do throws(CryptographyError) {
            return .success(
                try await ArtifactStream.read(source, progress: progress) { chunk in
                    guard !flow.isBroken else { return }
                    do { try pipe.write(chunk) } catch { flow.isBroken = true }
                })
        } catch {
            return .failure(error)
        }
    }

    private static func blocking(_ body: @escaping @Sendable () -> Void) async {
        await withCheckedContinuation { continuation in
            DispatchQueue(label: "muster.program").async {
                body()
                continuation.resume()
            }
        }
    }

    private func failure(of ending: Ending, isCut: Bool) -> any Error {
        let said = ending.said.lowercased()
        if said.contains("no space left") || host.folder.isFull {
            return CryptographyError(
                .diskFull(path: host.folder.url.path), message: "the scratch disk is full",
                hint: "free some space there, or choose another disk with --scratch")
        }
        let program = encryption.format.rawValue
        guard ending.result.signal == nil else {
            return DrillFailure.error(
                Finding(
                    .scratchUnusable, object: program, expected: "a program that runs to its end", actual: ending.result.ending,
                    message: "\(program) was ended before it was done", hint: "look at the machine's memory and at its log"))
        }
        return CryptographyError(
            isCut ? .truncated : .wrongKeyOrDamaged, message: "\(program) doesn't open the file",
            hint: "the key is wrong, or the file was changed or damaged", storedSHA256: ending.stored.sha256)
    }

    private func translated(_ error: any Error) -> any Error {
        guard let error = error as? ScratchError else { return error }
        guard error.kind == .toolMissing else { return Self.machine(error) }
        let program = encryption.format.rawValue
        return DrillFailure.error(
            Finding(
                .programMissing, object: program, expected: "the program that opens format \(program)", actual: "none",
                message: "no \(program) is on this machine", hint: "apt-get install \(program == "gpg" ? "gnupg" : program)"))
    }

    private static func unusableKey(_ message: String) -> DrillFailure {
        .error(
            Finding(
                Rule("key-unusable"), object: "the estate's key", expected: "a key that opens without a person", actual: "none",
                message: message,
                hint: "age: a line that begins with AGE-SECRET-KEY-; gpg: gpg --armor --export-secret-keys of a key without a passphrase"))
    }

    private static func machine(_ error: ScratchError) -> DrillFailure {
        .error(Finding(.scratchUnusable, object: "decryption", message: error.message, hint: error.hint))
    }
}
