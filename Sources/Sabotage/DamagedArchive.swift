// Makes a copy of a base backup and its archive, with the archive damaged, and a drill that recovers from it to the end.

import BackupAccess
import ArtifactFormats
import BackupCatalog
import DrillEngine
import DrillModel
import Foundation
import PhysicalRecovery
import ScratchHost

/// Makes one damaged archive inside a scratch host.
struct DamagedArchive: Sendable {
    var plan: DrillPlan
    var recovery: Recovery
    var set: BackupSet
    var host: ScratchHost

    /// Whether there is an archive whose files can be copied.
    static func fits(_ set: BackupSet) -> Bool { set.kind == .baseBackup && set.wal != nil }

    /// - Returns: nil where the archive holds nothing that could be damaged so.
    func make(_ damage: Damage?) async throws -> DamagedCopy.Made? {
        let backups = ServiceBackups(estate: plan.estate, set: set, stores: RemoteStores(plan.estate, host: host))
        let disaster = if case .at(let date) = plan.incident { date } else { Date() }
        let points = try await backups.identify(before: disaster).points
        let files = try await backups.catalogue().walFiles()
        try await backups.stores.bring(files, of: set)
        let store = host.folder.url.appendingPathComponent("store", isDirectory: true)
        let archive = store.appendingPathComponent("wal", isDirectory: true)
        try FileManager.default.createDirectory(at: archive, withIntermediateDirectories: true)
        guard let source = try backups.archive(of: files) else { return nil }
        try await source.copyPlain(to: archive, on: host)

        let (point, segments) = try await choose(points, backups, in: archive)
        try FileManager.default.copyItem(at: point.location, to: store.appendingPathComponent("base", isDirectory: true))
        var harm: Harm?
        if let damage {
            guard case .archive(let apply) = damage.means else { return nil }
            harm = try apply(ArchiveCopy(folder: archive, segments: segments))
            if harm == nil { return nil }
        }
        return DamagedCopy.Made(plan: drill(store: store), harm: harm)
    }

    /// The newest base backup that enough lies behind for something in the middle; the oldest where none is so.
    private func choose(_ points: [RecoveryPoint], _ backups: ServiceBackups, in archive: URL) async throws -> (RecoveryPoint, [String]) {
        let names = try FileManager.default.contentsOfDirectory(atPath: archive.path).compactMap(WALSegmentName.init)
        let sizes = names.compactMap { name in
            (try? archive.appendingPathComponent(name.text).resourceValues(forKeys: [.fileSizeKey]).fileSize).flatMap { $0 }
        }
        let size = UInt64(max(sizes.max() ?? 0, 1 << 20))
        var last: (RecoveryPoint, [String])?
        for point in points {
            try await backups.stores.bring(point)
            let base = try BaseBackup(at: point.location, name: point.path, encryption: try backups.keyring.decryption(of: set))
            guard let needed = try await base.manifest().ranges.first else { continue }
            let own = names.filter { $0.timeline >= needed.timeline && $0.number(size: size) >= needed.start / size }
                .sorted { ($0.number(size: size), $0.timeline) < ($1.number(size: size), $1.timeline) }
            last = (point, own.map(\.text))
            if own.count >= 4 { break }
        }
        guard let last else {
            throw DrillFailure.error(
                Finding(
                    .baseFileMissing, object: "\(set.service)/\(set.name)", expected: "a base backup that can be read", actual: "none",
                    message: "there is no base backup whose archive could be damaged", hint: "take one, and run the drill itself first"))
        }
        return last
    }

    /// The drill, with the copy as its only backup, to the end of its archive.
    private func drill(store: URL) -> DrillPlan {
        var set = set
        set.stores = ["sabotage"]
        set.match = "base"
        set.wal = WALArchive(stores: ["sabotage"], match: "wal/*")
        var copy = plan
        copy.estate.stores = ["sabotage": Store(name: "sabotage", location: .folder(store), zone: nil)]
        copy.estate.services[recovery.service]?.backups = [set.name: set]
        var recovery = recovery
        recovery.selection = .latest
        recovery.target = RecoveryTarget(.end)
        copy.recover = [recovery]
        copy.profile = .fast
        // The drill's own questions and its targets are not what is put to the proof here.
        copy.checks = [:]
        copy.targets = Targets()
        return copy
    }
}
