// Which questions are asked of a restored Redis, and in which order.

public import DrillModel
public import RedisClient

/// What the questions are asked with.
public struct RedisCheckContext: Sendable {
    /// To the restored server. The checks change its selected database, so nobody else may use it meanwhile.
    public var connection: RedisConnection
    public var service: String
    /// What the backup held; nil where it has no seal that holds.
    public var seal: RedisTruth?
    /// Why there is no seal, for the cases that are skipped.
    public var unsealedReason: String
    /// The drill's own questions; those for other engines are not looked at.
    public var declared: [DeclaredCheck]
    /// Runs a command beside a scratch server; nil where it is none.
    public var run: (@Sendable (CommandCheck) async -> CaseResult)?
    public var emit: @Sendable (CaseResult) -> Void
    /// What is being done, keys done, and in all where known.
    public var progress: @Sendable (String, Int64, Int64?) -> Void

    public init(
        connection: RedisConnection, service: String, seal: RedisTruth?, unsealedReason: String, declared: [DeclaredCheck],
        run: (@Sendable (CommandCheck) async -> CaseResult)? = nil,
        emit: @escaping @Sendable (CaseResult) -> Void, progress: @escaping @Sendable (String, Int64, Int64?) -> Void = { _, _, _ in }
    ) {
        self.connection = connection
        self.service = service
        self.seal = seal
        self.unsealedReason = unsealedReason
        self.declared = declared
        self.run = run
        self.emit = emit
        self.progress = progress
    }
}

/// One question, or several of a kind.
protocol RedisCheck: Sendable {
    /// The cases that answer it. Where the server fails, one of them is in error; nothing is thrown and nothing left out.
    func cases(_ context: RedisCheckContext, _ restored: RestoredKeys) async -> [CaseResult]
}

/// What came back, read once for all checks.
struct RestoredKeys: Sendable {
    var keyspace: Result<RedisKeyspace, RedisError>
    /// Read only where there is a seal to compare it with and something came back.
    var truth: Result<RedisTruth, RedisError>?

    /// Whether the server was reached and is known to hold no key at all.
    var nothing: Bool {
        if case .success(let keyspace) = keyspace { keyspace.keys == 0 } else { false }
    }
}

/// All questions that are asked of a restored Redis.
public enum RedisChecks {
    /// A new check is a file and a line here.
    static let all: [any RedisCheck] = [
        RedisRestoredSomething(), RedisKeyCounts(), RedisContent(), RedisDigest(), RedisFunctionLibraries(), RedisDeclaredKeys(),
    ]

    /// Asks them all; each answer is emitted as it is known.
    public static func run(_ context: RedisCheckContext) async {
        let restored = await read(context)
        for check in all {
            for result in await check.cases(context, restored) { context.emit(result) }
        }
    }

    private static func read(_ context: RedisCheckContext) async -> RestoredKeys {
        let keyspace: RedisKeyspace
        do throws(RedisError) {
            keyspace = try await RedisKeyspace.read(context.connection)
        } catch {
            return RestoredKeys(keyspace: .failure(error), truth: context.seal.map { _ in .failure(error) })
        }
        guard let seal = context.seal, keyspace.keys > 0 else { return RestoredKeys(keyspace: .success(keyspace)) }
        do throws(RedisError) {
            let truth = try await RedisInventory.truth(of: context.connection, comparableWith: seal) { done, total in
                context.progress("comparing keys", done, total)
            }
            return RestoredKeys(keyspace: .success(keyspace), truth: .success(truth))
        } catch {
            return RestoredKeys(keyspace: .success(keyspace), truth: .failure(error))
        }
    }
}

extension Rule {
    /// A command failed, so that a question could not be asked.
    public static let redisCommandFailed = Rule("redis-command-failed")
}

extension RedisError {
    /// The finding of a question that could not be asked.
    func finding(_ object: String) -> Finding {
        Finding(.redisCommandFailed, object: object, message: message, hint: hint)
    }
}
