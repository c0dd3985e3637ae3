// Puts a replica's lag, its clone, the checks and the failover together for one Redis service.

import BackupAccess
import BackupCatalog
import DrillEngine
import DrillModel
import Foundation
import IntegrityChecks
import RedisClient
import RedisRecovery
import Reports
import ScratchHost

/// Fails one Redis service over to a clone of its replica. The replica itself is read, and gives its dataset as it would to a replica.
struct ReplicaDriver: FailoverDriver {
    let part: FailoverPart

    /// The replica when it was asked.
    struct Context: Sendable {
        var state: ReplicaState
        /// nil: the primary could not be asked.
        var lag: ReplicaLag?
    }

    struct Retrieved: StepOutcome {
        var context: Context
        var snapshot: ReplicaSnapshot
        var folder: URL
        var detail: String {
            guard snapshot.way == .stream else { return "copied the replica key by key, since its link is down" }
            let size = ((try? FileManager.default.attributesOfItem(atPath: snapshot.file.path))?[.size] as? NSNumber)?.int64Value ?? 0
            return "took a snapshot of the replica, \(Readable.bytes(size))"
        }
    }

    struct Restored: StepOutcome {
        var context: Context
        var snapshot: ReplicaSnapshot
        var redis: RestoredRedis
        var hasLoopback: Bool
        var detail: String { "loaded the clone: \(redis.detail)" }
    }

    func identify(before disaster: Date) async throws -> Identified<Context> {
        let probe = try probe()
        let state = try await probe.state()
        let lag = try await lag(of: state, probe)
        guard let age = lag.map(\.time) ?? state.age else {
            throw DrillFailure.error(
                Finding(
                    .replicaUndated, object: service, expected: "a replica that has caught up, or says when its link went down",
                    actual: state.isLinked ? "a link that is up, and a replica that does not catch up" : "a link that was never up",
                    message: "nothing says of which moment the replica is",
                    hint: "let the primary be reached as source, and the replica follow it; see the replica's log"))
        }
        let isCaughtUp = lag?.isCaughtUp == true
        let point = RecoveryPoint(
            service: service, backup: Recovery.replicaName, store: "replica", zone: standby.zone, path: "the replica's clone",
            location: host.folder.url, size: state.size, time: disaster.addingTimeInterval(-(age / .seconds(1))),
            timeSource: !isCaughtUp ? .lastReplicated : primary == nil ? .sameAsLive : .primaryPosition, sealState: .missing)
        return Identified(
            points: [point], worstCase: nil, cases: [following(state)], detail: detail(age, lag), context: Context(state: state, lag: lag))
    }

    private func lag(of state: ReplicaState, _ probe: ReplicaProbe) async throws -> ReplicaLag? {
        guard let primary else {
            guard let source else { return nil }
            return try await probe.lag(of: state, behind: try live(source))
        }
        // Never asked now: it is lost.
        guard let offset = await primary.offset, let lost = await primary.lost else { return nil }
        return try await probe.lag(of: state, behind: offset, lostAt: lost)
    }

    func retrieve(_ point: RecoveryPoint, of context: Context, _ attempt: Attempt) async throws -> Retrieved {
        let log = attempt.log
        report(context, log)
        tellWhatCorruptionMeans(for: "replica", log)
        let start = ContinuousClock.now
        let folder = try attempt.folder("r\(index)-\(attempt.number)", on: host, of: service)
        let living = try live(standby.connection)
        let snapshot = try await ReplicaCopy(host: host, folder: folder, replica: living, service: service, software: software)
            .take { log.progress("copying keys", completed: $0, total: $1, unit: .keys) }
        log.fact("clone", Readable.preciseDuration(start.duration(to: .now)))
        log.fact("clone.way", snapshot.way == .stream ? "snapshot" : "key by key")
        if snapshot.way == .stream, await living.renewsOwnFile() { log.fact("clone.own-file", "renewed: repl-diskless-sync is no") }
        if snapshot.expired > 0 { log.fact("clone.expired-keys", String(snapshot.expired)) }
        return Retrieved(context: context, snapshot: snapshot, folder: folder)
    }

    func restore(_ retrieved: Retrieved, _ attempt: Attempt) async throws -> Restored {
        let log = attempt.log
        let hasLoopback = await host.canHaveLoopback()
        let start = ContinuousClock.now
        let restored = try await RedisRestorer(
            host: host, folder: retrieved.folder, service: service, software: software, loopback: hasLoopback
        )
        .restoreSnapshot(retrieved.snapshot.file, isSnapshot: true) { log.progress("loading", completed: $0, total: $1, unit: .bytes) }
        attempt.atEnd { await restored.server.stop() }
        host.remember(restored.server, of: service, demand: plan.quarantine)
        restored.cases.forEach(log.record)
        log.fact("clone.load", Readable.preciseDuration(start.duration(to: .now)))
        for result in await RedisQuarantine.ask(restored.server, service: service, host: host, demand: plan.quarantine) {
            log.record(result)
        }
        return Restored(context: retrieved.context, snapshot: retrieved.snapshot, redis: restored, hasLoopback: hasLoopback)
    }

    /// First all that is asked of the dataset, and then the promotion, which lets go of the keys whose time has come.
    func verify(_ restored: Restored, _ attempt: Attempt) async throws -> Verified<ServiceProvision> {
        let (log, server) = (attempt.log, restored.redis.server)
        let tally = CaseTally(log)
        for result in await counts(of: server, restored.snapshot) { tally.record(result) }
        let connection = try await server.connect(for: service)
        defer { connection.close() }
        let commands = CommandChecks(service: service, index: index, plan: plan, host: host)
        await RedisChecks.run(
            RedisCheckContext(
                connection: connection, service: service, seal: nil, unsealedReason: "a replica has no seal",
                declared: plan.checks[service] ?? [],
                run: commands.run(server), emit: { tally.record($0) },
                progress: { log.progress($0, completed: $1, total: $2, unit: .keys) }))
        let took = try await ReplicaFailover(server: server, service: service).run()
        log.fact("failover", took < .milliseconds(1) ? "less than 0.001s" : Readable.preciseDuration(took))
        tally.record(.judged(.restore, service: service, name: "a clone of the replica is promoted", duration: took, findings: []))
        tally.record(await untouched(since: restored.context.state))
        return Verified(
            detail: tally.summary, provision: .server(.redis(server)),
            failback: FreshReplica(
                service: service, promoted: server, hasLoopback: restored.hasLoopback, folder: "r\(index)-\(attempt.number)b", host: host))
    }
}

/// A fresh replica behind the promoted clone.
private struct FreshReplica: FailbackDriver {
    var service: String
    var promoted: ScratchRedis
    var hasLoopback: Bool
    /// Its name.
    var folder: String
    var host: ScratchHost

    func failBack(_ log: any StepLog) async throws {
        let name = "a fresh replica follows the promoted server"
        guard hasLoopback else {
            log.record(
                .skipped(
                    .operation, service: service, name: name,
                    reason: "a redis replicates over TCP alone, and this machine allows no network namespace with a loopback of its own"))
            return
        }
        let took = try await ReplicaFailback(
            host: host, promoted: promoted, folder: try host.privateFolder(folder, of: service), service: service
        ).run()
        log.fact("failback", Readable.preciseDuration(took))
        log.record(.judged(.operation, service: service, name: name, duration: took, findings: []))
    }
}

extension ReplicaDriver {
    private var software: RedisSoftware { plan.estate.redisSoftware(of: service) }

    private func probe() throws(DrillFailure) -> ReplicaProbe {
        ReplicaProbe(replica: try live(standby.connection), service: service)
    }

    private func live(_ connection: SourceConnection) throws(DrillFailure) -> LiveRedis {
        try SourceAccess.live(connection, of: service, in: plan.estate)
    }

    private func following(_ state: ReplicaState) -> CaseResult {
        let findings =
            // Where the drill has lost the primary there is nobody to follow; that it isn't being filled was asked.
            state.isLinked || primary != nil
            ? []
            : [
                Finding(
                    .replicaLinkDown, .warning, object: service, expected: "master_link_status:up", actual: "down",
                    message: "the replica's link to its primary is down",
                    hint: "see the replica's log; where its primary is gone, there is nothing to mend")
            ]
        return .judged(
            .backup, service: service, name: primary == nil ? "the replica follows its primary" : "the replica's dataset is whole",
            findings: findings)
    }

    private func detail(_ age: Duration, _ lag: ReplicaLag?) -> String {
        let behind = Readable.preciseDuration(age)
        guard let lag else { return "a replica at most \(behind) old; its primary was not asked" }
        return "a replica \(Readable.bytes(lag.bytes)) and \(lag.isCaughtUp ? "" : "at most ")\(behind) behind its primary"
    }

    private func report(_ context: Context, _ log: any StepLog) {
        let (state, lag) = (context.state, context.lag)
        log.fact("replica.offset", String(state.offset))
        log.fact("replica.link", state.isLinked ? "up" : "down")
        if let down = state.linkDown { log.fact("replica.link-down", "at most \(Readable.duration(down))") }
        log.unproven("\(service): a replica has no seal: what its keys hold was compared with nothing but the drill's own checks.")
        if !state.isLinked, lag?.isCaughtUp != true {
            log.unproven(
                "\(service): the replica doesn't tell when it last heard of its primary, only when its link went down: "
                    + "\(Readable.duration(state.patience ?? ReplicaState.usualPatience)) more, its "
                    + "\(state.patience == nil ? "repl-timeout as far as is known" : "repl-timeout"), count as lost.")
        }
        guard let lag else {
            log.unproven("\(service): \(whyUnasked), so nobody knows what it had that the replica had not.")
            return
        }
        log.fact("replication-lag.bytes", String(lag.bytes))
        if let time = lag.time { log.fact("replication-lag", Readable.preciseDuration(time)) }
    }

    /// As many keys as the replica itself reported at the instant that it was copied.
    private func counts(of server: ScratchRedis, _ snapshot: ReplicaSnapshot) async -> [CaseResult] {
        let name = "as many keys as the replica had"
        guard let expected = snapshot.keys else {
            return [
                .skipped(
                    .keys, service: service, name: name,
                    reason: "so much was written that the replica was never asked at the instant of the copy")
            ]
        }
        do {
            let actual = try await server.keys()
            return Set(expected.keys).union(actual.keys).sorted().map { database in
                let (wanted, found) = (expected[database] ?? 0, actual[database] ?? 0)
                let findings =
                    wanted == found
                    ? []
                    : [
                        Finding(
                            .keysDiffer, object: "db\(database)", expected: "\(wanted) keys", actual: "\(found) keys",
                            message: "the clone holds another number of keys than the replica did", hint: "run the drill again with --keep")
                    ]
                return .judged(.keys, service: service, name: "db\(database): \(name)", findings: findings)
            }
        } catch {
            return [
                .unasked(
                    .keys, service: service, name: name,
                    finding: Finding(.redisCommandFailed, object: service, message: error.message, hint: error.hint))
            ]
        }
    }

    /// Nothing that a drill does may reach the replica: the one that was cloned must still be what it was.
    private func untouched(since before: ReplicaState) async -> CaseResult {
        let name = "the replica itself is still a replica"
        do {
            let now = try await probe().state()
            var findings: [Finding] = []
            if now.history != before.history || now.primary != before.primary {
                findings.append(changed("a replica of the primary and the history from before", "of another"))
            } else if before.isLinked, !now.isLinked {
                findings.append(
                    Finding(
                        .replicaLinkDown, .warning, object: service, expected: "master_link_status:up, as before", actual: "down",
                        message: "the replica lost its link to its primary while the drill ran", hint: "see the replica's log"))
            }
            return .judged(.quarantine, service: service, name: name, findings: findings)
        } catch {
            let finding = (error as? DrillFailure)?.finding
            if let finding, [.notAReplica, .replicaSyncing].contains(finding.rule) {
                return .judged(
                    .quarantine, service: service, name: name,
                    findings: [changed("a replica, as before", finding.rule == .notAReplica ? "role master" : "one that is being filled")])
            }
            return .unasked(
                .quarantine, service: service, name: name,
                finding: finding
                    ?? Finding(.replicaUnreachable, object: service, message: "the replica can't be asked", hint: "run the drill again"))
        }
    }

    private func changed(_ expected: String, _ actual: String) -> Finding {
        Finding(
            .replicaChanged, object: service, expected: expected, actual: actual,
            message: "the replica is not what it was when it was cloned",
            hint: "see the replica's log: somebody promoted it, or had it follow another, while the drill ran")
    }
}
