// Builds a fresh standby of a promoted server, and times how long it takes until that one follows.

public import DrillModel
import Foundation
import PostgresClient
public import PostgresRecovery
public import ScratchHost

extension Rule {
    public static let failbackFailed = Rule("failback-failed")
}

/// The way back: the promoted server is copied, and the copy streams from it.
public struct Failback: Sendable {
    /// What the fresh standby calls itself.
    static let name = "muster_failback"
    static let patience: Duration = .seconds(120)

    public var host: ScratchHost
    public var promoted: ScratchPostgres
    /// Where the fresh standby lies.
    public var clone: ServerClone
    public var service: String

    public init(host: ScratchHost, promoted: ScratchPostgres, clone: ServerClone, service: String) {
        self.host = host
        self.promoted = promoted
        self.clone = clone
        self.service = service
    }

    /// The standby has been ended when this returns, and whatever it throws.
    ///
    /// - Returns: From the beginning of the copy until what the promoted server wrote after it had been replayed.
    /// - Throws: ``DrillFailure`` (error), `CancellationError`.
    public func run() async throws -> Duration {
        let began = ContinuousClock.now
        let source = promoted.configuration(database: "template1")
        try await clone.take(from: source)
        let control = try await ControlData.read(clone.dataFolder, binaries: clone.binaries, host: host, backup: clone.object)
        let standby = try await ScratchPostgres.startRecovery(
            on: host, in: clone.folder, dataFolder: clone.dataFolder, binaries: clone.binaries, profile: clone.profile,
            superuser: promoted.superuser, settings: Failover.settings(control, source: promoted))
        do {
            try await Failover.wait(for: standby, host: host, service: service)
            try await follow(standby, source)
            await standby.stop()
            return began.duration(to: .now)
        } catch {
            await standby.stop()
            if Task.isCancelled { throw CancellationError() }
            guard let error = error as? PostgresError else { throw error }
            throw DrillFailure.error(Finding(.failbackFailed, object: service, message: error.message, hint: error.hint))
        }
    }

    /// Something is written that the copy can't hold: it has come over the stream once it is replayed.
    private func follow(_ standby: ScratchPostgres, _ source: PostgresConfiguration) async throws {
        let primary = try await PostgresConnection.connect(source)
        let position = try await primary.value("SELECT pg_create_restore_point('muster failback')::text") ?? ""
        await primary.close()
        let follower = try await PostgresConnection.connect(standby.configuration(database: "template1"))
        let deadline = ContinuousClock.now + Self.patience
        var hasFollowed = false
        while ContinuousClock.now < deadline, !hasFollowed {
            hasFollowed =
                try await follower.value(
                    "SELECT pg_is_in_recovery() AND pg_last_wal_replay_lsn() >= $1::pg_lsn"
                        + " AND EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming')", [position]) == "t"
            if !hasFollowed { try await Task.sleep(for: .milliseconds(20)) }
        }
        await follower.close()
        guard hasFollowed else {
            throw DrillFailure.error(
                Finding(
                    .failbackFailed, object: service, expected: "a standby that has replayed what the promoted server wrote",
                    actual: "none within \(Self.patience)", message: "the fresh standby does not follow the promoted server",
                    hint: "run again with --keep, and read server.log of both in the scratch folder"))
        }
    }
}
