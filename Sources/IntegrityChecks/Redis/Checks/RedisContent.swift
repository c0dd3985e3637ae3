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
            return RedisComparison(sealed: seal, restored: truth).databases
                .filter { !$0.isMissingOrExtra }
                .flatMap { $0.groups.map { Self.content(of: $0, service) } }
        }
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
        return .judged(.content, service: service, name: group.object, findings: findings)
    }
}
