// Asks what the drill file declares: how many keys match a pattern, and that a key is there.

public import DrillModel
import RedisClient

extension Rule {
    public static let keysOutOfBounds = Rule("keys-out-of-bounds")
    public static let keyMissing = Rule("key-missing")
    public static let keyTypeDiffers = Rule("key-type-differs")
}

struct RedisDeclaredKeys: RedisCheck {
    func cases(_ context: RedisCheckContext, _ restored: RestoredKeys) async -> [CaseResult] {
        var cases: [CaseResult] = []
        for check in context.declared {
            switch check {
            case .rows, .sql, .sealed, .inDatabase, .asRole: break
            case .command: break
            case .keys(let database, let pattern, let bounds):
                let name = "db\(database) keys \(pattern) (\(bounds))"
                cases.append(
                    await answer(name, context) { () throws(RedisError) in
                        try await Self.count(context.connection, database, pattern, bounds)
                    })
            case .key(let database, let key, let type):
                let name = "db\(database) key \(key)"
                cases.append(
                    await answer(name, context) { () throws(RedisError) in
                        try await Self.look(context.connection, database, key, type)
                    })
            }
        }
        // Programs may change what they look at: they run when everything else has been asked.
        for case .command(let command) in context.declared {
            cases.append(await context.run?(command) ?? Self.onlyScratch(command, context.service))
        }
        return cases
    }

    private static func onlyScratch(_ command: CommandCheck, _ service: String) -> CaseResult {
        .unasked(
            .declared, service: service, name: command.name,
            finding: Finding(
                Rule("not-asked"), object: command.name, message: "a command is only run beside a scratch server, and here is none",
                hint: "write the check as key or keys"))
    }

    private func answer(
        _ name: String, _ context: RedisCheckContext, _ ask: () async throws(RedisError) -> [Finding]
    ) async -> CaseResult {
        context.progress(name, 0, nil)
        let start = ContinuousClock.now
        do throws(RedisError) {
            let findings = try await ask()
            return .judged(.declared, service: context.service, name: name, duration: .now - start, findings: findings)
        } catch {
            return .unasked(
                .declared, service: context.service, name: name, duration: .now - start, finding: error.finding(name))
        }
    }

    private static func count(
        _ connection: RedisConnection, _ database: Int, _ pattern: String, _ bounds: Bounds
    ) async throws(RedisError) -> [Finding] {
        let count = try await number(connection, database, matching: pattern)
        guard !bounds.contains(count) else { return [] }
        var hint = "see whether the backup is of the right redis and moment, or correct the bounds in the drill file"
        if count < bounds.atLeast ?? .min {
            // Keys past their time still count for the server, but don't show in SCAN.
            let all = Int(try await RedisKeyspace.read(connection).databases[database]?.keys ?? 0)
            let hidden = try await all - number(connection, database, matching: nil)
            if hidden > 0 {
                hint =
                    "\(hidden) keys of db\(database) are past their time to live since the backup and are not counted; "
                    + "declare bounds on keys without one, or drill with a younger backup"
            }
        }
        return [
            Finding(
                .keysOutOfBounds, object: "db\(database) \(pattern)", expected: "\(bounds) keys", actual: "\(count) keys",
                message: "the number of keys that match is out of bounds", hint: hint)
        ]
    }

    private static func number(
        _ connection: RedisConnection, _ database: Int, matching pattern: String?
    ) async throws(RedisError) -> Int {
        try await RedisTable(connection: connection, index: database).exactly { (table) throws(RedisError) in
            var count = 0
            let exact = try await table.walk(matching: pattern) { (keys) throws(RedisError) in count += keys.count }
            return exact ? count : nil
        }
    }

    private static func look(
        _ connection: RedisConnection, _ database: Int, _ key: String, _ type: String?
    ) async throws(RedisError) -> [Finding] {
        try await connection.command(["SELECT", "\(database)"])
        guard let actual = try await connection.command(["TYPE", key]).text else { throw .unexpected("TYPE") }
        let object = "db\(database) \(key)"
        guard actual == "none" else {
            guard let type, type != actual else { return [] }
            return [
                Finding(
                    .keyTypeDiffers, object: object, expected: type, actual: actual, message: "the key is of another type",
                    hint: "see whether the backup is of the right redis, or correct the type in the drill file")
            ]
        }
        let expired = try await isExpired(connection, key)
        return [
            Finding(
                .keyMissing, object: object, expected: type.map { "a \($0)" } ?? "a key",
                actual: expired ? "a key past its time to live" : "no such key",
                message: expired ? "the key came back, but its time to live has run out since the backup" : "the key is missing",
                hint: expired
                    ? "declare a key without a time to live, or drill with a younger backup"
                    : "see whether the backup is of the right redis and moment, or correct the name in the drill file")
        ]
    }

    /// DEBUG OBJECT looks past the time to live, TYPE doesn't.
    private static func isExpired(_ connection: RedisConnection, _ key: String) async throws(RedisError) -> Bool {
        let command = ["DEBUG", "OBJECT", key].map { Array($0.utf8) }
        switch try await connection.pipeline([command]).first {
        case .status, .bulk: return true
        case .error(let text) where text.contains("no such key"): return false
        default: throw .unexpected("DEBUG OBJECT")
        }
    }
}
