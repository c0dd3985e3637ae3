// Which base backups a recovery target can be reached from.

public import BackupAccess
import ArtifactFormats
import BackupCatalog
public import DrillModel
import Foundation
import PhysicalRecovery

/// The base backups of one set against one target.
///
/// A server doesn't notice that its base backup ended after a target time: it stops at the first later transaction, with all that was
/// committed until the backup's end already in it. So what ended when must be known beforehand.
public struct TargetedPoints: Sendable {
    var source: ServiceBackups
    var target: RecoveryTarget
    /// Where the target is one of them, the newest first.
    var moments: [SealedMoments.Named]

    public init(source: ServiceBackups, target: RecoveryTarget, moments: [SealedMoments.Named] = []) {
        self.source = source
        self.target = target
        self.moments = moments
    }

    /// What is left of all points, in their order.
    public struct Choice: Sendable {
        public var points: [RecoveryPoint]
        /// Whether each of them is known to have ended before the target.
        var isProven: Bool
    }

    public func choose(_ all: [RecoveryPoint]) async throws(DrillFailure) -> Choice {
        switch target.goal {
        case .end, .name, .xid: return Choice(points: all, isProven: true)
        case .time(let time):
            let proven = all.filter { Self.latestEnd(of: $0) <= time }
            if !proven.isEmpty { return Choice(points: proven, isProven: true) }
            // The manifest's newest time lies before the end: what it excludes is out, and what it doesn't is anybody's guess.
            let possible = all.filter { ![.backupHistory, .pgBackRestInfo].contains($0.timeSource) && $0.time <= time }
            guard !possible.isEmpty else { throw nothingFits(newest: all.first) }
            return Choice(points: possible, isProven: false)
        case .lsn(let lsn): return Choice(points: try await fitting(all, lsn), isProven: true)
        case .moment:
            var failure = nothingFits(newest: all.first)
            for moment in moments {
                do throws(DrillFailure) {
                    let before = moment.seal.moment.flatMap { WALPosition.parse($0.before) }
                    return Choice(points: try await fitting(all, before ?? 0), isProven: true)
                } catch {
                    failure = error
                }
            }
            throw failure
        }
    }

    private func fitting(_ all: [RecoveryPoint], _ lsn: UInt64) async throws(DrillFailure) -> [RecoveryPoint] {
        var fitting: [RecoveryPoint] = []
        for point in all {
            if source.set.kind != .baseBackup {
                if point.end ?? 0 <= lsn { fitting.append(point) }
                continue
            }
            let base = try? BaseBackup(
                at: point.location, name: point.path, encryption: try source.keyring.decryption(of: source.set))
            // One whose manifest can't be read stays: retrieving it says what is wrong.
            let end = try? await base?.manifest().end
            if end.flatMap({ $0 }) ?? 0 <= lsn { fitting.append(point) }
        }
        guard !fitting.isEmpty else { throw nothingFits(newest: all.first) }
        return fitting
    }

    /// A moment by which it had ended: the history file's, or when its last file was stored, which copying can only make later.
    private static func latestEnd(of point: RecoveryPoint) -> Date {
        if [.backupHistory, .pgBackRestInfo].contains(point.timeSource) { return point.endedBy }
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: point.location.path)) ?? [])
        let stored = names.filter { $0.hasPrefix("backup_manifest") }.compactMap {
            try? point.location.appendingPathComponent($0).resourceValues(forKeys: [.contentModificationDateKey]).contentModificationDate
        }
        return stored.max() ?? .distantFuture
    }

    private func nothingFits(newest: RecoveryPoint?) -> DrillFailure {
        .failed(
            Finding(
                .targetBeforeBackup, object: newest?.path ?? source.set.service, expected: "a base backup that ended before \(target)",
                actual: "none", message: "every base backup ended after the target, and no recovery goes backwards",
                hint: "check the target and its zone, and how long base backups are kept"))
    }
}
