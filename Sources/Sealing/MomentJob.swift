// Puts a sealed moment's source, place and signature together for `muster seal --moment`.

import ArtifactFormats
import BackupAccess
import BackupCatalog
public import DrillModel
public import Foundation
import IntegrityChecks
import PhysicalRecovery
import PostgresClient
import PostgresRecovery
import ScratchHost
import Seals

extension SealJob {
    /// What becomes of a moment once it is sealed.
    public struct MomentOptions: Sendable {
        /// How long to wait until the write-ahead log of the moment is archived; nil: not at all.
        public var wait: Duration?
        /// Has the source begin a new segment, so that the moment's own is archived now.
        public var switchesWAL: Bool

        public init(wait: Duration? = nil, switchesWAL: Bool = false) {
            self.wait = wait
            self.switchesWAL = switchesWAL
        }
    }

    /// How many moments are sealed where commits interleave at each, before that is told.
    private static let momentAttempts = 4
    /// Moments that bear the same time in their names.
    private static let mostInASecond = 100
    private static let archiveInterval = Duration.milliseconds(500)

    /// Seals a moment of the source, beside its write-ahead log's archive.
    ///
    /// - Returns: The moment's file, and its seal.
    /// - Throws: ``CommandFailure``, `CancellationError`. Where the log was waited for in vain, the moment stays: it may be archived later.
    public func sealMoment(output: String?, _ options: MomentOptions) async throws -> (file: URL, seal: Seal) {
        try await told {
            guard set.isPhysical else {
                throw CommandFailure(
                    .usage, "only what is rolled forward has moments, and \(set.name) is of kind \(set.kind.rawValue)",
                    hint: "leave --moment away: muster seal makes the dump and its seal of one snapshot")
            }
            guard set.hasWAL else {
                throw CommandFailure(
                    .usage, "\(set.name) has no write-ahead log, and without one nothing is rolled forward to a moment",
                    hint: "declare where it is archived: wal: {match: …} of \(set.name) in the estate file")
            }
            let key = try signingKey()
            guard let connection = service.source else {
                throw CommandFailure(
                    .usage, "\(service.name) has no source to seal", hint: "add source: {host: …} to it in the estate file")
            }
            let password = try connection.password.map { reference throws(DrillFailure) in
                try Keyring.secret(reference, named: "\(service.name)'s password")
            }
            let source = PostgresConfiguration(
                host: connection.host, port: connection.port ?? 5432, database: connection.database ?? service.name,
                user: connection.user ?? "postgres", password: password?.text, applicationName: "muster seal",
                settings: PostgresInventory.settings)
            return try await inScratch("seal \(service.name)") { host in
                for attempt in 1...Self.momentAttempts {
                    var file = try momentFile(output)
                    var seal = try await MomentSealer(source: source, options: sealing(on: host)).seal(
                        named: file.lastPathComponent, for: purpose)
                    do {
                        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
                    } catch {
                        throw CommandFailure(
                            .unverified, "\(file.deletingLastPathComponent().path) can't be made", hint: "check the store's permissions")
                    }
                    do {
                        try SealFile.write(seal, besides: file, signedBy: key)
                    } catch let error as SealError {
                        // Another one was sealed in the same second.
                        guard case .cannotWrite(_, code: EEXIST) = error.kind, output == nil else { throw error }
                        file = try momentFile(nil)
                        seal.artifact.name = file.lastPathComponent
                        try SealFile.write(seal, besides: file, signedBy: key)
                    }
                    guard options.wait != nil || options.switchesWAL else { return (file, seal) }
                    if options.switchesWAL { try await switchWAL(source, behind: seal) }
                    guard let wait = options.wait else { return (file, seal) }
                    let watch = ArchiveWatch(job: self, source: source, seal: seal)
                    try await watch.wait(atMost: wait, every: Self.archiveInterval)
                    guard case .interleaved(let commits) = try await watch.settled(on: host, Self.archiveInterval) else {
                        return (file, seal)
                    }
                    try? FileManager.default.removeItem(at: file)
                    let isLast = attempt == Self.momentAttempts
                    tell(
                        """
                        \(isLast ? "warning" : "note"): \(commits == 1 ? "a commit" : "\(commits) commits") became visible in another order than \
                        in the write-ahead log, so no recovery ends at this moment: \(isLast ? "none was sealed" : "another one is sealed")
                        """)
                }
                throw CommandFailure(
                    .unverified, "commits interleaved at each of \(Self.momentAttempts) moments, and none was sealed",
                    hint: "seal again when fewer transactions commit at once")
            }
        }
    }

    private func momentFile(_ path: String?) throws -> URL {
        guard let name = set.momentStores.first, let store = estate.stores[name] else {
            throw CommandFailure(.usage, "\(set.name) has no store", hint: "add stores: […] to it in the estate file")
        }
        let root = try Self.folder(of: store)
        let file: URL
        if let path {
            guard !path.hasPrefix("/"), !path.split(separator: "/").contains(".."),
                fnmatch(set.momentMatch, path, FNM_PATHNAME | FNM_PERIOD) == 0
            else {
                throw CommandFailure(
                    .usage, "--output \(path) is no place for a moment",
                    hint:
                        "drills of \(set.name) read \(set.momentMatch) below \(root.path): name a path that matches, or change moments in the estate file"
                )
            }
            file = root.appendingPathComponent(path)
        } else {
            guard set.momentMatch.filter({ $0 == "*" }).count == 1, !set.momentMatch.contains(where: { "?[".contains($0) }) else {
                throw CommandFailure(
                    .usage, "no name can be made from the pattern \(set.momentMatch)", hint: "name the moment's file with --output")
            }
            let stamp = Self.stamp(Date(), in: estate.timeZone)
            let names = (1...Self.mostInASecond).lazy.map { $0 == 1 ? stamp : "\(stamp)_\($0)" }
            let files = names.map { root.appendingPathComponent(Self.filled(set.momentMatch, with: $0)) }
            file = files.first { !FileManager.default.fileExists(atPath: $0.path) } ?? root.appendingPathComponent(set.momentMatch)
        }
        guard !FileManager.default.fileExists(atPath: file.path) else {
            throw CommandFailure(
                .usage, "\(file.path) is already there, and a seal is never replaced", hint: "name another with --output")
        }
        return file
    }

    /// The one thing that sealing ever does to a source, and only where it is asked for.
    private func switchWAL(_ source: PostgresConfiguration, behind seal: Seal) async throws {
        guard seal.moment?.snapshot != nil else {
            return tell(
                """
                warning: the source is a standby, which writes no log of its own, so --switch-wal did nothing
                hint: the moment counts once its primary has archived the segment
                """)
        }
        let connection = try await SourceSession.open(source)
        do {
            _ = try await connection.value("SELECT pg_catalog.pg_switch_wal()")
            await connection.close()
        } catch {
            await connection.close()
            throw CommandFailure(
                .unverified, "the source doesn't begin a new segment: \(error.message)",
                hint: "GRANT EXECUTE ON FUNCTION pg_switch_wal() TO \(SQL.identifier(source.user)); the moment itself is sealed")
        }
    }
}

/// Watches until a moment's write-ahead log is archived.
struct ArchiveWatch: Sendable {
    var job: SealJob
    var source: PostgresConfiguration
    var seal: Seal

    /// How much of the log before the moment is read here, at the most; a drill reads as much as it must.
    private static let lookedBack: UInt64 = 256 << 20

    private var set: BackupSet { job.set }

    func wait(atMost limit: Duration, every interval: Duration) async throws {
        let begun = ContinuousClock.now
        let segment = try await segment()
        while try await !isArchived(segment) {
            guard begun.duration(to: .now) < limit else {
                throw CommandFailure(
                    .unverified, "segment \(segment.text), which the moment lies in, was not archived in time",
                    hint: """
                        the moment is sealed, and counts once the segment is there: when it is full, or after archive_timeout; --switch-wal \
                        has it archived at once; otherwise look into pg_stat_archiver
                        """)
            }
            try await Task.sleep(for: interval)
        }
    }

    private func segment() async throws -> WALSegmentName {
        guard let moment = seal.moment, let after = WALPosition.parse(moment.after) else { throw CancellationError() }
        let size = try await segmentSize()
        // Right behind a switch nothing stands in the newest segment.
        let isSwitched = after % size <= MomentSearch.segmentHeader && after >= size
        return WALSegmentName(timeline: moment.timeline, number: after / size - (isSwitched ? 1 : 0), size: size)
    }

    private func segmentSize() async throws -> UInt64 {
        let text = try await asking {
            try await $0.value("SELECT pg_catalog.pg_size_bytes(pg_catalog.current_setting('wal_segment_size'))")
        }
        return text.flatMap { UInt64($0) } ?? 16 << 20
    }

    private func asking<Value>(_ work: (PostgresConnection) async throws -> Value) async throws -> Value {
        let connection = try await SourceSession.open(source)
        do {
            let value = try await work(connection)
            await connection.close()
            return value
        } catch {
            await connection.close()
            throw error
        }
    }

    /// In the archive itself, where that is a folder; else by what the source says of its own archiver.
    private func isArchived(_ segment: WALSegmentName) async throws -> Bool {
        if let files = try listed() { return files.contains { $0.name == .segment(segment) } }
        let last = try await asking { try await $0.value("SELECT last_archived_wal FROM pg_catalog.pg_stat_archiver") }
        guard let last = last.flatMap({ WALSegmentName(String($0.prefix(24))) }), last.timeline >= segment.timeline else { return false }
        return (last.log, last.part) >= (segment.log, segment.part)
    }

    /// nil where it can't be listed by files.
    private func listed() throws -> [ArchivedWAL]? {
        guard let wal = set.wal, wal.stores.allSatisfy({ job.estate.stores[$0]?.folder != nil }) else { return nil }
        return try Catalogue(estate: job.estate, set: set, trusted: [], decryption: nil).walFiles()
    }

    /// As ``place(on:)``; what is being copied into the archive just now is looked at again.
    func settled(on host: ScratchHost, _ interval: Duration) async throws -> MomentSearch.Outcome? {
        for _ in 0..<10 {
            do {
                return try await place(on: host)
            } catch let failure as DrillFailure where failure.verdict == .failed {
                try await Task.sleep(for: interval)
            }
        }
        return try await place(on: host)
    }

    /// Whether recovery can end at the moment; nil where that can't be asked here.
    private func place(on host: ScratchHost) async throws -> MomentSearch.Outcome? {
        guard let files = try listed(), let moment = seal.moment, let before = WALPosition.parse(moment.before),
            let identity = seal.postgres?.identity,
            let system = UInt64(identity.systemIdentifier)
        else { return nil }
        let major = identity.serverVersion / 10_000
        guard let binaries = PostgresBinaries.installed().first(where: { $0.major == major }) else {
            job.tell(
                """
                note: whether a recovery can end at the moment was not looked at: this machine has no pg_waldump of PostgreSQL \(major)
                """)
            return nil
        }
        let keyring = Keyring(job.estate)
        let wal = WALSource(
            files: Dictionary(files.map { ($0.name, $0.location) }) { first, _ in first },
            encryption: try keyring.decryption(of: set.wal?.encryption))
        return try await MomentSearch(
            host: host, folder: try host.folder.privateFolder("moment"), wal: wal, program: binaries.path("pg_waldump"),
            systemIdentifier: system, segmentSize: try await segmentSize(), major: major,
            beginning: before - min(before, Self.lookedBack)
        ).place(moment)
    }
}
