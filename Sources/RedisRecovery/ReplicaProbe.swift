// How far a Redis replica is behind its primary, asked of both and of nothing else; both are only read.

public import DrillModel
import RedisClient

extension Rule {
    public static let replicaUnreachable = Rule("replica-unreachable")
    public static let notAReplica = Rule("not-a-replica")
    public static let replicaOfAnother = Rule("replica-of-another")
    public static let replicaUndated = Rule("replica-undated")
    public static let replicaSyncing = Rule("replica-syncing")
    public static let replicaLinkDown = Rule("replica-link-down")
    public static let replicaChanged = Rule("replica-changed")
}

/// What a replica says of itself at one moment.
public struct ReplicaState: Sendable, Hashable {
    /// Its replication history's id, which it shares with its primary.
    public var history: String
    /// Its primary, as the replica itself reaches it. Never shown.
    public var primary: String
    /// Bytes of the history that it has applied.
    public var offset: Int64
    public var isLinked: Bool
    /// The link is up: when its primary was heard last, at the most; a second is the finest that it tells.
    public var silence: Duration?
    /// The link is down: for how long, at the most; nil where it was never up since the replica was started.
    public var linkDown: Duration?
    /// How long a primary that says nothing is believed to be there; nil where the user may not ask.
    public var patience: Duration?
    public var isReadOnly: Bool
    /// Bytes that its dataset takes in memory.
    public var size: Int64
    public var version: String
    /// The same as its own project counts: a Valkey also says which Redis it is like.
    public var release: RedisVersion?
    /// Keys by database, and those among them with a time to live; also where that has run out.
    public var keys: [Int: Int64]
    public var expiring: [Int: Int64]

    public var major: Int { Int(version.prefix { $0.isNumber }) ?? 7 }

    /// The age that what it holds may have at the most, by its own words; nil where they don't tell.
    ///
    /// A link goes down at once when the primary's end is closed, and only after `repl-timeout` when the primary falls silent. Which of
    /// the two it was, no replica tells: what it has may be older than the moment at which the link went down by that time.
    public var age: Duration? {
        if isLinked { return silence }
        return linkDown.map { $0 + (patience ?? Self.usualPatience) }
    }

    /// Redis' own default.
    public static let usualPatience: Duration = .seconds(60)
}

/// What the primary had that its replica had not.
public struct ReplicaLag: Sendable, Hashable {
    /// Bytes of the replication history that were sent and not applied.
    public var bytes: Int64
    /// How long what the primary had took to be applied; where it wasn't while Muster waited: the age by the replica's own words, if any.
    public var time: Duration?
    public var isCaughtUp: Bool
}

/// Asks a replica, and its primary where that can be reached.
public struct ReplicaProbe: Sendable {
    /// A replica whose link is down may come back by itself; one whose link is up has what is missing on its way to it.
    static let patience: (down: Duration, up: Duration) = (.seconds(2), .seconds(30))

    public var replica: LiveRedis
    public var service: String

    public init(replica: LiveRedis, service: String) {
        self.replica = replica
        self.service = service
    }

    /// - Throws: ``DrillFailure``: error where it can't be reached or is no replica, failed where its dataset is not whole.
    public func state() async throws -> ReplicaState {
        let answer: Answer
        do throws(RedisError) {
            let connection = try await replica.connect()
            defer { connection.close() }
            let fields = try await LiveRedis.info(connection)
            // A setting that the user may not be let to see.
            let patience = (try? await connection.command(["CONFIG", "GET", "repl-timeout"]))?.array?.last?.text.flatMap { Int($0) }
            answer = try Self.answer(fields, patience: patience.map { .seconds($0) })
        } catch {
            if Task.isCancelled { throw CancellationError() }
            throw unreachable()
        }
        return try answer.judged(service)
    }

    private struct Answer {
        var state: ReplicaState
        var isReplica: Bool
        var isSyncing: Bool

        func judged(_ service: String) throws(DrillFailure) -> ReplicaState {
            guard isReplica else {
                throw .error(
                    Finding(
                        .notAReplica, object: service, expected: "role slave", actual: "role master",
                        message: "what the estate calls the replica is none",
                        hint: "check replica in the estate file: has it been promoted, or is it the primary?"))
            }
            guard !isSyncing else {
                throw .failed(
                    Finding(
                        .replicaSyncing, object: service, expected: "a replica whose dataset is whole", actual: "one that is being filled",
                        message:
                            "the replica is being filled anew: what it holds is about to be replaced, so that no failover could count on it",
                        hint: "wait until INFO replication shows master_sync_in_progress:0, and find out why it had to begin anew"))
            }
            return state
        }
    }

    private static func answer(_ fields: [String: String], patience: Duration?) throws(RedisError) -> Answer {
        guard let role = fields["role"], let history = fields["master_replid"] else {
            throw RedisError(.unexpectedAnswer, message: "INFO tells no role", hint: "is it a redis, of version 6 or later?")
        }
        func number(_ name: String) -> Int64? { fields[name].flatMap { Int64($0) } }
        // Whole seconds, cut off at both ends.
        func atMost(_ name: String) -> Duration? { number(name).flatMap { $0 < 0 ? nil : .seconds($0 + 1) } }
        let isLinked = fields["master_link_status"] == "up"
        let state = ReplicaState(
            history: history, primary: "\(fields["master_host"] ?? ""):\(fields["master_port"] ?? "")",
            offset: number("slave_repl_offset") ?? 0, isLinked: isLinked, silence: isLinked ? atMost("master_last_io_seconds_ago") : nil,
            linkDown: isLinked ? nil : atMost("master_link_down_since_seconds"), patience: patience,
            isReadOnly: fields["slave_read_only"] == "1", size: number("used_memory_dataset") ?? 0,
            version: fields["redis_version"] ?? "", release: LiveRedis.release(fields), keys: LiveRedis.keys(fields),
            expiring: LiveRedis.expiring(fields))
        return Answer(
            state: state, isReplica: role == "slave", isSyncing: fields["master_sync_in_progress"] == "1" || fields["loading"] == "1")
    }

    /// How far the replica is behind.
    ///
    /// - Parameter state: What the replica said just before.
    /// - Returns: nil where the primary doesn't answer, or is no primary.
    /// - Throws: ``DrillFailure`` (failed): the replica has another history; `CancellationError`.
    public func lag(of state: ReplicaState, behind primary: LiveRedis) async throws -> ReplicaLag? {
        let asked = ContinuousClock.now
        guard let first = try await ReplicationPosition.ask(primary) else { return nil }
        var (state, position) = (state, first)
        while !position.holds(state) {
            guard asked.duration(to: .now) < Self.patience.down else { throw another() }
            // A primary that was started anew is followed again within a moment.
            try await Task.sleep(for: .milliseconds(100))
            state = try await self.state()
            guard let now = try await ReplicationPosition.ask(primary) else { return nil }
            position = now
        }
        var lag = ReplicaLag(bytes: max(0, position.offset - state.offset), time: nil, isCaughtUp: false)
        // By this machine's clock alone: no two servers need to agree on the time.
        if lag.bytes == 0 {
            lag.isCaughtUp = true
            lag.time = .zero
        } else if try await hasApplied(position.offset, since: asked, isLinked: state.isLinked) {
            lag.isCaughtUp = true
            lag.time = asked.duration(to: .now)
        } else {
            // Of a link that is up, the last word tells nothing of how old the data is that was applied.
            lag.time = state.isLinked ? nil : state.age
        }
        return lag
    }

    /// How far the replica is behind a primary that is lost.
    ///
    /// - Parameters:
    ///   - state: What the replica said since.
    ///   - position: What the primary said right before.
    ///   - lost: When it was gone: what it was given between that answer and this, nobody knows.
    /// - Throws: ``DrillFailure`` (failed): the replica has another history; `CancellationError`.
    public func lag(
        of state: ReplicaState, behind position: ReplicationPosition, lostAt lost: ContinuousClock.Instant
    ) async throws -> ReplicaLag {
        guard position.holds(state) else { throw another() }
        var last = state
        // What was sent before may still be on its way to it.
        let asked = ContinuousClock.now
        while last.offset < position.offset, asked.duration(to: .now) < Self.patience.down {
            try await Task.sleep(for: .milliseconds(20))
            last = try await self.state()
        }
        let isCaughtUp = last.offset >= position.offset
        return ReplicaLag(
            bytes: max(0, position.offset - last.offset),
            // Of a link that is up still, the last word tells nothing of how old the data is that was applied.
            time: isCaughtUp ? position.asked.duration(to: lost) : last.isLinked ? nil : last.age, isCaughtUp: isCaughtUp)
    }

    private func hasApplied(_ end: Int64, since asked: ContinuousClock.Instant, isLinked: Bool) async throws -> Bool {
        while asked.duration(to: .now) < (isLinked ? Self.patience.up : Self.patience.down) {
            if try await state().offset >= end { return true }
            try await Task.sleep(for: .milliseconds(20))
        }
        return false
    }

    private func another() -> DrillFailure {
        .failed(
            Finding(
                .replicaOfAnother, object: service, expected: "the source's replication history", actual: "another one",
                message: "the replica's history is not the source's: it could go on from it only by losing its dataset",
                hint:
                    "check source and replica in the estate file; a replica that was cut off for long comes to the same, and must follow again"
            ))
    }

    private func unreachable() -> DrillFailure {
        .error(
            Finding(
                .replicaUnreachable, object: service, expected: "a replica that answers", actual: "no answer",
                message: "the replica can't be asked",
                hint: "check replica in the estate file, and that the user may connect from here and run INFO"))
    }
}
