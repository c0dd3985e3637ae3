// Compares what the keys hold with the seal, by prefix and type.

public import DrillModel

extension Rule {
    public static let redisContentDiffers = Rule("content-differs")
}

struct RedisContent: RedisCheck {
    func cases(_ context: RedisCheckContext, _ restored: RestoredKeys) async -> [CaseResult] {
        let service = context.service
        let name = "content of the keys"
        guard let seal = context.seal else {
            return [.skipped(.content, service: service, name: name, reason: context.unsealedReason)]
        }
        switch restored.truth {
        case nil: return [.skipped(.content, service: service, name: name, reason: "no keys came back at all")]
        case .failure(let error): return [.unasked(.content, service: service, name: name, finding: error.finding(service))]
        case .success(let truth):
            let groups = RedisComparison(sealed: seal, restored: truth).databases.filter { !$0.isMissingOrExtra }.flatMap(\.groups)
            return groups.map { Self.content(of: $0, service) } + Self.unasked(groups, service)
        }
    }

    /// What either side doesn't tell of streams.
    private static func unasked(_ groups: [RedisComparison.Group], _ service: String) -> [CaseResult] {
        let streams = groups.compactMap { group in group.sealed.flatMap { sealed in group.restored.map { (sealed, $0) } } }
            .filter { $0.0.type == "stream" }
        if streams.contains(where: { $0.0.consumption == nil }) {
            return [
                .skipped(
                    .content, service: service, name: "consumers and last IDs of streams",
                    reason: "the seal is of a muster that looked at the number of consumers and pending entries alone")
            ]
        }
        if streams.contains(where: { ($0.0.additions == nil) != ($0.1.additions == nil) }) {
            return [
                .skipped(
                    .content, service: service, name: "counters of streams",
                    reason: "the backup was sealed by a server of redis 6 and restored by a newer one, or the other way: "
                        + "redis counts the entries that were added since 7")
            ]
        }
        return []
    }

    private static func content(of group: RedisComparison.Group, _ service: String) -> CaseResult {
        if group.countDiffers {
            return .skipped(.content, service: service, name: group.object, reason: "the number of keys differs already")
        }
        let type = (group.sealed ?? group.restored)?.type ?? ""
        if !group.contentDiffers, !RedisKeyHash.knownTypes.contains(type) {
            return .skipped(
                .content, service: service, name: group.object,
                reason: "values of module types cannot be compared; the names of the keys are those of the seal")
        }
        var findings: [Finding] = []
        if group.contentDiffers {
            let keys = group.sealed?.keys ?? 0
            findings = [
                Finding(
                    .redisContentDiffers, object: group.object, expected: "the content of \(keys) keys as sealed",
                    actual: "as many keys, with other names or values", message: "at least one key or value differs from the seal",
                    hint: "restore an older backup, and find out what changed this one after it was sealed")
            ]
        }
        if group.consumptionDiffers {
            findings = [
                Finding(
                    .redisContentDiffers, object: group.object, expected: "last IDs, consumers and pending entries as sealed",
                    actual: "the entries as sealed, and others of these",
                    message: "of at least one stream the last ID, a consumer, or who holds a pending entry differs from the seal",
                    hint: "restore an older backup: with this one an entry would be processed twice, or never")
            ]
        }
        return .judged(.content, service: service, name: group.object, findings: findings)
    }
}
