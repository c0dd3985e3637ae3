// Asks whether the restore really produced keys.

public import DrillModel

extension Rule {
    /// The server came up and holds no key at all.
    public static let redisNothingRestored = Rule("nothing-restored")
    /// The seal itself says that there was nothing.
    public static let redisNothingSealed = Rule("nothing-sealed")
}

struct RedisRestoredSomething: RedisCheck {
    func cases(_ context: RedisCheckContext, _ restored: RestoredKeys) async -> [CaseResult] {
        let name = "keys came back"
        switch restored.keyspace {
        case .failure(let error):
            return [.unasked(.restore, service: context.service, name: name, finding: error.finding(context.service))]
        case .success(let keyspace):
            let expected = context.seal?.databases.reduce(0) { $0 + $1.keys }
            var findings: [Finding] = []
            if keyspace.keys == 0, expected == 0 {
                findings = [
                    Finding(
                        .redisNothingSealed, .warning, object: context.service, message: "the backup held no keys when it was sealed",
                        hint: "check that the right redis is backed up")
                ]
            } else if keyspace.keys == 0 {
                findings = [
                    Finding(
                        .redisNothingRestored, object: context.service, expected: expected.map { "\($0) keys" } ?? "keys", actual: "0 keys",
                        message: "the server came up and holds no key",
                        hint: "check that the backup is of the right redis and that it was not taken after a FLUSHALL")
                ]
            }
            return [.judged(.restore, service: context.service, name: name, findings: findings)]
        }
    }
}
