// Compares the libraries of functions with the seal.

public import DrillModel
import RedisClient

extension Rule {
    public static let functionsDiffer = Rule("functions-differ")
}

/// One case for all of them; none where neither side has any.
struct RedisFunctionLibraries: RedisCheck {
    func cases(_ context: RedisCheckContext, _ restored: RestoredKeys) async -> [CaseResult] {
        let service = context.service
        let name = "libraries of functions"
        // Without a seal RedisContent has said so; where nothing came back the restore's own case has.
        guard let seal = context.seal, !(restored.nothing && !seal.databases.isEmpty) else { return [] }
        let there: [RedisLibrary]
        do throws(RedisError) {
            there = try await RedisFunctions.read(context.connection, try restored.keyspace.get())
        } catch {
            return [.unasked(.content, service: service, name: name, finding: error.finding(service))]
        }
        guard let sealed = seal.functions else {
            guard !there.isEmpty else { return [] }
            return [
                .skipped(
                    .content, service: service, name: name, reason: "the seal is of a muster that didn't look at functions yet")
            ]
        }
        guard !(sealed.isEmpty && there.isEmpty) else { return [] }
        return [.judged(.content, service: service, name: name, findings: Self.findings(sealed, there))]
    }

    private static func findings(_ sealed: [RedisLibrary], _ there: [RedisLibrary]) -> [Finding] {
        let left = Dictionary(sealed.map { ($0.name, $0.sha256) }) { first, _ in first }
        let right = Dictionary(there.map { ($0.name, $0.sha256) }) { first, _ in first }
        return Set(left.keys).union(right.keys).sorted().compactMap { name in
            let (before, now) = (left[name], right[name])
            guard before != now else { return nil }
            return Finding(
                .functionsDiffer, object: "library \(name)",
                expected: before.map { "code with SHA-256 \($0.prefix(16))…" } ?? "no such library",
                actual: now.map { before == nil ? "one" : "code with SHA-256 \($0.prefix(16))…" } ?? "none",
                message: before == nil
                    ? "a library of functions came back that the backup did not hold"
                    : now == nil ? "a library of functions is missing" : "a library of functions has other code than when it was sealed",
                hint: "restore an older backup, or load the library anew: FUNCTION LOAD REPLACE")
        }
    }
}
