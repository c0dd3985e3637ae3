// Puts a standby's lag, its clone, the failover and the checks together for one Postgres service.

import BackupAccess
import BackupCatalog
import DrillEngine
import DrillModel
import Foundation
import IntegrityChecks
import PhysicalRecovery
import PostgresClient
import PostgresRecovery
import Reports
import ScratchHost

/// Fails one Postgres service over to a clone of its standby. The standby itself is read, and lends one replication connection.
struct StandbyDriver: FailoverDriver {
    let part: FailoverPart

    /// The standby when it was asked.
    struct Context: Sendable {
        var state: StandbyState
        /// nil: the primary could not be asked.
        var lag: StandbyLag?
    }

    struct Retrieved: StepOutcome {
        var context: Context
        var clone: ServerClone
        var detail: String { "cloned the standby, \(Readable.bytes(context.state.size))" }
    }

    struct Restored: StepOutcome {
        var context: Context
        var clone: ServerClone
        var promoted: PromotedServer
        var detail: String { "promoted in \(Readable.preciseDuration(promoted.promotion)), timeline \(promoted.timelines.to)" }
    }

    func identify(before disaster: Date) async throws -> Identified<Context> {
        let probe = try probe()
        let state = try await probe.state()
        let lag = try await lag(of: state, probe)
        let known = lag?.isCaughtUp == true ? disaster.addingTimeInterval(-(lag?.time ?? .zero).seconds) : dated(state, lag, disaster)
        guard let time = known.map({ min($0, disaster) }) else {
            throw DrillFailure.error(
                Finding(
                    .standbyUndated, object: service, expected: "a commit that the standby has replayed, or a primary to compare it with",
                    actual: "neither", message: "nothing says of which moment the standby is",
                    hint: "let the primary be reached as source, or drill once a commit was replayed since the standby's start"))
        }
        let point = RecoveryPoint(
            service: service, backup: Recovery.standbyName, store: "standby", zone: standby.zone, path: "the standby's clone",
            location: host.folder.url, size: state.size, time: time,
            timeSource: lag?.isCaughtUp != true ? .lastReplayedCommit : primary == nil ? .sameAsLive : .primaryPosition,
            sealState: .missing)
        return Identified(
            points: [point], worstCase: nil, cases: [streaming(state)], detail: detail(state, lag, time, disaster),
            context: Context(state: state, lag: lag))
    }

    private func lag(of state: StandbyState, _ probe: StandbyProbe) async throws -> StandbyLag? {
        guard let primary else {
            guard let source else { return nil }
            return try await probe.lag(of: state, behind: try configuration(source, database: nil))
        }
        // Never asked now: it is lost.
        guard let position = await primary.position, let lost = await primary.lost else { return nil }
        return try await probe.lag(of: state, behind: position, lostAt: lost)
    }

    private func dated(_ state: StandbyState, _ lag: StandbyLag?, _ disaster: Date) -> Date? {
        // By the primary's own clock where it answers; the commit's time was taken by that clock too.
        lag?.time.map { disaster.addingTimeInterval(-$0.seconds) } ?? state.lastCommit
    }

    func retrieve(_ point: RecoveryPoint, of context: Context, _ attempt: Attempt) async throws -> Retrieved {
        let (log, state) = (attempt.log, context.state)
        report(context, point, log)
        tellWhatCorruptionMeans(for: "standby", log)
        let start = ContinuousClock.now
        let clone = ServerClone(
            host: host, folder: try attempt.folder("p\(index)-\(attempt.number)p", on: host, of: service),
            binaries: try binaries(state.serverMajor), profile: plan.profile,
            object: "\(service)'s standby")
        try await clone.take(from: try probe().standby)
        log.fact("clone", Readable.preciseDuration(start.duration(to: .now)))
        return Retrieved(context: context, clone: clone)
    }

    func restore(_ retrieved: Retrieved, _ attempt: Attempt) async throws -> Restored {
        let (log, clone) = (attempt.log, retrieved.clone)
        for result in OutboundSettings.cases(aside: clone.asideFolder, service: service) { log.record(result) }
        let promoted = try await Failover(host: host, clone: clone, service: service).run(users: users)
        attempt.atEnd { await promoted.server.stop() }
        log.record(
            .judged(.restore, service: service, name: "a clone of the standby is promoted", duration: promoted.promotion, findings: []))
        log.fact("failover", Readable.preciseDuration(promoted.promotion))
        log.fact("failover.start", Readable.preciseDuration(promoted.start))
        log.fact("failover.timeline", "\(promoted.timelines.from) to \(promoted.timelines.to)")
        log.fact("server-version", "PostgreSQL \(clone.binaries.major)")
        for result in await PostgresQuarantine.ask(promoted.server, service: service, host: host, demand: plan.quarantine) {
            log.record(result)
        }
        return Restored(context: retrieved.context, clone: clone, promoted: promoted)
    }

    func verify(_ restored: Restored, _ attempt: Attempt) async throws -> Verified<ServiceProvision> {
        let (log, server, before) = (attempt.log, restored.promoted.server, restored.context.state)
        let databases = RestoredDatabases(server: server, service: service)
        host.remember(server, database: "postgres", of: service, demand: plan.quarantine)
        let database = try await databases.main(preferring: source?.database ?? standby.connection.database)
        log.fact("database", database)
        let tally = CaseTally(log)
        try await databases.askCluster(
            database, origin: .files(serverVersion: before.serverVersion), unsealedReason: "a standby has no seal",
            declared: plan.checks[service] ?? [],
            commands: CommandChecks(service: service, index: index, plan: plan, host: host), tally, log)
        tally.record(await untouched(since: before))
        return Verified(
            detail: tally.summary, provision: .server(.postgres(server.configuration(database: database))),
            failback: StandbyFailback(
                service: service, promoted: server, binaries: restored.clone.binaries, profile: plan.profile,
                folder: "p\(index)-\(attempt.number)b", host: host))
    }
}

/// A fresh standby behind the promoted clone.
private struct StandbyFailback: FailbackDriver {
    var service: String
    var promoted: ScratchPostgres
    var binaries: PostgresBinaries
    var profile: Profile
    /// Its name.
    var folder: String
    var host: ScratchHost

    func failBack(_ log: any StepLog) async throws {
        let fresh = ServerClone(
            host: host, folder: try host.privateFolder(folder, of: service), binaries: binaries, profile: profile,
            object: "\(service)'s promoted clone")
        let took = try await Failback(host: host, promoted: promoted, clone: fresh, service: service).run()
        log.fact("failback", Readable.preciseDuration(took))
        log.record(
            .judged(.operation, service: service, name: "a fresh standby follows the promoted server", duration: took, findings: []))
    }
}

extension StandbyDriver {
    /// Roles that the cluster may know.
    private var users: [String] {
        var users = [standby.connection.user, source?.user].compactMap { $0 }
        if !users.contains("postgres") { users.append("postgres") }
        return users
    }

    private func probe() throws(DrillFailure) -> StandbyProbe {
        StandbyProbe(standby: try configuration(standby.connection, database: standby.connection.database), service: service)
    }

    private func configuration(_ connection: SourceConnection, database: String?) throws(DrillFailure) -> PostgresConfiguration {
        try SourceAccess.configuration(connection, of: service, database: database, in: plan.estate)
    }

    private func binaries(_ major: Int) throws(DrillFailure) -> PostgresBinaries {
        let installed = PostgresBinaries.installed()
        if let match = installed.first(where: { $0.major == major }) { return match }
        throw .error(
            Finding(
                Rule("postgres-missing"), object: "postgres \(major)", expected: "postgres \(major), and no other version",
                actual: "postgres \(installed.map { String($0.major) }.joined(separator: ", "))",
                message: "a clone needs a server of the standby's own major version, and this machine has none",
                hint: "apt-get install postgresql-\(major), or name its bin folder in MUSTER_PG_BIN"))
    }

    private func streaming(_ state: StandbyState) -> CaseResult {
        var findings: [Finding] = []
        if state.isPaused {
            findings.append(
                Finding(
                    .standbyPaused, .warning, object: service, expected: "replay that goes on", actual: "paused",
                    message: "replay is paused on the standby", hint: "SELECT pg_wal_replay_resume() on the standby"))
        }
        // A lost primary streams to nobody.
        if !state.isStreaming, primary == nil {
            findings.append(
                Finding(
                    .standbyNotStreaming, .warning, object: service, expected: "a WAL receiver", actual: "none",
                    message: "the standby receives nothing over a stream",
                    hint: "see the standby's log; where its primary is gone, or it is fed from an archive, there is nothing to mend"))
        }
        let version = "\(state.serverMajor).\(state.serverVersion % 10_000)"
        for advisory in ServerAdvisory.ofStandbys where advisory.concerns(serverVersion: state.serverVersion) {
            findings.append(
                Finding(
                    .knownServerBug, .warning, object: service, expected: "a minor release that has the mend",
                    actual: "PostgreSQL \(version)",
                    message: advisory.message, hint: advisory.hint))
        }
        return .judged(
            .backup, service: service, name: primary == nil ? "the standby follows its primary" : "the standby's replay goes on",
            findings: findings)
    }

    private func detail(_ state: StandbyState, _ lag: StandbyLag?, _ time: Date, _ disaster: Date) -> String {
        let behind = Readable.preciseDuration(.seconds(max(0, disaster.timeIntervalSince(time))))
        guard let lag else { return "a standby at LSN \(RecoveryTarget.text(lsn: state.replayed)); its primary was not asked" }
        return "a standby \(Readable.bytes(Int64(clamping: lag.bytes))) and \(behind) behind its primary"
    }

    private func report(_ context: Context, _ point: RecoveryPoint, _ log: any StepLog) {
        let state = context.state
        log.fact("standby.replayed", RecoveryTarget.text(lsn: state.replayed))
        if let received = state.received {
            log.fact("standby.received", RecoveryTarget.text(lsn: received))
            log.fact("standby.unreplayed-bytes", String(received > state.replayed ? received - state.replayed : 0))
        }
        if let commit = state.lastCommit { log.fact("standby.last-commit", Readable.time(commit, in: plan.estate.timeZone)) }
        guard let lag = context.lag else {
            log.unproven("\(service): \(whyUnasked), so nobody knows what its primary had that the standby had not.")
            return
        }
        log.fact("replication-lag.bytes", String(lag.bytes))
        if let time = lag.time { log.fact("replication-lag", Readable.preciseDuration(time)) }
        if let unreceived = lag.unreceived { log.fact("replication-lag.unreceived-bytes", String(unreceived)) }
        log.fact("lost-transactions", lag.transactions == 0 ? "none" : "at most \(lag.transactions)")
    }

    /// Nothing that a drill does may reach the standby: the one that was cloned must still be what it was.
    private func untouched(since before: StandbyState) async -> CaseResult {
        let name = "the standby itself is still a standby"
        do {
            let now = try await probe().state()
            let isSame = now.systemIdentifier == before.systemIdentifier && now.timeline == before.timeline
            let findings =
                isSame
                ? []
                : [
                    Finding(
                        .standbyChanged, object: service, expected: "its system identifier and timeline from before", actual: "another one",
                        message: "the standby is not what it was when it was cloned",
                        hint: "see the standby's log: somebody promoted its primary, or built it anew, while the drill ran")
                ]
            return .judged(.quarantine, service: service, name: name, findings: findings)
        } catch {
            let finding =
                (error as? DrillFailure)?.finding
                ?? Finding(.standbyUnreachable, object: service, message: "the standby can't be asked", hint: "run the drill again")
            return .unasked(.quarantine, service: service, name: name, finding: finding)
        }
    }
}

extension Duration {
    fileprivate var seconds: TimeInterval { self / .seconds(1) }
}
