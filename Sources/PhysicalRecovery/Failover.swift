// Promotes a clone of a standby, and times how long it takes until it accepts writes.

public import DrillModel
public import Foundation
import PostgresClient
public import PostgresRecovery
public import ScratchHost

extension Rule {
    public static let failoverFailed = Rule("failover-failed")
}

/// A clone that has been promoted.
public struct PromotedServer: Sendable {
    public var server: ScratchPostgres
    /// From the request until a transaction could be begun that writes.
    public var promotion: Duration
    /// From the clone's start until it answered as a standby does.
    public var start: Duration
    /// The standby's timeline, and the one that its promotion began.
    public var timelines: (from: Int, to: Int)
    /// The last commit that it had replayed.
    public var lastCommit: Date?
}

/// One failover, on a clone.
public struct Failover: Sendable {
    public var host: ScratchHost
    public var clone: ServerClone
    public var service: String
    /// Of a clone that has what it takes in its own log, a start takes as long as replay does.
    static let patience: Duration = .seconds(600)

    public init(host: ScratchHost, clone: ServerClone, service: String) {
        self.host = host
        self.clone = clone
        self.service = service
    }

    /// Starts the clone as a standby of nobody, then promotes it.
    ///
    /// - Parameter users: Names to try; the first that the cluster knows is asked for a superuser.
    /// - Throws: ``DrillFailure``, `CancellationError`.
    public func run(users: [String]) async throws -> PromotedServer {
        let control = try await ControlData.read(clone.dataFolder, binaries: clone.binaries, host: host, backup: clone.object)
        let began = ContinuousClock.now
        let started = try await ScratchPostgres.startRecovery(
            on: host, in: clone.folder, dataFolder: clone.dataFolder, binaries: clone.binaries, profile: clone.profile,
            superuser: users.first ?? "postgres", settings: Self.settings(control, source: nil))
        do {
            try await Self.wait(for: started, host: host, service: service)
            let answered = began.duration(to: .now)
            let server = try await superuser(of: started, among: users)
            let connection = try await PostgresConnection.connect(server.configuration(database: "template1"))
            let before = try await Self.timeline(connection)
            let last = try await connection.value("SELECT extract(epoch FROM pg_last_xact_replay_timestamp())::text")
            let asked = ContinuousClock.now
            let promoted = try await connection.value("SELECT pg_promote(true, 600)") == "t"
            // Takes a number, which only a server that accepts writes can give.
            let writes = promoted ? try await connection.value("SELECT txid_current()") != nil : false
            let took = asked.duration(to: .now)
            guard writes else {
                throw failed("a server that accepts writes", "one that is still in recovery", "the clone of the standby was not promoted")
            }
            let after = try await Self.timeline(connection)
            await connection.close()
            guard after > before else {
                throw failed("a timeline behind \(before)", "timeline \(after)", "the promotion began no timeline of its own")
            }
            return PromotedServer(
                server: server, promotion: took, start: answered, timelines: (before, after),
                lastCommit: last.flatMap(Double.init).map { Date(timeIntervalSince1970: $0) })
        } catch {
            await started.stop()
            if Task.isCancelled { throw CancellationError() }
            guard let error = error as? PostgresError else { throw error }
            throw DrillFailure.error(Finding(.failoverFailed, object: service, message: error.message, hint: error.hint))
        }
    }

    /// - Parameter source: Whom to follow; nil: nobody.
    static func settings(_ control: ControlData, source: ScratchPostgres?) -> [(name: String, value: String)] {
        var settings: [(name: String, value: String)] = [
            ("hot_standby", "on"), ("wal_level", "replica"), ("track_commit_timestamp", control.tracksCommitTimes ? "on" : "off"),
            // Its fresh standby is served by it.
            ("wal_keep_size", "1GB"),
        ]
        // A server with less than the source had refuses to replay.
        for (name, value) in control.demanded {
            let least = name == "max_connections" ? 50 : name == "max_wal_senders" ? 8 : value
            settings.append((name, String(max(value, least))))
        }
        if let source {
            let folder = source.socketFolder.path.replacingOccurrences(of: "\\", with: "\\\\").replacingOccurrences(of: "'", with: "\\'")
            settings.append(
                ("primary_conninfo", "host='\(folder)' port=5432 user='\(source.superuser)' application_name=\(Failback.name)"))
        }
        return settings
    }

    /// pg_control is written anew at a checkpoint; the write-ahead log's own file name tells at once.
    private static func timeline(_ connection: PostgresConnection) async throws -> Int {
        let inRecovery = try await connection.value("SELECT pg_is_in_recovery()") == "t"
        let text = try await connection.value(
            inRecovery
                ? "SELECT timeline_id::text FROM pg_control_checkpoint()" : "SELECT substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)")
        return text.flatMap { Int($0, radix: inRecovery ? 10 : 16) } ?? 0
    }

    static func wait(for server: ScratchPostgres, host: ScratchHost, service: String) async throws {
        let deadline = ContinuousClock.now + patience
        while ContinuousClock.now < deadline {
            if server.process.ending != nil { throw server.failure("the copy of the server ended as it started", host: host) }
            if await PostgresConnection.accepts(server.configuration(database: "template1")) { return }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw server.failure("the copy of the server took no connection within \(patience)", host: host)
    }

    /// The standby's user may be allowed to replicate, and nothing else.
    private func superuser(of server: ScratchPostgres, among users: [String]) async throws -> ScratchPostgres {
        for name in users {
            let configuration = server.speaking(as: name).configuration(database: "template1")
            guard let connection = try? await PostgresConnection.connect(configuration) else { continue }
            let role = try await connection.value("SELECT rolname FROM pg_roles WHERE rolsuper AND rolcanlogin ORDER BY oid LIMIT 1")
            await connection.close()
            if let role { return server.speaking(as: role) }
        }
        try Task.checkCancellation()
        throw DrillFailure.error(
            Finding(
                .failoverFailed, object: service, expected: "a superuser that may log in", actual: "none that is known",
                message: "nobody can be spoken to the clone as", hint: "name a user of the cluster as standby: {user: …} in the estate file"
            ))
    }

    private func failed(_ expected: String, _ actual: String, _ message: String) -> DrillFailure {
        .failed(
            Finding(
                .failoverFailed, object: service, expected: expected, actual: actual, message: message,
                hint: "run again with --keep, and read server.log in the scratch folder"))
    }
}
