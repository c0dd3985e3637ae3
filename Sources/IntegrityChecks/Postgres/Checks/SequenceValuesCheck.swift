// Asks whether each sequence stands where it stood: one that is behind hands out numbers that are taken.

import DrillModel
import PostgresClient

extension Rule {
    static let sequenceBehind = Rule("sequence-behind")
    static let sequenceAhead = Rule("sequence-ahead")
}

/// Sequence values against the seal's ranges. A sequence that is missing altogether is a finding of the schema.
struct SequenceValuesCheck: PostgresCheck {
    func run(_ context: PostgresCheckContext) async {
        let name = "sequence values"
        guard let seal = context.seal else { return await context.skip(.schema, name, context.unsealedReason) }
        guard !seal.sequences.isEmpty else { return }
        let start = ContinuousClock.now
        do throws(PostgresError) {
            let found = try await context.inventory.sequences()
            await context.judge(.schema, name, since: start, Self.findings(seal.sequences, found, in: seal.objects))
        } catch {
            await context.fail(.schema, name, since: start, object: context.service, error)
        }
    }

    static func findings(_ sealed: [SequenceState], _ found: [SequenceState], in objects: [SchemaObject]) -> [Finding] {
        let values = Dictionary(found.map { ($0.name, $0.low) }) { first, _ in first }
        let downwards = Set(
            objects.filter { $0.kind == .sequence && $0.definition.contains("increment: -") }.map(\.name))
        return sealed.compactMap { state in
            guard let value = values[state.name], value < state.low || value > state.high else { return nil }
            let isBehind = (value < state.low) != downwards.contains(state.name)
            return Finding(
                isBehind ? .sequenceBehind : .sequenceAhead, object: "sequence \(state.name)",
                expected: state.low == state.high ? "\(state.low)" : "\(state.low) to \(state.high)", actual: "\(value)",
                message: isBehind
                    ? "the sequence will hand out numbers that are already taken"
                    : "the sequence has run further than it had in the source",
                hint: isBehind
                    ? "set it to the largest number in use (setval) before the application starts"
                    : "check that the seal belongs to this backup")
        }
    }
}
