// What lies in the stores of one backup set, and what a look at each artifact tells.

import ArtifactFormats
import BackupAccess
import BackupCatalog
import BackupPolicy
import Cryptography
import DrillModel
import Foundation

/// One backup set, listed and looked at.
struct SetSurvey: Sendable {
    var set: BackupSet
    var series: BackupSeries
    /// The stores that could not be listed.
    var problems: [DrillFailure]
    /// What matches under a name that can't be used.
    var passedOver: [PassedOver]
    /// Why artifacts could not be opened for their own time, in a sentence; empty where they could.
    var unproven: String
    /// The files of its write-ahead log, by store; nil where it has none.
    var wal: [WALPromises.Listing]?

    /// What this user may not read: nothing can be said of those artifacts.
    func refused() -> [(point: RecoveryPoint, item: URL)] {
        series.moments.flatMap { $0.copies.map(\.point) }.compactMap { point in StoredAccess.refused(of: point).map { (point, $0) } }
    }

    /// What lies in an archive tier of its store.
    var archived: [RecoveryPoint] { series.moments.flatMap { $0.copies.map(\.point) }.filter(\.isArchived) }

    /// What a store lists and doesn't let be read.
    func withheld() -> [(point: RecoveryPoint, finding: Finding)] {
        series.moments.flatMap { $0.copies.map(\.point) }.compactMap { point in
            guard let obstacle = point.obstacle, obstacle.verdict == .error, !point.isArchived else { return nil }
            return (point, obstacle.finding)
        }
    }

    /// Opening an artifact for its time costs a key derivation each, some milliseconds: so many an estate, the newest of each series, and at
    /// least 20 of a store. Older unsealed ones are dated by their mtime, and said so.
    static let mostOpened = 800

    static func share(of estate: Estate) -> Int {
        max(20, mostOpened / max(1, estate.allSets.filter { $0.encryption != nil }.reduce(0) { $0 + $1.stores.count }))
    }

    /// - Throws: ``DrillFailure`` where the keys that seals are trusted by can't be read.
    static func take(
        of set: BackupSet, in estate: Estate, asOf now: Date, opened: OpenedStores
    ) throws(DrillFailure) -> SetSurvey {
        var unproven = ""
        var catalogue = Catalogue(estate: estate, set: set, trusted: try ServiceBackups.trustedKeys(of: estate), decryption: nil)
        do throws(DrillFailure) {
            catalogue.decryption = try Keyring(estate).decryption(of: set)
        } catch {
            unproven = "\(set.service)/\(set.name): \(error.finding.message), so artifacts without a seal were dated by their files."
        }
        catalogue.mostOpened = share(of: estate)
        catalogue.lister = set.lister(of: estate)
        catalogue.opened = opened
        let listing = catalogue.listing()
        let (points, problems) = (listing.points, listing.problems)
        if catalogue.decryption?.needsProgram == true, [.pgDump, .rdb].contains(set.kind),
            points.contains(where: { $0.timeSource == .modificationTime })
        {
            unproven =
                "\(set.service)/\(set.name): opening a file of format \(set.encryption?.format.name ?? "") takes a run of its program, so "
                + "artifacts without a seal were dated by their files."
        }
        let failed = Set(problems.map(\.store.name))
        let walk = FolderWalk()
        let copies = points.lazy.map { point -> StoredCopy in
            if let looks = opened.looks(at: point) { return StoredCopy(point, content: looks.artifact, globals: looks.globals) }
            return StoredCopy(
                point,
                content: set.kind == .baseBackup
                    ? ContentProbe.look(atBaseBackup: point.location, walk) : ContentProbe.look(at: set.visible(point), walk, as: set),
                globals: point.globals.flatMap { ContentProbe.look(at: $0, walk) })
        }
        let stores = set.stores.compactMap { estate.stores[$0] }.filter { !failed.contains($0.name) }
        var series = BackupSeries(
            set: set, seals: estate.seals, stores: stores, timeZone: estate.timeZone, now: now, clock: Date(), copies: copies)
        // Which artifacts are the strangers, the seal of each says.
        series.origins = listing.origins.filter { $0.severity != .critical }
        let wal = set.wal.map { archive in
            archive.stores.compactMap { estate.stores[$0] }.map { store in
                WALPromises.Listing(store: store, files: Result { () throws(DrillFailure) in try catalogue.walFiles(in: store) })
            }
        }
        return SetSurvey(
            set: set, series: series, problems: problems.map(\.failure), passedOver: listing.passedOver, unproven: unproven, wal: wal)
    }

    /// Some are compressed and not encrypted: their first bytes tell the compression alone.
    var isPacked: Bool {
        let packed = Set([ArtifactFormat.gzip, .zstd, .xz, .bzip2, .lz4].map { StoredContent.Kind.plain($0.rawValue) })
        return series.moments.lazy.flatMap(\.copies).contains { copy in
            guard let content = copy.content else { return false }
            return packed.contains(content.kind) || content.parts.values.contains { $0.map { packed.contains($0.kind) } == true }
        }
    }

    /// All copies held against the first of each artifact: byte by byte, or by digest where both stores have one of their own.
    ///
    /// - Parameter progress: How many artifacts are done.
    mutating func compareCopies(in stores: RemoteStores, _ progress: (Int) -> Void) async throws {
        guard series.stores.count > 1, set.kind != .gitMirror else { return }
        // A disk reads best one after the other; what costs a round trip each is asked for several at once.
        let width = series.stores.contains { $0.remote != nil } ? 6 : 1
        try await withThrowingTaskGroup(of: (Int, [CopyComparison]).self) { group in
            var next = 0
            var done = 0
            var unreachable: Finding?
            func add(_ moments: [BackupMoment]) {
                guard next < moments.count else { return }
                let (index, points) = (next, moments[next].copies.map(\.point))
                next += 1
                group.addTask { [unreachable] in
                    if let unreachable { return (index, points.dropFirst().map { _ in .unasked(unreachable) }) }
                    return (index, try await Self.compare(points, in: stores))
                }
            }
            for _ in 0..<width { add(series.moments) }
            while let (index, comparisons) = try await group.next() {
                // A store that doesn't answer now would be asked in vain for each of its artifacts.
                for case .unasked(let finding) in comparisons where unreachable == nil && !Self.isOfOneArtifact(finding) {
                    unreachable = finding
                }
                for (place, comparison) in comparisons.enumerated() { series.moments[index].copies[place + 1].comparison = comparison }
                done += 1
                progress(done)
                add(series.moments)
            }
        }
    }

    private static func isOfOneArtifact(_ finding: Finding) -> Bool {
        [.artifactArchived, .artifactAccessDenied].contains(finding.rule)
    }

    /// Each of the points but the first, against the first.
    private static func compare(_ points: [RecoveryPoint], in stores: RemoteStores) async throws -> [CopyComparison] {
        guard let first = points.first else { return [] }
        var comparisons: [CopyComparison] = []
        for copy in points.dropFirst() {
            try Task.checkCancellation()
            comparisons.append(try await stores.compare(copy, with: first))
        }
        await stores.release(first)
        return comparisons
    }
}

extension BackupSet {
    /// The file of an artifact that shows whether it is encrypted: of a pgBackRest backup, its manifest.
    fileprivate func visible(_ point: RecoveryPoint) -> URL {
        kind == .pgBackRest ? point.location.appendingPathComponent("backup.manifest") : point.location
    }
}
