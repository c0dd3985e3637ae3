// Holds what was copied against the manifest.

import ArtifactFormats
import Cryptography
import DrillModel
import Foundation
import Synchronization

/// One file on its way.
struct FileCheck {
    let path: String
    let listed: BackupManifest.File?
    private let checksum: ChecksumStream?
    private(set) var size: Int64 = 0

    init(path: String, listed: BackupManifest.File?) throws {
        self.path = path
        self.listed = listed
        checksum = try listed?.algorithm.flatMap(ChecksumStream.Algorithm.init(rawValue:)).map { algorithm in try ChecksumStream(algorithm)
        }
    }

    mutating func take(_ bytes: UnsafeRawBufferPointer) throws {
        size += Int64(bytes.count)
        try checksum?.update(bytes)
    }

    /// nil where the manifest states none.
    func sum() throws -> String? { try checksum?.finish() }
}

/// The manifest, ticked off file by file; shared by all workers.
final class CopyLedger: Sendable {
    /// More findings than these help nobody; the last one counts the rest.
    static let mostFindings = 20

    private struct State {
        var pending: [String: BackupManifest.File]
        var findings: [Finding] = []
        var unproven = 0
        var files = 0
        var bytes: Int64 = 0
        var tablespaces: Set<String> = []
    }
    private let state: Mutex<State>
    private let name: String
    private let progress: @Sendable (Int64) -> Void

    init(manifest: BackupManifest, name: String, progress: @escaping @Sendable (Int64) -> Void) {
        self.name = name
        self.progress = progress
        state = Mutex(State(pending: Dictionary(manifest.files.map { ($0.path, $0) }) { first, _ in first }))
    }

    var files: Int { state.withLock { $0.files } }
    var bytes: Int64 { state.withLock { $0.bytes } }
    var tablespaces: [String] { state.withLock { $0.tablespaces.sorted() } }

    func begin(_ path: String) throws -> FileCheck {
        let listed = state.withLock { state in
            if path.hasPrefix("pg_tblspc/"), let number = path.split(separator: "/").dropFirst().first {
                state.tablespaces.insert(String(number))
            }
            return BaseBackupCopy.isUnlisted(path) ? nil : state.pending[path]
        }
        return try FileCheck(path: path, listed: listed)
    }

    func finish(_ check: FileCheck) throws {
        let sum = try check.sum()
        let total = state.withLock { state in
            state.files += 1
            state.bytes += check.size
            let known = state.pending.removeValue(forKey: check.path) != nil
            guard !BaseBackupCopy.isUnlisted(check.path) else { return state.bytes }
            if !known {
                state.findings.append(
                    finding(
                        .baseFileExtra, check.path, expected: "no such file", actual: "\(check.size) bytes",
                        "a file is in the base backup that its manifest doesn't name"))
            } else if let listed = check.listed, listed.size != check.size {
                state.findings.append(
                    finding(
                        .baseFileDamaged, check.path, expected: "\(listed.size) bytes", actual: "\(check.size) bytes",
                        "a file of the base backup has another size than its manifest says"))
            } else if let listed = check.listed, let expected = listed.checksum, sum != expected.lowercased() {
                state.findings.append(
                    finding(
                        .baseFileDamaged, check.path, expected: "\(listed.algorithm ?? "") \(expected.prefix(16))",
                        actual: sum.map { String($0.prefix(16)) } ?? "a checksum of an unknown kind",
                        "a file of the base backup doesn't match its manifest's checksum"))
            } else if check.listed?.checksum == nil {
                state.unproven += 1
            }
            return state.bytes
        }
        progress(total)
    }

    func unreadable(_ path: String) {
        state.withLock { state in
            state.pending[path] = nil
            state.findings.append(
                finding(
                    .baseFileDamaged, path, expected: "a readable file", actual: "a read error", "a file of the base backup can't be read"))
        }
    }

    /// What doesn't hold, once all has been copied.
    func findings() -> [Finding] {
        state.withLock { state in
            var all = state.findings
            for path in state.pending.keys.sorted() where !BaseBackupCopy.isUnlisted(path) {
                all.append(
                    finding(
                        .baseFileMissing, path, expected: "the file", actual: "nothing",
                        "a file that the manifest names is missing from the base backup"))
            }
            if state.unproven > 0 {
                all.append(
                    Finding(
                        .manifestDamaged, .warning, object: name, expected: "a checksum for every file",
                        actual: "none for \(state.unproven)",
                        message: "the manifest states no checksums, so only names and sizes were compared",
                        hint: "take base backups with --manifest-checksums=CRC32C or SHA256"))
            }
            guard all.count > Self.mostFindings else { return all }
            let rest = all.count - Self.mostFindings
            var short = Array(all.prefix(Self.mostFindings))
            short.append(
                Finding(
                    .baseFileDamaged, object: name, expected: "no more of them", actual: "\(rest)",
                    message: "\(rest) more files are damaged, missing or extra", hint: "fetch another copy of the whole base backup"))
            return short
        }
    }

    private func finding(_ rule: Rule, _ path: String, expected: String, actual: String, _ message: String) -> Finding {
        Finding(
            rule, object: "\(name)/\(path)", expected: expected, actual: actual, message: message,
            hint: rule == .baseFileExtra
                ? "find out who put it there: a server never reads its data folder in vain"
                : "fetch another copy of the base backup, and check the store's disk")
    }
}
