// Compares the number of keys with the seal: by database, by time to live, by prefix and type.

public import DrillModel

extension Rule {
    public static let keysDiffer = Rule("keys-differ")
    public static let ttlKeysDiffer = Rule("ttl-keys-differ")
}

struct RedisKeyCounts: RedisCheck {
    func cases(_ context: RedisCheckContext, _ restored: RestoredKeys) async -> [CaseResult] {
        let service = context.service
        guard let seal = context.seal else {
            return [.skipped(.keys, service: service, name: "key counts", reason: context.unsealedReason)]
        }
        switch restored.truth {
        case nil: return Self.ofNothing(seal, service)
        case .failure(let error):
            return [.unasked(.keys, service: service, name: "key counts", finding: error.finding(service))]
        case .success(let truth):
            return RedisComparison(sealed: seal, restored: truth).databases.flatMap { Self.cases($0, service) }
        }
    }

    private static func ofNothing(_ seal: RedisTruth, _ service: String) -> [CaseResult] {
        guard seal.databases.isEmpty else {
            return [.skipped(.keys, service: service, name: "key counts", reason: "no keys came back at all")]
        }
        return [CaseResult(.keys, service: service, name: "key counts", verdict: .passed)]
    }

    private static func cases(_ database: RedisComparison.Database, _ service: String) -> [CaseResult] {
        let name = database.name
        guard let sealed = database.sealed, let restored = database.restored else {
            let finding = Finding(
                .keysDiffer, object: name, expected: "\(database.sealed?.keys ?? 0) keys", actual: "\(database.restored?.keys ?? 0) keys",
                message: database.restored == nil ? "the whole database is missing" : "a database came back that the backup did not hold",
                hint: hint)
            return [.judged(.keys, service: service, name: name, findings: [finding])]
        }
        var cases = [total(sealed, restored, database, service)]
        let expiring = Finding(
            .ttlKeysDiffer, object: name, expected: "\(sealed.expiring) keys with a time to live", actual: "\(restored.expiring)",
            message: "the number of keys with a time to live differs from the seal", hint: hint)
        cases.append(
            .judged(
                .keys, service: service, name: "\(name) keys with a time to live",
                findings: database.expiringDiffers ? [expiring] : []))
        return cases + database.groups.map { count(of: $0, service) }
    }

    /// A database's total is the sum of its parts, so where a part has been found to differ, that is the finding.
    private static func total(
        _ sealed: RedisDatabaseFingerprint, _ restored: RedisDatabaseFingerprint, _ database: RedisComparison.Database, _ service: String
    ) -> CaseResult {
        let name = database.name
        guard sealed.keys != restored.keys else { return .judged(.keys, service: service, name: name, findings: []) }
        let parts = database.differing.filter(\.countDiffers)
        var explained = restored.expiring - sealed.expiring
        for part in parts { explained += (part.restored?.keys ?? 0) - (part.sealed?.keys ?? 0) }
        if restored.keys - sealed.keys == explained {
            let names = parts.map(\.object) + (database.expiringDiffers ? ["\(name) keys with a time to live"] : [])
            return .skipped(
                .keys, service: service, name: name,
                reason: "\(restored.keys) keys where the seal has \(sealed.keys): explained by \(names.abridged)")
        }
        let finding = Finding(
            .keysDiffer, object: name, expected: "\(sealed.keys) keys", actual: "\(restored.keys) keys",
            message: "the number of keys differs from the seal", hint: hint)
        return .judged(.keys, service: service, name: name, findings: [finding])
    }

    private static func count(of group: RedisComparison.Group, _ service: String) -> CaseResult {
        var findings: [Finding] = []
        if group.countDiffers {
            let sealed = group.sealed?.keys ?? 0
            let restored = group.restored?.keys ?? 0
            let message =
                switch (sealed, restored) {
                case (_, 0): "all keys of this prefix and type are missing"
                case (0, _): "keys of a prefix and type came back that the backup did not hold"
                case _ where restored < sealed: "keys are missing"
                default: "there are more keys than the backup held"
                }
            findings = [
                Finding(
                    .keysDiffer, object: group.object, expected: "\(sealed) keys", actual: "\(restored) keys", message: message, hint: hint)
            ]
        }
        return .judged(.keys, service: service, name: group.object, findings: findings)
    }

    private static let hint = "restore an older backup, and find out what changed this one after it was sealed"
}
