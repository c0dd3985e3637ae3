// A run's entries: what must be known before it starts, and what is written once its reports are.

import BackupCatalog
import Cryptography
public import DrillModel
public import Foundation
import Glibc

/// What puts a run into the ledger, one entry for each of its estates that has a key for that.
///
/// One per estate rather than one per run: whoever audits an estate needs no other's key, and an entry names no other's drills.
public struct RunEvidence: Sendable {
    private struct Party: Sendable {
        var estate: Estate
        var key: Ed25519PrivateKey
        var trusted: [Ed25519PublicKey]
        var inputs: [InputFile]
    }
    private var parties: [Party] = []

    /// - Parameters:
    ///   - estates: The estates of a run, each with its drill files.
    /// - Returns: nil where no estate wants it.
    /// - Throws: ``CommandFailure``: a key can't be had. Better before hours of restoring than after.
    public init?(_ estates: [(estate: Estate, drillFile: URL?)]) throws(CommandFailure) {
        for (estate, drillFile) in estates {
            guard let policy = estate.evidence else { continue }
            let path = estate.file.path
            let index: Int
            if let known = parties.firstIndex(where: { $0.estate.file.path == path }) {
                index = known
            } else {
                index = parties.count
                let key = try Self.signingKey(policy, of: estate)
                let trusted = try Self.keys(policy.trustedKeys)
                let own = try? key.publicKey().keyID
                guard trusted.contains(where: { $0.keyID == own }) else {
                    throw CommandFailure(
                        .unverified, "the key that the ledger is signed with is not among those that it is trusted by",
                        hint: "add its public half to evidence: {trust: […]} in \(estate.file.lastPathComponent)")
                }
                parties.append(Party(estate: estate, key: key, trusted: trusted, inputs: [try InputFile(estate.file)]))
            }
            if let drillFile { parties[index].inputs.append(try InputFile(drillFile)) }
        }
        if parties.isEmpty { return nil }
    }

    /// Public keys from PEM files.
    static func keys(_ files: [URL]) throws(CommandFailure) -> [Ed25519PublicKey] {
        var keys: [Ed25519PublicKey] = []
        for file in files {
            guard let pem = try? String(contentsOf: file, encoding: .utf8), let key = try? Ed25519PublicKey(pem: pem) else {
                throw CommandFailure(
                    .unverified, "\(file.path) is no Ed25519 public key in PEM form, or can't be read",
                    hint: "write one with `openssl pkey -in evidence.key -pubout -out evidence.pub`")
            }
            keys.append(key)
        }
        return keys
    }

    private static func signingKey(_ policy: EvidencePolicy, of estate: Estate) throws(CommandFailure) -> Ed25519PrivateKey {
        do {
            let secret = try Keyring.secret(policy.signingKey, named: "evidence.sign-with", hiding: Keyring(estate).secretVariables)
            return try Ed25519PrivateKey(pem: secret)
        } catch let error as CryptographyError {
            throw CommandFailure(.unverified, "evidence.sign-with of \(estate.file.lastPathComponent): \(error.message)", hint: error.hint)
        } catch let error as DrillFailure {
            throw CommandFailure(.unverified, error.finding.message, hint: error.finding.hint)
        } catch {
            throw CommandFailure(.unverified, "evidence.sign-with can't be had", hint: "")
        }
    }

    /// Appends the run's entries to the ledger beside its folder.
    ///
    /// - Parameters:
    ///   - folder: The run's own, whose files are all written.
    ///   - isTerminal: Whether a person started it.
    /// - Returns: The ledger's new head.
    /// - Throws: ``CommandFailure`` (unverified): the ledger is as it was.
    public func append(
        _ report: RunReport, in folder: URL, environment: [String: String] = ProcessInfo.processInfo.environment,
        isTerminal: Bool = isatty(STDIN_FILENO) == 1
    ) throws(CommandFailure) -> LedgerHead {
        try append(report, in: folder, to: Ledger(folder: folder.deletingLastPathComponent()), environment, isTerminal)
    }

    func append(
        _ report: RunReport, in folder: URL, to ledger: Ledger, _ environment: [String: String] = [:], _ isTerminal: Bool = false,
        at moment: Date? = nil
    ) throws(CommandFailure) -> LedgerHead {
        let subject = try Self.files(of: folder)
        let starter = Starter(
            host: report.info?.host, trigger: Starter.Trigger(environment: environment, isTerminal: isTerminal))
        return try ledger.append(
            trusted: parties.flatMap(\.trusted),
            parties.map { party in
                { position in
                    let drills = report.drills.filter { $0.info.estateFile == party.estate.file.path }
                    let statement = Statement(
                        subject: subject,
                        predicate: Statement.Predicate(
                            sequence: position.sequence, previous: position.previous, recorded: (moment ?? Date()).inEvidence,
                            run: folder.lastPathComponent,
                            estate: Statement.EstateName(file: party.estate.file.path, name: party.estate.name),
                            started: report.started?.inEvidence, finished: report.finished?.inEvidence,
                            verdict: report.verdict ?? .error, interrupted: report.verdict == nil, drills: drills.map(Statement.Drill.init),
                            inputs: party.inputs, startedBy: starter,
                            versions: Statement.Versions(muster: report.info?.musterVersion ?? "unknown")))
                    return try LedgerLine(signing: try statement.encoded(), with: party.key)
                }
            })
    }

    /// Every file of a run, by name.
    private static func files(of folder: URL) throws(CommandFailure) -> [Statement.Subject] {
        var files: [Statement.Subject] = []
        for name in ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).sorted() {
            guard case .regular(let digest) = RunFile.look(at: "\(folder.path)/\(name)") else {
                throw CommandFailure(
                    .unverified, "the run is not in the ledger: \(name) of \(folder.path) can't be read", hint: "check its permissions")
            }
            files.append(Statement.Subject(digest: Statement.Digest(sha256: digest), name: "\(folder.lastPathComponent)/\(name)"))
        }
        guard !files.isEmpty else {
            throw CommandFailure(.unverified, "the run is not in the ledger: \(folder.path) is empty", hint: "")
        }
        return files
    }
}

/// A file of a run, as it lies there.
enum RunFile {
    case regular(sha256: String)
    case missing
    /// A link, a folder or the like.
    case foreign
    case unreadable

    static func look(at path: String) -> RunFile {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else {
            switch errno {
            case ENOENT, ENOTDIR: return .missing
            case ELOOP: return .foreign
            default: return .unreadable
            }
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, let stream = try? SHA256Stream() else { return .unreadable }
        guard status.st_mode & S_IFMT == S_IFREG else { return .foreign }
        var buffer = [UInt8](repeating: 0, count: min(max(Int(status.st_size), 1), 1 << 18))
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { return .unreadable }
            if count == 0 { break }
            guard (try? buffer.withUnsafeBytes({ try stream.update(UnsafeRawBufferPointer(rebasing: $0[..<count])) })) != nil else {
                return .unreadable
            }
        }
        return (try? stream.finish()).map(RunFile.regular) ?? .unreadable
    }
}
