// A Redis that production runs: how it is reached, as whom, and what one INFO of it says. It is only read.

public import RedisClient

/// Where a living Redis is reached.
public struct LiveRedis: Sendable {
    /// A host name, or the path of its Unix socket.
    public var host: String
    public var port: Int
    public var user: String?
    public var password: String?

    public init(host: String, port: Int = 6379, user: String? = nil, password: String? = nil) {
        self.host = host
        self.port = port
        self.user = user
        self.password = password
    }

    /// The words by which redis-cli reaches it; its password goes into the environment.
    public var words: [String] {
        (host.hasPrefix("/") ? ["-s", host] : ["-h", host, "-p", String(port)]) + (user.map { ["--user", $0] } ?? [])
    }

    /// What redis-cli must find in its environment.
    public var environment: [String: String] { password.map { ["REDISCLI_AUTH": $0] } ?? [:] }

    /// Connects and logs in.
    ///
    /// - Throws: ``RedisError``, without the password.
    public func connect() async throws(RedisError) -> RedisConnection {
        let connection =
            host.hasPrefix("/")
            ? try await RedisConnection.connect(unixSocket: host, timeout: .seconds(10))
            : try await RedisConnection.connect(host: host, port: port, timeout: .seconds(10))
        guard let password else { return connection }
        do throws(RedisError) {
            try await connection.command(["AUTH"] + (user.map { [$0] } ?? []) + [password])
            return connection
        } catch {
            connection.close()
            throw error
        }
    }

    /// Why nobody gets an answer as this user; nil: somebody does.
    public func problem() async -> RedisError? {
        do throws(RedisError) {
            let connection = try await connect()
            defer { connection.close() }
            try await connection.command(["PING"])
            return nil
        } catch {
            // Who may take snapshots need not be allowed to ask this.
            if case .refused(code: "NOPERM") = error.kind { return nil }
            return error
        }
    }

    /// Whether what it sends to replicas, and so whoever takes a snapshot of it, goes through its own snapshot file: that one is then new,
    /// or gone where `rdb-del-sync-files` wants that. False, too, where it doesn't say.
    public func renewsOwnFile() async -> Bool {
        guard let connection = try? await connect() else { return false }
        defer { connection.close() }
        let answer = try? await connection.command(["CONFIG", "GET", "repl-diskless-sync"])
        return answer?.array?.last?.text == "no"
    }

    /// All that it says of itself at one moment.
    static func info(_ connection: RedisConnection) async throws(RedisError) -> [String: String] {
        guard let text = try await connection.command(["INFO"]).text else {
            throw RedisError(.unexpectedAnswer, message: "the server's answer to INFO is not understood", hint: "is it a redis?")
        }
        return ScratchRedis.fields(text)
    }

    /// Of the fields of an INFO; nil where they don't say.
    static func release(_ fields: [String: String]) -> RedisVersion? {
        if let valkey = fields["valkey_version"] { return RedisVersion(.valkey, valkey) }
        return fields["redis_version"].flatMap { RedisVersion(.redis, $0) }
    }

    /// Whether it is a Valkey that holds hash fields with a time to live: it sends no snapshot then, to nobody but a Valkey 9.
    public func withholdsSnapshot() async -> Bool {
        guard let connection = try? await connect() else { return false }
        defer { connection.close() }
        guard let fields = try? await Self.info(connection), Self.release(fields)?.flavour == .valkey else { return false }
        return Self.counts("keys_with_volatile_items", fields).values.contains { $0 > 0 }
    }

    /// Keys by database.
    public func keys() async throws(RedisError) -> [Int: Int64] {
        let connection = try await connect()
        defer { connection.close() }
        return Self.keys(try await Self.info(connection))
    }

    /// Keys by database, of the fields of an INFO; those whose time to live has run out are among them.
    static func keys(_ fields: [String: String]) -> [Int: Int64] { counts("keys", fields) }

    /// Keys with a time to live.
    static func expiring(_ fields: [String: String]) -> [Int: Int64] { counts("expires", fields) }

    /// Of lines such as `db0:keys=12,expires=3,avg_ttl=0`.
    private static func counts(_ word: String, _ fields: [String: String]) -> [Int: Int64] {
        var counts: [Int: Int64] = [:]
        for (name, value) in fields where name.hasPrefix("db") {
            guard let index = Int(name.dropFirst(2)) else { continue }
            for part in value.split(separator: ",") where part.hasPrefix(word + "=") {
                counts[index] = Int64(part.dropFirst(word.count + 1))
            }
        }
        return counts
    }
}

extension ScratchRedis {
    /// Keys by database; those whose time to live has run out are among them.
    public func keys() async throws(RedisError) -> [Int: Int64] {
        let connection = try await connect()
        defer { connection.close() }
        return LiveRedis.keys(try await LiveRedis.info(connection))
    }
}
