// Which of several sealed moments a base backup is rolled forward to.

import ArtifactFormats
public import DrillModel
public import Foundation
import PostgresRecovery

/// The moment that was chosen, and where it lies.
public struct MomentChoice: Sendable {
    public var seal: Seal
    public var moment: Seal.Moment
    /// Recovery stops before the first record from there on.
    public var position: UInt64
    /// Nothing of anybody's stands in the log between ``position`` and there.
    public var upTo: UInt64
    /// Why younger ones were not taken.
    public var passedOver: [Finding] = []

    /// Whether all that the seal says of sequences had been read by then: they stand outside of every snapshot.
    public var comparesSequences: Bool { WALPosition.parse(moment.before).map { upTo >= $0 } ?? false }

    public var target: RecoveryTarget {
        RecoveryTarget(.lsn(position), inclusive: false, timeline: .number(moment.timeline))
    }
}

extension PointInTimeRecovery {
    /// Finds the newest of several moments that this base backup and its archive lead to.
    ///
    /// - Parameters:
    ///   - moments: The newest first, each with its file's name.
    ///   - folder: A private folder of the host's, for segments.
    /// - Throws: ``DrillFailure`` where none of them can be used; `CancellationError`.
    public func place(_ moments: [(name: String, seal: Seal)], in folder: URL) async throws -> MomentChoice {
        let binaries = try binaries()
        let control = try await ControlData.read(base.dataFolder, binaries: binaries, host: host, backup: backup)
        let beginning = try beginning(control)
        guard let wal else {
            throw DrillFailure.failed(
                Self.notArchived(moments.first?.name ?? service, "no write-ahead log is archived for this backup", .critical))
        }
        let search = MomentSearch(
            host: host, folder: folder, wal: wal, program: binaries.path("pg_waldump"), systemIdentifier: control.systemIdentifier,
            segmentSize: control.segmentSize, major: binaries.major, beginning: beginning.position)
        let left = try await leftTimelines(of: wal, base: beginning.timeline)
        var passedOver: [(finding: Finding, isOurs: Bool)] = []
        for (name, seal) in moments {
            guard let moment = seal.moment else { continue }
            if let finding = unusable(moment, seal, name: name, control: control, beginning: beginning.position, left: left) {
                passedOver.append((finding, false))
                continue
            }
            switch try await search.place(moment) {
            case .at(let position, let upTo):
                // Each stands for itself; that there are older ones makes it less of a trouble, and no less true.
                let findings = passedOver.map { passed in
                    var finding = passed.finding
                    if finding.rule != .momentUnusable { finding.severity = passed.isOurs ? .note : .warning }
                    return finding
                }
                return MomentChoice(seal: seal, moment: moment, position: position, upTo: upTo, passedOver: findings)
            case .interleaved(let commits): passedOver.append((Self.interleaved(name, moment, commits: commits), true))
            case .notArchived(let segment):
                passedOver.append((Self.notArchived(name, "segment \(segment.text) isn't in the archive", .critical), false))
            }
        }
        // What the archive lacks is the backup's fault; that no position fits is nobody's, and proves nothing, whatever older ones are.
        if let finding = passedOver.first(where: { $0.finding.rule == .momentNotArchived })?.finding { throw DrillFailure.failed(finding) }
        if let finding = passedOver.first(where: \.isOurs)?.finding { throw DrillFailure.error(finding) }
        guard let finding = passedOver.first?.finding else {
            throw DrillFailure.error(
                Finding(.momentUnusable, object: service, message: "no sealed moment was given", hint: "report this as a defect of muster"))
        }
        throw DrillFailure.failed(finding)
    }

    /// Where the newest timeline that the archive leads to has left the others.
    private func leftTimelines(of wal: WALSource, base: UInt32) async throws -> [UInt32: UInt64] {
        let histories = try await wal.histories(on: host).readable
        var newest = base
        while histories[newest + 1] != nil { newest += 1 }
        let ancestors = histories[newest]?.ancestors ?? []
        return Dictionary(ancestors.map { ($0.timeline, $0.end) }) { first, _ in first }
    }

    private func unusable(
        _ moment: Seal.Moment, _ seal: Seal, name: String, control: ControlData, beginning: UInt64, left: [UInt32: UInt64]
    ) -> Finding? {
        let cluster = seal.postgres?.identity.systemIdentifier ?? ""
        if cluster != String(control.systemIdentifier) {
            return Finding(
                .momentUnusable, object: name, expected: "a moment of cluster \(control.systemIdentifier), as the base backup",
                actual: "one of cluster \(cluster)", message: "the moment was sealed on another server than the backup was taken from",
                hint: "seal moments of the server whose write-ahead log is archived; after an upgrade, take a new base backup first")
        }
        let (before, after) = (WALPosition.parse(moment.before) ?? 0, WALPosition.parse(moment.after) ?? 0)
        if let end = left[moment.timeline], after > end {
            return Finding(
                .momentUnusable, .warning, object: name, expected: "a moment on the way to the newest timeline",
                actual: "one behind \(WALPosition.text(end)), where timeline \(moment.timeline) was left",
                message: "the moment lies behind a timeline switch: what it holds was given up when another server was promoted",
                hint: "seal a new moment on the server that serves now")
        }
        if before < beginning {
            return Finding(
                .momentUnusable, object: name, expected: "a moment behind the base backup's start, \(WALPosition.text(beginning))",
                actual: "one at \(moment.before)", message: "the moment lies before the base backup, and no recovery goes backwards",
                hint: "keep an older base backup, or seal a moment after each new one")
        }
        return nil
    }

    private static func notArchived(_ name: String, _ actual: String, _ severity: Finding.Severity) -> Finding {
        Finding(
            .momentNotArchived, severity, object: name, expected: "the write-ahead log up to the sealed moment", actual: actual,
            message: "the archive doesn't reach the sealed moment, so nothing can be rolled forward to it",
            hint:
                "a segment is archived once it is full, or after archive_timeout; where newer ones are there, look for the missing one on the "
                + "source; muster seal --moment --wait 10m --switch-wal leaves none to wait for")
    }

    private static func interleaved(_ name: String, _ moment: Seal.Moment, commits: Int) -> Finding {
        Finding(
            .momentInterleaved, object: name,
            expected: "a position with every commit before it that the seal saw, and every other behind it",
            actual: "\(commits) \(commits == 1 ? "commit" : "commits") on the wrong side of the best one, near \(moment.after)",
            message: "commits became visible in another order than they stand in the write-ahead log, so no recovery ends at this moment",
            hint: "seal another moment: about one in ten is like that on a busy source, and muster seal --moment --wait notices at once")
    }
}
