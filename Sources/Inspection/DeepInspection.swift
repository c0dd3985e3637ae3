// `muster inspect --deep`: every artifact read to its end, without a server.

import BackupAccess
import BackupCatalog
import BackupPolicy
import CodeRecovery
import ConfigurationRecovery
import ArtifactFormats
import DrillEngine
import DrillModel
import FileRecovery
import Foundation
import PhysicalRecovery
import PostgresRecovery
import RedisRecovery
import Reports
import ScratchHost

/// Fetches, digests, decrypts and reads one set's artifacts, one after the other, inside a scratch host.
struct DeepInspection: Sendable {
    var estate: Estate
    var survey: SetSurvey
    var root: ScratchRoot
    var hub: EventHub
    var stores: RemoteStores

    var set: BackupSet { survey.set }

    /// - Parameter broken: What has a finding already: it is told once. What doesn't read is added.
    func run(known broken: inout BrokenArtifacts) async throws -> CaseResult {
        let name = "\(set.name): every artifact reads to its end"
        let started = ContinuousClock.now
        guard set.kind != .command else {
            return .skipped(
                .policy, service: set.service, name: name, reason: "only the declared command reads these artifacts: a drill runs it")
        }
        let known = broken
        let (findings, errors, read, bad) = try await withHost { host in
            guard set.kind == .pgBackRest else { return try await readAll(on: host, except: known) }
            let told = try await verifyRepositories(on: host)
            return (told.findings, told.errors, told.read, [])
        }
        for point in bad { broken.insert(point, isBackup: false) }
        guard read > 0 || !findings.isEmpty || !errors.isEmpty else {
            return .skipped(.policy, service: set.service, name: name, reason: "every artifact has a finding of its own already")
        }
        return judged(name, findings, errors, since: started)
    }

    /// What can't be asked here doesn't hide what is wrong, and is no pass without it.
    func judged(_ name: String, _ findings: [Finding], _ errors: [Finding], since started: ContinuousClock.Instant) -> CaseResult {
        let duration = ContinuousClock.now - started
        if !findings.contains(where: { $0.severity == .critical }), let first = errors.first {
            return CaseResult(
                .policy, service: set.service, name: name, verdict: .error, duration: duration, reason: first.message,
                findings: errors + findings)
        }
        return .judged(.policy, service: set.service, name: name, duration: duration, findings: findings + errors)
    }

    /// Gives a body a scratch host of its own.
    func withHost<Value: Sendable>(_ body: (ScratchHost) async throws -> Value) async throws -> Value {
        let host: ScratchHost
        do throws(ScratchError) {
            host = try await ScratchHost.prepare(in: root, purpose: "inspection of \(set.service)/\(set.name)", view: estate.view)
        } catch {
            throw CommandFailure(.unverified, error.message, hint: error.hint)
        }
        do {
            let value = try await body(host)
            try await host.remove()
            return value
        } catch {
            try? await host.remove()
            throw error
        }
    }

    /// pgBackRest's own word on every archive and backup of each store's repository.
    private func verifyRepositories(on host: ScratchHost) async throws -> (findings: [Finding], errors: [Finding], read: Int) {
        var findings: [Finding] = []
        var errors: [Finding] = []
        let points = PgBackRestPoints(estate: estate, set: set)
        for store in survey.series.stores {
            do {
                let told = try await points.repository(in: store).verify(on: host)
                findings += told.findings.map { $0.of(store) }
                errors += told.errors.map { $0.of(store) }
            } catch let failure as DrillFailure {
                if failure.verdict == .failed { findings.append(failure.finding) } else { errors.append(failure.finding) }
            }
        }
        return (findings, errors, survey.series.moments.count)
    }

    private func readAll(
        on host: ScratchHost, except broken: BrokenArtifacts
    ) async throws -> (findings: [Finding], errors: [Finding], read: Int, bad: [RecoveryPoint]) {
        var findings: [Finding] = []
        var errors: [Finding] = []
        var read = 0
        var bad: [RecoveryPoint] = []
        // What the source's server is known to damage: of the newest backup alone, since an update there mends it for all that follow.
        var advisories: (of: Date, findings: [Finding])?
        // Of a mirror every copy: nothing compares their bytes.
        let points = survey.series.moments.flatMap { moment -> [RecoveryPoint] in
            // Elsewhere one, and that which a seal says something of: it may lie beside the second copy alone.
            let sound = moment.copies.map(\.point).filter { !broken.contains($0) }
            if set.kind == .gitMirror { return sound }
            return (sound.first { $0.sealState.seal != nil } ?? sound.first).map { [$0] } ?? []
        }
        let retriever: ArtifactRetriever
        do throws(DrillFailure) {
            retriever = ArtifactRetriever(host: host, decryption: try Keyring(estate).decryption(of: set))
        } catch {
            return ([], [error.finding], 0, [])
        }
        for (index, point) in points.enumerated() {
            try Task.checkCancellation()
            hub.emit(
                .progress(
                    DrillModel.Progress(
                        step: .verify, service: set.service, label: "reading \(set.name)", completed: Int64(index),
                        total: Int64(points.count), unit: .files)))
            do {
                try await stores.bring(point)
                let found = try await self.read(point, with: retriever, on: host).map { named($0, point) }
                findings += found.filter { $0.rule != .knownServerBug }
                if advisories.map({ $0.of < point.time }) ?? true {
                    advisories = (point.time, found.filter { $0.rule == .knownServerBug })
                }
                await stores.release(point)
                read += 1
            } catch let failure as DrillFailure {
                let finding = named(failure.finding, point)
                guard failure.verdict == .failed else {
                    errors.append(finding)
                    continue
                }
                findings.append(finding)
                // Another key may open it; and a copy with other bytes has a finding of its own.
                guard failure.finding.rule != .decryptionFailed else { continue }
                bad += survey.series.moments.lazy.flatMap(\.copies).map(\.point).filter { $0.path == point.path && !broken.contains($0) }
            }
        }
        return (findings + (advisories?.findings ?? []), errors, read, bad)
    }

    /// Retrieving names the file; a regime is read by its dates.
    private func named(_ finding: Finding, _ point: RecoveryPoint) -> Finding {
        var finding = finding
        finding.object = "\(point.store):\(point.path) of \(Readable.time(point.time, in: estate.timeZone).prefix(16))"
        return finding
    }

    /// - Returns: What should be mended although it can be read.
    private func read(_ point: RecoveryPoint, with retriever: ArtifactRetriever, on host: ScratchHost) async throws -> [Finding] {
        if let refused = StoredAccess.refused(of: point) { throw DrillFailure.error(.accessDenied(point.path, refused)) }
        let folder: URL
        do throws(ScratchError) {
            folder = try host.folder.privateFolder("deep")
        } catch {
            throw DrillFailure.error(Finding(.scratchUnusable, object: point.path, message: error.message, hint: error.hint))
        }
        defer { try? FileManager.default.removeItem(at: folder) }
        if set.kind == .baseBackup {
            try await readBase(point, in: folder, on: host)
            return []
        }
        if !set.holdsData {
            try await readHeld(point, in: folder, on: host)
            return []
        }
        let retrieved = try await retriever.retrieve(point, into: folder) { _ in }
        let unchecked =
            [set.encryption == nil ? Finding.contentUnchecked(retrieved, of: point) : nil, Finding.globalsUnchecked(retrieved, of: point)]
            .compactMap { $0 }
        switch set.kind {
        case .baseBackup, .pgBackRest, .command, .env, .gitBundle, .gitMirror: return []
        case .pgDump:
            let dump = try DumpSource(
                location: retrieved.location, format: retrieved.format, isFolder: retrieved.isFolder, globals: retrieved.globals,
                backup: point.path)
            return try await DumpReader(host: host, folder: folder).readThrough(dump, object: point.path) + unchecked
        case .rdb, .aof:
            let restorer = RedisRestorer(
                host: host, folder: folder, service: set.service, software: estate.redisSoftware(of: set.service))
            try await restorer.readThrough(
                retrieved.location, isSnapshot: retrieved.format == .rdb, isFolder: retrieved.isFolder, kind: set.kind, name: point.path)
            return []
        }
    }

    /// A `.env` file's lines, a repository's objects.
    private func readHeld(_ point: RecoveryPoint, in folder: URL, on host: ScratchHost) async throws {
        let artifact = FileBackup(backups: ServiceBackups(estate: estate, set: set, stores: stores), host: host, folder: folder)
        let retrieved = try await artifact.retrieve(point) { _ in }
        let result: CaseResult
        if set.kind == .env {
            let environment = try artifact.environment(of: retrieved, object: point.path)
            result = ConfigurationChecks(service: set.service, object: point.path, promise: ConfigurationPromise()).readable(environment)
        } else {
            let code = try await artifact.code(of: retrieved, object: point.path)
            result = try await CodeChecks(service: set.service, code: code, promise: CodePromise()).whole()
        }
        if let finding = result.findings.first(where: { $0.severity == .critical }) { throw DrillFailure.failed(finding) }
    }

    /// Every file against the manifest; the first that doesn't hold speaks for the rest.
    private func readBase(_ point: RecoveryPoint, in folder: URL, on host: ScratchHost) async throws {
        let base = try BaseBackup(at: point.location, name: point.path, encryption: try Keyring(estate).decryption(of: set))
        let copied = try await BaseBackupCopy(host: host, folder: folder).copy(base, manifest: try await base.manifest()) { _ in }
        if let finding = copied.findings.first(where: { $0.severity == .critical }) { throw DrillFailure.failed(finding) }
    }
}

extension Finding {
    /// The same, of one store among several.
    fileprivate func of(_ store: Store) -> Finding {
        var finding = self
        finding.object = "\(store.name): \(object)"
        return finding
    }
}
