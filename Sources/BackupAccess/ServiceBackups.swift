// What both engines' drivers share: a service's catalogue, its keys and what its seals are worth.

public import BackupCatalog
import BackupPolicy
public import Cryptography
public import DrillEngine
public import DrillModel
public import FileRecovery
public import Foundation
import Reports
import Seals

extension Rule {
    public static let notSealed = Rule("not-sealed")
    static let sealOfOtherKind = Rule("seal-of-other-kind")
    static let trustedKeyUnreadable = Rule("trusted-key-unreadable")
    static let incidentBeforeBackups = Rule("no-recovery-point-before-incident")
    static let timeInFuture = Rule("time-in-future")
    static let sealMissing = Rule("seal-missing")
    static let timeIsModificationTime = Rule("time-is-mtime")
    static let globalsNotFound = Rule("globals-missing")
}

/// One backup set, as a drill sees it.
public struct ServiceBackups: Sendable {
    public var estate: Estate
    public var set: BackupSet
    public var stores: RemoteStores

    public init(estate: Estate, set: BackupSet, stores: RemoteStores) {
        self.estate = estate
        self.set = set
        self.stores = stores
    }
    public var keyring: Keyring { Keyring(estate) }
    /// What the estate names for the service's scratch servers.
    public var needs: ServerNeeds { estate.services[set.service]?.needs ?? ServerNeeds() }

    /// - Parameter ends: When base backups had ended, by their first position, where that has been read already.
    public func identify(before disaster: Date, ends: [UInt64: Date] = [:]) async throws(DrillFailure) -> Identified<Void> {
        var catalogue = try await catalogue()
        catalogue.knownEnds = ends
        let survey = try catalogue.survey()
        // A mirror holds what was there at the incident, whenever it was fetched into since.
        let all =
            set.kind != .gitMirror
            ? survey.points
            : survey.points.map { point in
                var point = point
                point.time = min(point.time, disaster)
                return point
            }
        let points = all.compactMap { $0.counted(by: disaster) }
        guard let newest = points.first else {
            throw .failed(
                Finding(
                    .incidentBeforeBackups, object: "\(set.service)/\(set.name)", expected: "a backup from before the incident",
                    actual: "\(all.count) backups, all later", message: "every backup is younger than the incident",
                    hint: Self.areOfFuture(all)
                        ? "all of them seem to be of a time to come: an unsealed dump's time is read in the estate's timezone, which must "
                            + "be that of the host that makes it; then look at that host's clock"
                        : "check the incident's time and zone in the drill file"))
        }
        var cases = [
            Self.storesCase(survey, service: set.service),
            youngerCase(
                all.filter { $0.time > disaster },
                // By its file's time, which is all that is known of it.
                unusable: survey.passedOver.map { $0.finding($0.modified.map { $0 < newest.time } == true ? .warning : .critical) }),
        ]
        // Where the newest is the stranger itself, its own seal's case says so.
        let isStranger = if case .broken = newest.sealState { true } else { false }
        if !isStranger, !survey.origins.isEmpty {
            cases.append(
                .judged(.backup, service: set.service, name: "the seals are of one database in one cluster", findings: survey.origins))
        }
        if newest.sealState == .missing, all.contains(where: { $0.sealState.seal != nil }) {
            cases.append(
                .judged(.backup, service: set.service, name: "sealed like the others", findings: [sealGone(newest)]))
        }
        if newest.timeSource == .modificationTime {
            cases.append(
                .judged(
                    .backup, service: set.service, name: "the recovery point's own time is known",
                    findings: [
                        Finding(
                            .timeIsModificationTime, .warning, object: newest.path, expected: "a time inside the backup or its seal",
                            actual: "the file's mtime", message: "the RPO rests on the file's mtime, which copying can change",
                            hint: timeHint)
                    ]))
        }
        let count = Readable.count(points.count, "recovery point")
        return Identified(
            points: points,
            // Of configuration and code, the gap between two backups is no loss as long as nothing was changed in it.
            worstCase: set.holdsData ? WorstCaseLoss.compute(all.filter(isBackup), until: disaster, retention: set.retention) : nil,
            cases: cases,
            detail: "\(count), newest \(newest.path) of \(Readable.time(newest.time, in: estate.timeZone))", context: ())
    }

    private static func areOfFuture(_ points: [RecoveryPoint]) -> Bool { !points.isEmpty && points.allSatisfy { $0.time > Date() } }

    /// Whether there is anything of this very source in it, as far as a listing tells: the rest is for the attempt to recover it to find.
    private func isBackup(_ point: RecoveryPoint) -> Bool {
        if case .broken(let finding) = point.sealState, finding.rule == .sealNamesOtherSource { return false }
        return point.size > 0 || !set.holdsData || set.isPhysical
    }

    private static func storesCase(_ survey: Catalogue.Survey, service: String) -> CaseResult {
        let name = "every store holds backups"
        if survey.emptyStores.isEmpty, let unasked = survey.unasked.first {
            return .unasked(.backup, service: service, name: name, finding: unasked)
        }
        return .judged(.backup, service: service, name: name, findings: survey.emptyStores + survey.unasked)
    }

    private func youngerCase(_ younger: [RecoveryPoint], unusable: [Finding]) -> CaseResult {
        let name = "no younger backup is passed over unseen"
        // What may not be read may be as good as any.
        let refused = younger.compactMap { point in StoredAccess.refused(of: point).map { (path: point.path, item: $0) } }
        let findings =
            younger.filter { point in !refused.contains { $0.path == point.path } }.compactMap { passedOver($0, now: Date()) }
            + unusable
        if !findings.contains(where: { $0.severity == .critical }), let (path, item) = refused.first {
            return .unasked(
                .backup, service: set.service, name: name, finding: .accessDenied(path, item, others: refused.count - 1))
        }
        return .judged(.backup, service: set.service, name: name, findings: findings)
    }

    /// What is wrong with a backup that the drill leaves out because it seems younger than the incident.
    ///
    /// A sound seal, or a time inside the backup, is believed, unless it lies in the future.
    private func passedOver(_ point: RecoveryPoint, now: Date) -> Finding? {
        if case .broken(let finding) = point.sealState { return finding }
        let time = Readable.time(point.time, in: estate.timeZone)
        // Clocks of two machines may differ by a little.
        if point.time > now.addingTimeInterval(300) {
            return Finding(
                .timeInFuture, object: point.path, expected: "a time that has been", actual: "\(time), by \(point.timeSource.rawValue)",
                message: "the backup seems to come from the future, so the drill can't tell whether it is the newest",
                hint: "check the clock of the host that made it; an unsealed dump's time is read in the estate's timezone")
        }
        guard point.timeSource == .modificationTime else { return nil }
        return Finding(
            .timeIsModificationTime, .warning, object: point.path, expected: "a time inside the backup or its seal",
            actual: "\(time), by the file's mtime",
            message: "the backup was left out as younger than the incident, on nothing but its file's mtime", hint: timeHint)
    }

    /// How a backup comes by a time of its own.
    private var timeHint: String {
        switch set.kind {
        case .env, .gitBundle: "write the time into the backup's name, such as app-20261123T020000+0530"
        case .gitMirror: "let a job of the store fetch into the mirror, which leaves a FETCH_HEAD: nothing tells when it was pushed to"
        default: "seal the backups: muster seal"
        }
    }

    private func sealGone(_ point: RecoveryPoint) -> Finding {
        Finding(
            .sealMissing, .warning, object: point.path, expected: "a seal, as other backups of this set have", actual: "none",
            message: "the newest backup is not sealed although others are",
            hint: "look into the sealing job; seals: {required: true} in the estate file makes this a failure")
    }

    /// - Throws: ``DrillFailure`` (error): this user may not read what it consists of, so an older one is no better.
    public func requireAccess(to point: RecoveryPoint) throws(DrillFailure) {
        if let refused = StoredAccess.refused(of: point) { throw .error(.accessDenied(point.path, refused)) }
    }

    /// Asks for the seal, and for the globals that the set promises.
    public func sealCases(of point: RecoveryPoint, _ log: any StepLog) throws(DrillFailure) -> [CaseResult] {
        try requireAccess(to: point)
        var cases: [CaseResult] = []
        let name = "the seal holds"
        switch point.sealState {
        case .valid(let seal) where set.kind == .pgDump ? seal.databases.isEmpty : seal.redis == nil:
            cases.append(.judged(.backup, service: set.service, name: name, findings: [otherTruth(point)]))
        case .valid(let seal):
            cases.append(.judged(.backup, service: set.service, name: name, findings: []))
            if point.globals != nil, seal.globals == nil {
                cases.append(
                    .judged(
                        .backup, service: set.service, name: "the globals file is sealed with it",
                        findings: [.globalsNotSealed(object: point.path, isRequired: estate.seals.required)]))
                log.unproven("\(set.service): the globals file is not part of the seal, so nothing vouches for its roles.")
            }
            let service = estate.services[set.service]
            if seal.truth == .source, let identity = seal.postgres?.identity, service?.source?.database == nil,
                service?.databases.isEmpty != false
            {
                log.unproven(
                    "\(set.service): that the database \(identity.database) is the service's, only its own seals say: name it under databases of the "
                        + "service, and its cluster under system-identifiers.")
            }
            if seal.truth == .source, seal.cluster != nil, service?.systemIdentifiers.isEmpty != false, service?.databases.isEmpty != false
            {
                log.unproven(
                    "\(set.service): that the cluster is the service's, only its own seals say: name it under system-identifiers of the service."
                )
            }
            if let omitted = seal.cluster?.omitted, !omitted.isEmpty {
                log.unproven("\(set.service): the backup has none of what takes no connections in the source: \(Readable.list(omitted)).")
            }
            if seal.truth == .backup {
                log.unproven(
                    "\(set.service): the seal was made from the backup, not from the source: it proves that the backup has not "
                        + "changed since, not that it ever was complete.")
            }
            if let unlogged = seal.standby?.unlogged, !unlogged.isEmpty {
                log.unproven(
                    "\(set.service): the backup was taken from a standby, which has no rows of unlogged tables: \(Readable.list(unlogged))."
                )
            }
        case .broken(let finding):
            cases.append(.judged(.backup, service: set.service, name: name, findings: [finding]))
        case .unread(let finding):
            cases.append(.unasked(.backup, service: set.service, name: name, finding: finding))
        case .missing where estate.seals.required:
            cases.append(.judged(.backup, service: set.service, name: name, findings: [unsealed(point)]))
        case .missing:
            cases.append(.skipped(.backup, service: set.service, name: name, reason: "not sealed"))
            log.unproven(
                "\(set.service): \(point.path) is not sealed, so nothing says what the source held: rows, content and schema "
                    + "were not compared.")
        }
        if set.globals != nil, point.globals == nil {
            cases.append(
                .judged(
                    .backup, service: set.service, name: "the globals file is there",
                    findings: [
                        Finding(
                            .globalsNotFound, object: point.path, expected: "a globals file beside it", actual: "none",
                            message: "the roles of this backup are missing from the store",
                            hint: "run pg_dumpall --globals-only with each dump, under a name that begins as the dump's does")
                    ]))
        }
        return cases
    }

    public func unsealedReason(of point: RecoveryPoint) -> String {
        switch point.sealState {
        case .broken: "the seal doesn't hold"
        case .unread: "the seal can't be read now"
        case .missing, .valid: "not sealed"
        }
    }

    public func recordRetrieval(of point: RecoveryPoint, _ retrieved: RetrievedArtifact, _ log: any StepLog) {
        let others = set.stores.filter { $0 != point.store }
        if !others.isEmpty {
            log.unproven(
                "\(set.service): the copies in \(others.joined(separator: ", ")) were not read; muster inspect compares them.")
        }
        let sealed = point.sealState.seal != nil
        log.record(
            sealed
                ? .judged(.backup, service: set.service, name: "the artifact is what was sealed", findings: [])
                : .skipped(.backup, service: set.service, name: "the artifact is what was sealed", reason: unsealedReason(of: point)))
        let ofGlobals = Finding.globalsUnchecked(retrieved, of: point).map { [$0] } ?? []
        if set.encryption != nil {
            log.record(
                .judged(
                    .backup, service: set.service, name: "the artifact is encrypted and opens",
                    findings: (unauthenticated(point, retrieved).map { [$0] } ?? []) + weakDerivation(of: point) + ofGlobals))
        }
        if set.kind == .pgDump, set.encryption == nil, point.sealState == .missing {
            log.record(
                .judged(
                    .backup, service: set.service, name: "a damaged artifact would be noticed",
                    findings: (Finding.contentUnchecked(retrieved, of: point).map { [$0] } ?? []) + ofGlobals))
        }
        log.fact("artifact", point.path)
        log.fact("artifact-sha256", retrieved.storedSHA256)
        log.fact("artifact-bytes", String(retrieved.storedBytes))
    }

    /// The warning where a passphrase is too quickly tried.
    public func weakDerivation(of point: RecoveryPoint) -> [Finding] {
        Finding.weakDerivation(set.encryption, object: point.path).map { [$0] } ?? []
    }

    /// The warning where neither a seal nor the format itself vouches for the bytes.
    private func unauthenticated(_ point: RecoveryPoint, _ retrieved: RetrievedArtifact) -> Finding? {
        guard let format = set.encryption?.format, point.sealState == .missing, !retrieved.isAuthenticated else { return nil }
        return .unauthenticated(format, object: point.path, artifacts: 1)
    }

    public func describe(_ retrieved: RetrievedArtifact) -> String {
        let stored = Readable.bytes(retrieved.storedBytes)
        let plain = Readable.bytes(retrieved.plainBytes)
        return "fetched \(stored)" + (set.encryption == nil ? "" : ", decrypted") + " to \(plain)"
    }

    /// Signed and of this very artifact, yet of another engine: comparing with it would compare with nothing.
    private func otherTruth(_ point: RecoveryPoint) -> Finding {
        Finding(
            .sealOfOtherKind, object: point.path, expected: "what a \(set.kind.rawValue) backup holds", actual: "another engine's content",
            message: "the seal doesn't speak of this kind of backup", hint: "check the backup's kind in the estate file, and seal it anew")
    }

    private func unsealed(_ point: RecoveryPoint) -> Finding {
        Finding(
            .notSealed, object: point.path, expected: "a seal beside the artifact", actual: "none",
            message: "the estate demands sealed backups, and this one has no seal", hint: "make backups with: muster seal")
    }

    public func catalogue() async throws(DrillFailure) -> Catalogue {
        var catalogue = Catalogue(
            estate: estate, set: set, trusted: try Self.trustedKeys(of: estate), decryption: try keyring.decryption(of: set),
            walDecryption: try keyring.decryption(of: set.wal?.encryption))
        catalogue.lister = set.lister(of: estate)
        catalogue.opened = await stores.open(for: set, reading: .times(Self.mostOpened))
        if estate.isRemote(set) { catalogue.mostOpened = Self.mostOpened }
        return catalogue
    }

    /// How many unsealed artifacts of a remote store are opened for their own time: each costs a round trip.
    private static let mostOpened = 100

    /// Brings an artifact to where its recovery reads it, if it lies in a remote store.
    public func bring(_ point: RecoveryPoint, _ log: any StepLog) async throws {
        guard estate.stores[point.store]?.remote != nil else { return }
        let start = ContinuousClock.now
        do {
            try await stores.bring(point) { log.progress("fetching", completed: $0, total: point.size, unit: .bytes) }
        } catch let failure as DrillFailure {
            throw point.timeSource == .modificationTime ? failure.datedByItsStore : failure
        }
        log.fact("fetched-from", point.store)
        log.fact("fetched-in", Readable.preciseDuration(start.duration(to: .now)))
    }

    /// The public keys that seals are believed by.
    public static func trustedKeys(of estate: Estate) throws(DrillFailure) -> [Ed25519PublicKey] {
        var trusted: [Ed25519PublicKey] = []
        for file in estate.seals.trustedKeys {
            do {
                trusted.append(try Ed25519PublicKey(pem: String(contentsOf: file, encoding: .utf8)))
            } catch {
                throw .error(
                    Finding(
                        .trustedKeyUnreadable, object: file.lastPathComponent, expected: "an Ed25519 public key, PEM",
                        actual: "something else, or nothing", message: "the key that seals are trusted by can't be read",
                        hint: "check seals: {trust: […]} in \(estate.file.lastPathComponent)"))
            }
        }
        return trusted
    }
}
