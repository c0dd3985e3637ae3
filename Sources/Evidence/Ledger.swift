// The ledger's file: it grows at its end, under a lock, by whole lines, and nothing in it is ever rewritten.

import Cryptography
import DrillModel
import Foundation
import Glibc
import Seals

/// `ledger.jsonl` beside the folders of the runs.
struct Ledger: Sendable {
    static let fileName = "ledger.jsonl"

    var folder: URL
    /// How bytes get to the disk: a test makes it full.
    var write: @Sendable (Int32, UnsafeRawBufferPointer) -> Int = { Glibc.write($0, $1.baseAddress, $1.count) }
    /// How long another run is waited for.
    var patience = Duration.seconds(60)

    var file: URL { folder.appendingPathComponent(Self.fileName) }

    init(folder: URL) { self.folder = folder }

    /// Where an entry stands in the chain.
    struct Position {
        var sequence: Int
        var previous: String?
    }

    /// Appends entries, all of them or none.
    ///
    /// - Parameters:
    ///   - trusted: Keys that the last entry is believed by. One of another estate's is taken as it is.
    ///   - entries: Each makes its line once its position is known.
    /// - Throws: ``CommandFailure`` (unverified); the file is then as it was.
    func append(
        trusted: [Ed25519PublicKey], _ entries: [(Position) throws -> LedgerLine]
    ) throws(CommandFailure) -> LedgerHead {
        let descriptor = try locked()
        // That ends the lock too.
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, let present = try? Data(contentsOf: file), present.count == Int(status.st_size) else {
            throw failure(errno)
        }
        var head = try lastEntry(of: present, trusted: trusted)
        // What a kill left half-written stays a line of its own.
        var bytes = present.isEmpty || present.last == UInt8(ascii: "\n") ? Data() : Data("\n".utf8)
        for make in entries {
            let position = Position(sequence: (head?.sequence ?? 0) + 1, previous: head?.hash)
            do {
                let line = Data(try make(position).text.utf8)
                head = LedgerHead(sequence: position.sequence, hash: try SHA256Stream.digest(Array(line)))
                bytes += line + Data("\n".utf8)
            } catch let error as CommandFailure {
                throw error
            } catch {
                throw CommandFailure(.unverified, "the run's entry in \(file.path) can't be made: \(error)", hint: "")
            }
        }
        guard let head else { throw failure(EINVAL) }
        try put(bytes, into: descriptor, at: status.st_size)
        return head
    }

    private func put(_ bytes: Data, into descriptor: Int32, at size: off_t) throws(CommandFailure) {
        var code: Int32 = 0
        // One write: what follows a short one would only fill up what is full.
        let written = bytes.withUnsafeBytes { bytes in
            var written = write(descriptor, bytes)
            while written < 0, errno == EINTR { written = write(descriptor, bytes) }
            code = errno
            return written
        }
        if written == bytes.count {
            if fsync(descriptor) == 0, syncFolder() { return }
            code = errno
        } else if written >= 0 {
            code = ENOSPC
        }
        // The entry is not known to be there, so it must not be.
        guard ftruncate(descriptor, size) == 0 else {
            throw CommandFailure(
                .unverified, "\(file.path) could not be written, nor be brought back to what it was",
                hint: "what was half-written stays a line of its own: muster evidence verify names it")
        }
        fsync(descriptor)
        throw failure(code)
    }

    private func syncFolder() -> Bool {
        let descriptor = open(folder.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        // Some network file systems know no such thing of a folder.
        return fsync(descriptor) == 0 || errno == EINVAL
    }

    /// The open file, which nobody else writes to.
    private func locked() throws(CommandFailure) -> Int32 {
        let deadline = ContinuousClock.now + patience
        while true {
            let descriptor = open(file.path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o644)
            guard descriptor >= 0 else { throw failure(errno) }
            while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
                guard errno == EWOULDBLOCK || errno == EINTR else {
                    let code = errno
                    close(descriptor)
                    throw failure(code)
                }
                guard ContinuousClock.now < deadline else {
                    close(descriptor)
                    throw CommandFailure(
                        .unverified, "\(file.path) is held by another program", hint: "fuser \(file.path) names it")
                }
                usleep(20_000)
            }
            // It may have been moved away while it was waited for.
            var (held, named) = (stat(), stat())
            if fstat(descriptor, &held) == 0, lstat(file.path, &named) == 0, held.st_ino == named.st_ino, held.st_dev == named.st_dev {
                return descriptor
            }
            close(descriptor)
        }
    }

    /// The last whole entry; nil in a ledger that has none yet.
    private func lastEntry(of bytes: Data, trusted: [Ed25519PublicKey]) throws(CommandFailure) -> LedgerHead? {
        var rest = bytes[...]
        if rest.last == UInt8(ascii: "\n") { rest = rest.dropLast() }
        while !rest.isEmpty {
            let start = rest.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? rest.startIndex
            let line = Data(rest[start...])
            switch LedgerLine.read(line) {
            case .torn: rest = rest[..<max(start - 1, rest.startIndex)]
            case .foreign: throw damaged()
            case .whole(let entry):
                switch entry.envelope.open(trusted: trusted) {
                case .forged, .unreadable: throw damaged()
                case .vouched, .untrusted: break
                }
                guard let payload = Data(base64Encoded: entry.payload), let hash = try? SHA256Stream.digest(Array(line)) else {
                    throw damaged()
                }
                switch VouchedStatement.read(payload) {
                case .statement(let statement): return LedgerHead(sequence: statement.predicate.sequence, hash: hash)
                case .newer:
                    throw CommandFailure(
                        .unverified, "\(file.path) was written by a newer version of muster", hint: "run that version, or another --output")
                case .none: throw damaged()
                }
            }
        }
        return nil
    }

    private func damaged() -> CommandFailure {
        CommandFailure(
            .unverified, "the last entry of \(file.path) was altered, so nothing is appended to it",
            hint: "muster evidence verify says what was; move the file elsewhere to begin a new one")
    }

    private func failure(_ code: Int32) -> CommandFailure {
        let full = [ENOSPC, EDQUOT, EFBIG].contains(code)
        return CommandFailure(
            .unverified,
            "the run is not in the ledger: \(file.path) can't be written: "
                + (full ? "the disk is full" : String(cString: strerror(code)).lowercased()),
            hint: full
                ? "free some space; the ledger is as it was, and the run's own reports are whole"
                : "check the folder's permissions; the run's own reports are whole")
    }
}
