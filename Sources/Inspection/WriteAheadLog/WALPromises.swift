// What is asked of a set's archive of the write-ahead log, by its names and by a look at each file, without its key.

import ArtifactFormats
import BackupCatalog
import BackupPolicy
import DrillModel
import Foundation
import PhysicalRecovery

/// One set's archive.
struct WALPromises: Sendable {
    /// What one store holds of it.
    struct Listing: Sendable {
        var store: Store
        var files: Result<[ArchivedWAL], DrillFailure>
    }

    var set: BackupSet
    var archive: WALArchive
    var listings: [Listing]
    /// When the oldest and the newest base backup that is kept were made.
    var oldestBase: Date?
    var newestBase: Date?
    var now: Date

    func ask() -> [CaseResult] {
        let gaps = "the write-ahead log has no gap"
        var stored: [(store: Store, files: [ArchivedWAL])] = []
        var problems: [DrillFailure] = []
        for listing in listings {
            switch listing.files {
            case .failure(let failure): problems.append(failure)
            case .success(let files): stored.append((listing.store, files))
            }
        }
        if let failure = problems.first(where: { $0.verdict == .error }) { return [unasked(gaps, failure.finding)] }
        var findings = problems.map(\.finding)
        for (store, files) in stored { findings += missing(of: files, in: store) }
        guard stored.contains(where: { !$0.files.isEmpty }) else { return [judged(gaps, findings)] }
        let everywhere = stored.flatMap(\.files)
        let lost = stored.flatMap { withoutHistory($0.files, everywhere: everywhere, in: $0.store) }
        return [judged(gaps, findings), judged("every timeline in the archive can be found", lost), goesOn(stored.flatMap(\.files))]
            + copies(stored) + [encrypted(stored)]
    }

    var name: String { "\(set.service)/\(set.name)" }

    private func judged(_ question: String, _ findings: [Finding]) -> CaseResult {
        .judged(.policy, service: set.service, name: "\(set.name): \(question)", findings: findings)
    }

    private func unasked(_ question: String, _ finding: Finding) -> CaseResult {
        .unasked(.policy, service: set.service, name: "\(set.name): \(question)", finding: finding)
    }

    func object(_ file: String, in store: Store) -> String { listings.count > 1 ? "\(store.name):\(file)" : file }

    // MARK: Where it ends

    /// A base backup ends with a segment of its own: an archive without one has stood still since.
    private func goesOn(_ files: [ArchivedWAL]) -> CaseResult {
        let question = "the write-ahead log goes on behind the newest base backup"
        guard let base = newestBase, now.timeIntervalSince(base) > Self.grace else {
            return .skipped(
                .policy, service: set.service, name: "\(set.name): \(question)",
                reason: newestBase == nil ? "there is no base backup" : "the newest base backup is younger than an hour")
        }
        let segments = files.filter { if case .segment = $0.name { true } else { false } }
        guard let newest = segments.max(by: { $0.modified < $1.modified }), newest.modified < base.addingTimeInterval(-Self.slack) else {
            return judged(question, [])
        }
        return judged(
            question,
            [
                Finding(
                    .walMissing, object: name, expected: "a segment stored after the newest base backup of \(stamp(base))",
                    actual: "\(newest.name.plain) of \(stamp(newest.modified)) is the newest",
                    message: "nothing has been archived since the newest base backup was made: it can't be brought to a consistent state, "
                        + "and nothing is rolled forward",
                    hint: "look at pg_stat_archiver and the log of the source for why its archive_command fails")
            ])
    }

    /// As of the copies of backups: what is younger may be on its way.
    private static let grace: TimeInterval = 3600
    /// Clocks of two machines.
    private static let slack: TimeInterval = 300

    private func stamp(_ date: Date) -> String { date.formatted(.iso8601) }

    // MARK: Copies

    private func copies(_ stored: [(store: Store, files: [ArchivedWAL])]) -> [CaseResult] {
        guard stored.count > 1 else { return [] }
        let everything = Dictionary(grouping: stored.flatMap(\.files), by: \.name)
        var findings: [Finding] = []
        for (store, files) in stored {
            let there = Set(files.map(\.name))
            let missed = everything.filter { name, copies in
                !there.contains(name) && copies.contains { now.timeIntervalSince($0.modified) > Self.grace }
            }.map(\.key.plain).sorted()
            guard let first = missed.first, let last = missed.last, !files.isEmpty else { continue }
            findings.append(
                Finding(
                    Rule("copy-missing"), object: object(first, in: store), expected: "every archived file in each store",
                    actual: "\(missed.count) missing",
                    message: "store \(store.name) lacks \(missed.count == 1 ? first : "\(missed.count) files, \(first) to \(last)"), "
                        + "which another store has",
                    hint: "find out why the job that copies it stopped; then copy it"))
        }
        let zones = Set(stored.compactMap(\.store.zone))
        if zones.count < 2 {
            findings.append(
                Finding(
                    Rule("one-zone"), .warning, object: name, expected: "stores in two zones",
                    actual: zones.isEmpty ? "stores without a zone" : "all in \(zones.joined())",
                    message: "the copies share one failure domain, as far as the estate says",
                    hint: "keep a copy in another zone, or state the zones of the stores in the estate file"))
        }
        return [judged("each file of the write-ahead log is in \(stored.map(\.store.name).joined(separator: " and "))", findings)]
    }

    // MARK: Files

    private func encrypted(_ stored: [(store: Store, files: [ArchivedWAL])]) -> CaseResult {
        let question = "every file of the write-ahead log is encrypted, and nobody else may change it"
        let walk = FolderWalk()
        let looks = stored.flatMap { store, files in files.map { (store, $0, ContentProbe.look(at: $0.location, walk)) } }
        // Of a remote store only what was brought lies here.
        guard looks.contains(where: { $0.2 != nil }) else {
            return .skipped(
                .policy, service: set.service, name: "\(set.name): \(question)",
                reason: "no file of the write-ahead log is looked at in a remote store; a drill reads them")
        }
        if let (store, file, _) = looks.first(where: { StoredAccess.refused(below: $0.1.location) != nil }) {
            let object = "\(name): \(object(file.location.lastPathComponent, in: store))"
            return .unasked(
                .policy, service: set.service, name: "\(set.name): \(question)", finding: .accessDenied(object, file.location))
        }
        var findings = BackupPolicy.openFolders(looks.compactMap { $0.2?.reach })
        for (store, file, content) in looks {
            let object = "\(name): \(object(file.location.lastPathComponent, in: store))"
            guard let content else {
                // One that is gone by now was removed with its base backup.
                if FileManager.default.fileExists(atPath: file.location.path) {
                    findings.append(
                        Finding(
                            Rule("artifact-unreadable"), object: object, message: "the file can't be read",
                            hint: "check its permissions, and that it is neither a folder nor a pipe"))
                }
                continue
            }
            if let declared = archive.encryption?.format, let finding = BackupPolicy.judge(content, as: declared, object: object) {
                findings.append(finding)
            } else if let permissions = content.permissions, content.reach.lets(0o002, of: permissions) {
                findings.append(
                    Finding(
                        Rule("world-writable"), object: object, expected: "a file that nobody else may change",
                        actual: "mode \(String(permissions, radix: 8))", message: "anybody on this machine may change the file",
                        hint: "chmod o-w it, and mend the umask of what archives"))
            }
        }
        return judged(question, Array(findings.prefix(100)))
    }
}
