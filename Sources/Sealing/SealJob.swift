// Puts source, dump, fingerprints and signature together for `muster seal`.

import BackupAccess
import BackupCatalog
import Cryptography
public import DrillModel
import FileRecovery
public import Foundation
import IntegrityChecks
import OutsideTools
import PostgresClient
import PostgresRecovery
import RedisClient
import RedisRecovery
public import ScratchHost
import Seals

/// One sealing.
public struct SealJob: Sendable {
    var estate: Estate
    var service: Service
    var set: BackupSet
    var root: ScratchRoot
    var loadPercent: Int
    var parallelWorkers: Bool
    /// What a standby's replay stands still for, and for how long it may.
    var pause: PostgresSealer.Options.Pause?
    var maxPause: Duration
    /// Seals even where pg_dump is older than the source by a minor release.
    var allowOlderClient: Bool
    /// What a drill file's sealed queries ask.
    public var questions: [(database: String?, question: SealedQuestion)] = []
    /// Hears warnings and notes, a sentence each and a hint on a line of its own.
    var tell: @Sendable (String) -> Void

    public init(
        estate: Estate, service: Service, set: BackupSet, root: ScratchRoot, loadPercent: Int, parallelWorkers: Bool,
        pause: PostgresSealer.Options.Pause? = nil, maxPause: Duration, allowOlderClient: Bool, tell: @escaping @Sendable (String) -> Void
    ) {
        self.estate = estate
        self.service = service
        self.set = set
        self.root = root
        self.loadPercent = loadPercent
        self.parallelWorkers = parallelWorkers
        self.pause = pause
        self.maxPause = maxPause
        self.allowOlderClient = allowOlderClient
        self.tell = tell
    }

    private var keyring: Keyring { Keyring(estate) }

    /// Seals an artifact that is there, or makes one.
    ///
    /// - Parameters:
    ///   - existing: A path below the store, or `latest`; nil: a new backup is made.
    ///   - output: The new artifact's path below the store; nil: the set's pattern, filled in.
    /// - Throws: ``CommandFailure``, `CancellationError`.
    public func run(existing: String?, output: String?) async throws -> (artifact: URL, seal: Seal) {
        try await told {
            let sealed: (artifact: URL, seal: Seal)
            if let existing { sealed = try await sealExisting(existing) } else { sealed = try await backUpAndSeal(to: output) }
            let truths = sealed.seal.databases
            if let first = truths.first, truths.allSatisfy(\.tables.isEmpty) {
                let what = sealed.seal.cluster == nil ? "the database \(first.identity.database) holds" : "the cluster's databases hold"
                tell(
                    """
                    warning: \(what) no tables, and the seal says so
                    hint: check that it is the right one: source: {database: …} of \(service.name) in the estate file
                    """)
            }
            if let omitted = sealed.seal.cluster?.omitted, !omitted.isEmpty {
                tell(
                    """
                    warning: what takes no connections is not in the backup, as pg_dumpall leaves it out: \(omitted.joined(separator: ", "))
                    hint: ALTER DATABASE … ALLOW_CONNECTIONS true where it must be saved
                    """)
            }
            return sealed
        }
    }

    /// Puts what any part of it fails with into a command's words.
    func told<Value>(_ work: () async throws -> Value) async throws -> Value {
        do {
            return try await work()
        } catch let error as SealingError {
            throw CommandFailure(.unverified, error.message, hint: error.hint)
        } catch let error as SealError {
            throw CommandFailure(.unverified, error.message, hint: error.hint)
        } catch let error as CryptographyError {
            throw CommandFailure(.unverified, error.message, hint: error.hint)
        } catch let error as ScratchError {
            throw CommandFailure(.unverified, error.message, hint: error.hint)
        } catch let error as DrillFailure {
            throw CommandFailure(ExitCode(error.verdict), error.finding.message, hint: error.finding.hint)
        }
    }

    // MARK: A new backup

    private func backUpAndSeal(to path: String?) async throws -> (URL, Seal) {
        guard set.holdsData else { throw Self.noSealsForFiles(set) }
        if let format = set.encryption?.format, [.cms, .age, .gpg].contains(format) {
            throw CommandFailure(
                .usage, "muster writes backups of format openssl only, and \(set.name) is of format \(format.name)",
                hint: "make the backup with \(format == .cms ? "openssl cms" : format.name), then: muster seal --existing latest")
        }
        let key = try signingKey()
        guard let connection = service.source else {
            throw CommandFailure(
                .usage, "\(service.name) has no source to back up", hint: "add source: {host: …} to it in the estate file")
        }
        let artifact = try target(path)
        if set.isCluster, !artifact.lastPathComponent.contains(".gz") {
            throw CommandFailure(
                .usage, "muster packs the script of a cluster by gzip, and \(artifact.lastPathComponent) doesn't say so",
                hint: path == nil ? "let match of \(set.name) end with .sql.gz, or .sql.gz.enc" : "name it with .gz at the end")
        }
        do {
            try FileManager.default.createDirectory(at: artifact.deletingLastPathComponent(), withIntermediateDirectories: true)
        } catch {
            throw CommandFailure(
                .unverified, "\(artifact.deletingLastPathComponent().path) can't be made", hint: "check the store's permissions")
        }
        let password = try connection.password.map { reference throws(DrillFailure) in
            try Keyring.secret(reference, named: "\(service.name)'s password")
        }
        let globals = globalsFile(of: artifact)
        for file in [artifact, globals].compactMap({ $0 }) where FileManager.default.fileExists(atPath: file.path) {
            throw CommandFailure(
                .usage, "\(file.path) is already there, and a backup is never replaced", hint: "name another with --output")
        }
        do {
            let seal =
                switch service.engine {
                case .postgres where set.isPhysical: throw Self.noSealsForBaseBackups(set)
                case .postgres: try await backUpPostgres(connection, password: password, to: artifact, globals: globals)
                case .redis: try await backUpRedis(connection, password: password, to: artifact)
                case .configuration, .code: throw Self.noSealsForFiles(set)
                }
            try SealFile.write(seal, besides: artifact, signedBy: key)
            return (artifact, seal)
        } catch {
            // A dump without its seal would be the newest backup, and one that nothing vouches for.
            for file in [artifact, globals].compactMap({ $0 }) { try? FileManager.default.removeItem(at: file) }
            throw error
        }
    }

    private func globalsFile(of artifact: URL) -> URL? {
        set.globals.map {
            artifact.deletingLastPathComponent().appendingPathComponent(
                Self.filled(URL(fileURLWithPath: $0).lastPathComponent, with: Self.stem(of: artifact)))
        }
    }

    private func backUpPostgres(_ source: SourceConnection, password: Secret?, to artifact: URL, globals: URL?) async throws -> Seal {
        let configuration = PostgresConfiguration(
            host: source.host, port: source.port ?? 5432, database: source.database ?? (set.isCluster ? "postgres" : service.name),
            user: source.user ?? "postgres",
            password: password?.text, applicationName: "muster seal", settings: PostgresInventory.settings)
        let binaries = try await dumpBinaries(for: configuration)
        let encryption = try keyring.decryption(of: set)
        let tell = tell
        let warn: @Sendable (SealingError) -> Void = { tell("warning: \($0.message)\nhint: \($0.hint)") }
        // A folder of this run's: by it what a killed run leaves is found, its pg_dump and a standby's pause.
        return try await inScratch("seal \(service.name)") { host in
            try host.register(UnfinishedBackup(files: [artifact, globals].compactMap { $0 }))
            let options = sealing(on: host, olderClient: allowOlderClient ? warn : nil)
            let sealer = PostgresSealer(
                source: configuration, binaries: binaries, ownership: host.ownership, folder: host.folder.url, options: options)
            if set.isCluster {
                return try await ClusterSealer(tool: sealer.tool, options: options).seal(to: artifact, encryption: encryption, for: purpose)
            }
            var (_, seal) = try await sealer.seal(to: artifact, encryption: encryption, for: purpose)
            if let globals {
                let written = try await sealer.tool.writeGlobals(to: globals, encryption: encryption, passwords: true)
                seal.globals = Seal.Artifact(name: globals.lastPathComponent, size: written.bytesWritten, sha256: written.sha256)
            }
            return seal
        }
    }

    func sealing(on host: ScratchHost, olderClient: (@Sendable (SealingError) -> Void)? = nil) -> PostgresSealer.Options {
        var options = PostgresSealer.Options(
            loadPercent: loadPercent, parallelWorkers: parallelWorkers, pause: pause, maxPause: maxPause,
            recordPause: { mark in
                guard let mark else { return host.withdraw(PausedReplay.self) }
                try host.register(PausedReplay(estate: estate.file, service: service.name, mark: mark))
            },
            olderClient: olderClient)
        options.questions = questions
        options.unanswered = unanswered
        return options
    }

    private var unanswered: @Sendable (SealedQuestion, PostgresError) -> Void {
        { [tell] question, error in
            tell(
                """
                warning: the query "\(question.name)" could not be answered: \(error.message)
                hint: a drill that asks it ends in error, since the seal holds no answer; mend the query, and seal again
                """)
        }
    }

    /// The pg_dump of the server's own major: an older one refuses it, and a newer one writes what that server doesn't know.
    private func dumpBinaries(for configuration: PostgresConfiguration) async throws -> String? {
        // Where it can't be reached, the sealer says why.
        guard let connection = try? await RecoveryConflict.outlasting({ try await PostgresConnection.connect(configuration) })
        else { return nil }
        let version = connection.serverVersion
        for finding in (try? await KnownServerBugCheck.warnings(ofSource: connection)) ?? [] {
            tell("warning: \(finding.message)\nhint: \(finding.hint)")
        }
        await connection.close()
        return try PostgresBinaries.dumping(serverVersion: version)?.folder
    }

    private static func noSealsForFiles(_ set: BackupSet) -> CommandFailure {
        CommandFailure(
            .usage, "configuration and code aren't sealed: \(set.name) is of kind \(set.kind.rawValue)",
            hint:
                "a drill compares it with what production runs: state \(set.kind == .env ? "required and live" : "runs") in the estate file"
        )
    }

    /// What a base backup holds is proven by its manifest; a seal describes one instant, and recovery goes on from there.
    private static func noSealsForBaseBackups(_ set: BackupSet) -> CommandFailure {
        CommandFailure(
            .usage, "base backups aren't sealed: \(set.name) is of kind \(set.kind.rawValue), whose manifest proves its files",
            hint: "seal moments of its source instead: muster seal --moment; a drill with to: sealed-moment compares all of one")
    }

    private func backUpRedis(_ source: SourceConnection, password: Secret?, to artifact: URL) async throws -> Seal {
        guard set.kind == .rdb else {
            throw CommandFailure(
                .usage, "muster makes redis backups as snapshots only, and \(set.name) is of kind \(set.kind.rawValue)",
                hint: "seal one that another tool took with --existing")
        }
        return try await inScratch("seal \(service.name)") { host in
            try host.register(UnfinishedBackup(files: [artifact]))
            let folder = try host.folder.privateFolder("snapshot")
            let plain = folder.appendingPathComponent("dump.rdb")
            let started = Date()
            let clock = ContinuousClock.now
            let live = LiveRedis(host: source.host, port: source.port ?? 6379, user: source.user, password: password?.text)
            let client = service.redisSoftware.client
            // Taken as a replica takes it: a snapshot of one instant, checked by its own checksum.
            let result = try await ToolRunner.spawn(
                RedisCli(program: client).snapshot(of: live.words, to: plain), environment: live.environment, output: .discard,
                errors: .discard)
            guard result.succeeded, FileManager.default.fileExists(atPath: plain.path) else {
                if let problem = await live.problem() {
                    let silent = [.cannotConnect, .timedOut, .disconnected].contains(problem.kind)
                    throw CommandFailure(
                        .unverified, "\(silent ? "no server answers for " : "")\(service.name): \(problem.message)", hint: problem.hint)
                }
                if await live.withholdsSnapshot() {
                    let finding = Finding.withheld(by: service.name)
                    throw CommandFailure(.unverified, "\(service.name): \(finding.message)", hint: finding.hint)
                }
                throw CommandFailure(
                    .unverified, "redis-cli could not take a snapshot of \(service.name) (\(result.ending))",
                    hint: "check source in the estate file, and that the user may run SYNC")
            }
            if await live.renewsOwnFile() {
                tell(
                    "note: \(service.name) has renewed its own snapshot file for this, as for any replica: its repl-diskless-sync is no"
                )
            }
            return try await sealSnapshot(plain, as: artifact, taken: started, clock: clock, host: host)
        }
    }

    private func sealSnapshot(
        _ plain: URL, as artifact: URL, taken: Date, clock: ContinuousClock.Instant, host: ScratchHost
    ) async throws -> Seal {
        let truth = try await RedisSealer(host: host, software: service.redisSoftware).truth(ofSnapshot: plain)
        let stored: (sha256: String, size: Int64)
        if let encryption = try keyring.decryption(of: set) {
            let written = try await ArtifactStream.encrypt(from: plain, to: artifact, encryption: encryption)
            stored = (written.sha256, written.bytesWritten)
        } else {
            let written = try await ArtifactStream.copy(from: plain, to: artifact, flushed: true)
            stored = (written.sha256, written.bytesWritten)
        }
        return Seal(
            estate: estate.name, service: service.name, backup: set.name, truth: .source, snapshotTime: taken,
            backupSeconds: (ContinuousClock.now - clock) / .seconds(1),
            artifact: Seal.Artifact(name: artifact.lastPathComponent, size: stored.size, sha256: stored.sha256), redis: truth)
    }

    // MARK: A backup that is already there

    private func sealExisting(_ wanted: String) async throws -> (URL, Seal) {
        guard set.holdsData else { throw Self.noSealsForFiles(set) }
        let key = try signingKey()
        let decryption = try keyring.decryption(of: set)
        for name in set.stores { if let store = estate.stores[name] { _ = try Self.folder(of: store) } }
        // No key is trusted here: a seal that already lies there neither helps nor hinders.
        let points = try Catalogue(estate: estate, set: set, trusted: [], decryption: decryption).points()
        guard let point = wanted == "latest" ? points.first : points.first(where: { $0.path == wanted }) else {
            throw CommandFailure(
                .usage, "\(set.name) has no artifact \(wanted)", hint: "name it by its path below the store, or say latest")
        }
        let seal = try await inScratch("seal \(service.name)") { host in
            let folder = try host.folder.privateFolder("fetched")
            let retrieved = try await ArtifactRetriever(host: host, decryption: decryption).retrieve(point, into: folder) { _ in }
            var seal = Seal(
                estate: estate.name, service: service.name, backup: set.name, truth: .backup, snapshotTime: point.time,
                backupSeconds: 0,
                artifact: Seal.Artifact(
                    name: point.location.lastPathComponent, size: retrieved.storedBytes, sha256: retrieved.storedSHA256))
            if let globals = point.globals, let sha256 = retrieved.globalsSHA256, let size = retrieved.globalsBytes {
                seal.globals = Seal.Artifact(name: globals.lastPathComponent, size: size, sha256: sha256)
            }
            switch set.kind {
            case .baseBackup, .pgBackRest, .command: throw Self.noSealsForBaseBackups(set)
            case .env, .gitBundle, .gitMirror: throw Self.noSealsForFiles(set)
            case .pgDump: try await addTruth(to: &seal, of: retrieved, point: point, host: host)
            case .rdb: seal.redis = try await RedisSealer(host: host, software: service.redisSoftware).truth(ofSnapshot: retrieved.location)
            case .aof:
                seal.redis = try await RedisSealer(host: host, software: service.redisSoftware).truth(
                    ofAppendOnly: retrieved.location, isFolder: retrieved.isFolder, name: point.path)
            }
            return seal
        }
        try SealFile.write(seal, besides: point.location, signedBy: key)
        return (point.location, seal)
    }

    private func addTruth(to seal: inout Seal, of retrieved: RetrievedArtifact, point: RecoveryPoint, host: ScratchHost) async throws {
        let dump = try DumpSource(
            location: retrieved.location, format: retrieved.format, isFolder: retrieved.isFolder, globals: retrieved.globals,
            backup: point.path)
        let restorer = DumpRestorer(
            host: host, folder: try host.folder.privateFolder("server"), profile: .fast,
            jobs: min(8, ProcessInfo.processInfo.activeProcessorCount), service: service.name, needs: service.needs)
        let restored = try await restorer.restore(dump, identity: nil) { _ in }
        if let broken = restored.cases.first(where: { $0.verdict == .failed || $0.verdict == .error })?.findings.first {
            throw DrillFailure.failed(broken)
        }
        if set.isCluster { return seal.hold(try await RestoredCluster(restored: restored, time: point.time).truth()) }
        let named = restored.databases.first { $0 == service.source?.database }
        guard let database = named ?? (restored.databases.count > 1 ? nil : restored.database) else {
            throw CommandFailure(
                .usage,
                "the dump holds several databases (\(restored.databases.sorted().joined(separator: ", "))), and a seal is about one",
                hint:
                    "say which: source: {host: …, database: …} of \(service.name) in the estate file; or seal all of them: cluster: true of \(set.name)"
            )
        }
        if restored.databases.count > 1 {
            tell(
                "note: the seal is about the database \(database), and says nothing of the others in the dump; cluster: true of \(set.name) seals all"
            )
        }
        let connection = try await PostgresConnection.connect(
            restored.server.configuration(database: database, settings: PostgresInventory.settings))
        let inventory = PostgresInventory(connection, options: .init(parallelWorkers: true))
        var truth = try await inventory.truth()
        try await connection.execute(ClusterSnapshots.begin)
        truth.answers = try await sealing(on: host).answers(inventory, of: database)
        await connection.close()
        seal.postgres = truth
    }

    // MARK: Shared

    var purpose: PostgresSealer.Purpose {
        PostgresSealer.Purpose(estate: estate.name, service: service.name, backup: set.name)
    }

    func signingKey() throws -> Ed25519PrivateKey {
        guard let reference = estate.seals.signingKey else {
            throw CommandFailure(
                .usage, "the estate names no key to sign with",
                hint: "openssl genpkey -algorithm ed25519 -out seal.key, then seals: {sign-with: {file: seal.key}, trust: [seal.pub]}")
        }
        return try Ed25519PrivateKey(pem: Keyring.secret(reference, named: "seals.sign-with"))
    }

    private func target(_ path: String?) throws -> URL {
        guard let name = set.stores.first, let store = estate.stores[name] else {
            throw CommandFailure(.usage, "\(set.name) has no store", hint: "add stores: […] to it in the estate file")
        }
        let root = try Self.folder(of: store)
        if let path {
            guard !path.hasPrefix("/"), !path.split(separator: "/").contains("..") else {
                throw CommandFailure(.usage, "--output \(path) leads out of the store", hint: "name a path below \(root.path)")
            }
            return root.appendingPathComponent(path)
        }
        let stars = set.match.filter { $0 == "*" }.count
        guard stars == 1, !set.match.contains(where: { "?[".contains($0) }) else {
            throw CommandFailure(
                .usage, "no name can be made from the pattern \(set.match)", hint: "name the artifact with --output")
        }
        return root.appendingPathComponent(Self.filled(set.match, with: "\(service.name)-\(Self.stamp(Date(), in: estate.timeZone))"))
    }

    static func filled(_ pattern: String, with name: String) -> String {
        pattern.replacingOccurrences(of: "*", with: name)
    }

    /// A seal lies beside its artifact, and both are written before they travel.
    static func folder(of store: Store) throws(CommandFailure) -> URL {
        guard let folder = store.folder else {
            throw CommandFailure(
                .usage, "muster seal writes to folders, and store \(store.name) is remote",
                hint: "name a folder first under stores, seal there, and let the job that uploads take the .seal.json files along")
        }
        return folder
    }

    /// What stands before the first dot: by it a globals file finds its dump.
    private static func stem(of artifact: URL) -> String { String(artifact.lastPathComponent.prefix { $0 != "." }) }

    static func stamp(_ date: Date, in zone: TimeZone) -> String {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = zone
        formatter.dateFormat = "yyyyMMdd'T'HHmmssxx"
        return formatter.string(from: date)
    }

    func inScratch<Value: Sendable>(_ purpose: String, _ body: (ScratchHost) async throws -> Value) async throws -> Value {
        let host = try await ScratchHost.prepare(in: root, purpose: purpose, view: estate.view)
        do {
            let value = try await body(host)
            try await host.remove()
            return value
        } catch {
            // It alone knows of a standby that may still stand still: `muster clean` tries again.
            if host.isDue(PausedReplay.self) { try await host.end() } else { try await host.remove() }
            throw error
        }
    }
}
