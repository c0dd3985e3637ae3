// Recovery points, found by pattern, each with its true time and its seal.

import ArtifactFormats
public import Cryptography
public import DrillModel
public import Foundation
import Seals

extension Rule {
    static let noRecoveryPoint = Rule("no-recovery-point")
    static let globalsMissing = Rule("globals-missing")
}

/// Finds the recovery points of one backup set.
public struct Catalogue: Sendable {
    public var estate: Estate
    public var set: BackupSet
    public var trusted: [Ed25519PublicKey]
    /// Opens the head of an unsealed artifact, so that its own time can be read; nil: the mtime has to do.
    public var decryption: ArtifactStream.Encryption?
    /// Opens the files of the set's WAL archive.
    public var walDecryption: ArtifactStream.Encryption?
    /// When base backups had ended, by their first position, where somebody has read it already: the catalogue itself unpacks nothing.
    public var knownEnds: [UInt64: Date] = [:]
    /// What was listed of the estate's remote stores.
    public var opened = OpenedStores()
    /// Lists a store whose backups only their own tool can tell, such as a pgBackRest repository's.
    public var lister: (@Sendable (Store) throws(DrillFailure) -> [RecoveryPoint])?
    /// How many unsealed artifacts of a store are opened for their own time, the newest first: deriving a key takes milliseconds each.
    public var mostOpened = Int.max

    public init(
        estate: Estate, set: BackupSet, trusted: [Ed25519PublicKey], decryption: ArtifactStream.Encryption?,
        walDecryption: ArtifactStream.Encryption? = nil
    ) {
        self.estate = estate
        self.set = set
        self.trusted = trusted
        self.decryption = decryption
        self.walDecryption = walDecryption
    }

    /// What the stores hold.
    public struct Survey: Sendable {
        /// All recovery points, the newest first. Copies of one artifact in several stores stand side by side, in the estate's order.
        public var points: [RecoveryPoint]
        /// Stores that hold nothing for anybody now: gone, unreadable, or without a single match.
        public var emptyStores: [Finding]
        /// Stores that this machine could not ask.
        public var unasked: [Finding] = []
        /// What the seals of the series say of each other: that they are of different databases or clusters.
        public var origins: [Finding] = []
        /// What matches under a name that can't be used.
        public var passedOver: [PassedOver] = []
    }

    /// All recovery points, the newest first. Copies of one artifact in several stores stand side by side, in the estate's order.
    ///
    /// - Throws: ``DrillFailure`` (failed): no store can be read, or nothing matches.
    public func points() throws(DrillFailure) -> [RecoveryPoint] { try survey().points }

    /// All recovery points, and the stores that have none: a copy that everybody counts on, and that isn't there.
    ///
    /// - Throws: ``DrillFailure`` (failed): no store can be read, or nothing matches.
    public func survey() throws(DrillFailure) -> Survey {
        var points: [RecoveryPoint] = []
        var problems: [DrillFailure] = []
        var empty: [Finding] = []
        var unasked: [Finding] = []
        var passedOver: [PassedOver] = []
        for name in set.stores {
            guard let store = estate.stores[name] else { continue }
            do {
                let (found, passed) = try self.points(in: store)
                passedOver += passed
                if found.isEmpty { empty.append(nothing(in: "store \(name)", of: name)) }
                points += found
            } catch {
                problems.append(error)
                if error.verdict == .error { unasked.append(error.finding) } else { empty.append(error.finding) }
            }
        }
        if points.isEmpty, let problem = problems.first { throw problem }
        if points.isEmpty, let passed = passedOver.first { throw .failed(passed.finding()) }
        guard !points.isEmpty else {
            throw .failed(nothing(in: "\(set.service)/\(set.name)", of: set.stores.joined(separator: ", ")))
        }
        // Stable, so that of two copies the one in the first store comes first. Names of one second are taken in their order: they are
        // dated to the second, and two increments may end within one.
        let sorted = points.enumerated().sorted {
            ($1.element.time, $1.element.path, $0.offset) < ($0.element.time, $0.element.path, $1.offset)
        }.map(\.element)
        let (judged, origins) = heldAgainstEachOther(sorted)
        return Survey(points: judged, emptyStores: empty, unasked: unasked, origins: origins, passedOver: passedOver)
    }

    /// Points whose seal is of another database or cluster than the others' are believed as little as one with a broken seal.
    private func heldAgainstEachOther(_ points: [RecoveryPoint]) -> ([RecoveryPoint], [Finding]) {
        let series = SealOrigin(estate: estate, set: set).judge(points)
        guard !series.strangers.isEmpty else { return (points, series.findings) }
        let judged = points.map { point in
            guard point.sealState.seal != nil, let finding = series.strangers[point.path] else { return point }
            var point = point
            point.sealState = .broken(finding)
            return point
        }
        return (judged, series.findings)
    }

    /// What can be listed, and what can't.
    public struct Listing: Sendable {
        /// In the order of the set's stores.
        public var points: [RecoveryPoint] = []
        public var problems: [(store: Store, failure: DrillFailure)] = []
        /// As in ``Survey``.
        public var origins: [Finding] = []
        public var passedOver: [PassedOver] = []
    }

    /// All that can be listed, and the stores that can't be.
    public func listing() -> Listing {
        var listing = Listing()
        for name in set.stores {
            guard let store = estate.stores[name] else { continue }
            do {
                let (found, passed) = try self.points(in: store)
                listing.points += found
                listing.passedOver += passed
            } catch {
                listing.problems.append((store, error))
            }
        }
        (listing.points, listing.origins) = heldAgainstEachOther(listing.points)
        return listing
    }

    private func nothing(in object: String, of stores: String) -> Finding {
        Finding(
            .noRecoveryPoint, object: object, expected: "at least one backup", actual: "none",
            message: "nothing in \(stores) matches \(set.match)",
            hint: "check the backup job, then match and path in \(estate.file.lastPathComponent)")
    }

    private func points(in store: Store) throws(DrillFailure) -> ([RecoveryPoint], [PassedOver]) {
        if let lister { return (try lister(store), []) }
        let listing = StoreListing(store: store, opened: opened)
        let globals = try set.globals.map { pattern throws(DrillFailure) in try listing.items(matching: pattern) }
        let ends = set.kind == .baseBackup ? backupEnds() : [:]
        let globalsPaths = Set((globals ?? []).map(\.path))
        var left = mostOpened
        let (matching, passedOver) = try listing.listed(matching: set.match)
        let items = matching.filter { !globalsPaths.contains($0.path) }
        let origin = SealOrigin(estate: estate, set: set)
        let points = items.sorted { $0.modified > $1.modified }.map { item in
            let seal = set.holdsData ? self.seal(of: item, origin) : .missing
            let (time, source) = time(of: item, seal: seal, ends: ends, left: &left)
            let obstacle = item.obstacle.map { source == .modificationTime ? $0.datedByItsStore : $0 }
            return RecoveryPoint(
                service: set.service, backup: set.name, store: store.name, zone: store.zone, path: item.path, location: item.location,
                globals: globals.flatMap { GlobalsPairing.globals(for: item, among: $0)?.location }, size: item.size, time: time,
                timeSource: source, sealState: seal, obstacle: obstacle)
        }
        return (points, passedOver)
    }

    /// Genuine is not enough: it must be of this very backup.
    private func seal(of item: StoredItem, _ origin: SealOrigin) -> RecoveryPoint.SealState {
        if let obstacle = item.sealObstacle { return obstacle.verdict == .error ? .unread(obstacle.finding) : .broken(obstacle.finding) }
        let state = SealFile.read(besides: item.location, trusted: trusted)
        guard let seal = state.seal, let finding = origin.judge(seal, name: item.path) else { return state }
        return .broken(finding)
    }

    private func time(
        of item: StoredItem, seal: RecoveryPoint.SealState, ends: [UInt64: Date], left: inout Int
    ) -> (Date, RecoveryPoint.TimeSource) {
        if let seal = seal.seal { return (seal.snapshotTime, .seal) }
        if set.kind == .baseBackup {
            let clock = BaseBackupClock(decryption: decryption, ends: ends, timeZone: estate.timeZone)
            return clock.end(of: item) ?? (item.modified, .modificationTime)
        }
        if !set.holdsData { return FileBackupTime(timeZone: estate.timeZone).time(of: item, kind: set.kind) }
        if set.kind == .aof, let time = AppendOnlyClock.time(of: item) { return (time, .appendOnlyTimestamp) }
        if set.kind != .aof, let head = head(of: item, left: &left) {
            switch set.kind {
            case .pgDump:
                // In a tar the table of contents stands behind the 512 bytes that open its first member.
                let toc = ArtifactFormat(head: head) == .tar ? Array(head.dropFirst(512)) : head
                if let header = ArchiveHeader(toc, timeZone: estate.timeZone) { return (header.created, .archiveHeader) }
            case .rdb:
                if let created = RDBHeader(head)?.created { return (created, .rdbCreationTime) }
            case .aof, .baseBackup, .pgBackRest, .command, .env, .gitBundle, .gitMirror: break
            }
        }
        return (item.modified, .modificationTime)
    }

    /// The first bytes, decrypted. Damage is no matter here: retrieving says it in full.
    private func head(of item: StoredItem, left: inout Int) -> [UInt8]? {
        if let head = item.head { return decrypted(head, left: &left) }
        let file = item.isFolder ? item.location.appendingPathComponent("toc.dat") : item.location
        let wanted = ArtifactFormat.bytesNeeded + OpenSSLEncCipher.headerSize
        let length = decryption?.format == .cms ? wanted + 4096 : wanted
        guard let stored = try? ArtifactStream.head(of: file, count: length) else { return nil }
        return decrypted(stored, left: &left)
    }

    private func decrypted(_ stored: [UInt8], left: inout Int) -> [UInt8]? {
        guard let decryption, ArtifactFormat(head: stored).encryption != nil else { return stored }
        // A program for each of them would take longer than anybody waits: the mtime has to do, and the report says so.
        guard !decryption.needsProgram else { return nil }
        guard left > 0 else { return nil }
        left -= 1
        return try? decryption.decryptor().update(stored)
    }
}
