// Compares the digest of the whole dataset with the seal: the only witness for keys with a time to live.

public import DrillModel

extension Rule {
    public static let digestDiffers = Rule("digest-differs")
}

struct RedisDigest: RedisCheck {
    func cases(_ context: RedisCheckContext, _ restored: RestoredKeys) async -> [CaseResult] {
        let service = context.service
        let name = "digest of the dataset"
        guard let seal = context.seal else {
            // RedisContent has said so for this group.
            return []
        }
        switch restored.truth {
        case nil: return []
        case .failure(let error): return [.unasked(.content, service: service, name: name, finding: error.finding(service))]
        case .success(let truth):
            let comparison = RedisComparison(sealed: seal, restored: truth)
            guard comparison.digestDiffers else { return [.judged(.content, service: service, name: name, findings: [])] }
            guard comparison.known.isEmpty else {
                return [
                    .skipped(
                        .content, service: service, name: name,
                        reason: "it differs, as it must: \(comparison.known.abridged) differ; "
                            + "whether keys with a time to live differ too, it cannot tell")
                ]
            }
            let finding = Finding(
                .digestDiffers, object: "keys with a time to live", expected: "digest \(seal.digest)", actual: "digest \(truth.digest)",
                message: "a key with a time to live differs from the seal; all other keys are as sealed",
                hint: "restore an older backup, and find out what changed this one after it was sealed")
            return [.judged(.content, service: service, name: name, findings: [finding])]
        }
    }
}
