// Asks whether each sequence that numbers a column is beyond what the column holds. Needs no seal.

import DrillModel
import PostgresClient

extension Rule {
    static let sequenceBehindColumn = Rule("sequence-behind-column")
}

/// The next value of each serial and identity against its column.
///
/// A sequence may be behind its column on purpose: rows with numbers of their own, a lookup table that nothing is ever added to. What the backup did is
/// told by the backup: a dump that makes a sequence and doesn't set it has lost where it stood, and everything else was so in the source.
struct ColumnSequencesCheck: PostgresCheck {
    func run(_ context: PostgresCheckContext) async {
        // Like all that a restore says of itself, no proof of what came back: it stands with that.
        let name = "sequences and their columns"
        let start = ContinuousClock.now
        do throws(PostgresError) {
            let numbering = try await context.inventory.numbering()
            for (table, error) in numbering.damaged {
                await context.fail(.restore, "\(name): \(table)", since: start, object: table, error)
            }
            guard !numbering.sequences.isEmpty else { return }
            await context.judge(
                .restore, name, since: start, Self.findings(numbering, sealed: context.seal?.sequences, positions: context.positions))
        } catch {
            await context.fail(.restore, name, since: start, object: context.service, error)
        }
    }

    /// - Parameters:
    ///   - sealed: Where they stood in the source; nil without a seal.
    ///   - positions: What the dump sets; nil where there is no dump, or none that tells.
    static func findings(_ numbering: Numbering, sealed: [SequenceState]?, positions: SequencePositions?) -> [Finding] {
        let states = Dictionary((sealed ?? []).map { ($0.name, $0) }) { first, _ in first }
        // Where not one has ever been used, they were lost somewhere, or this is a replica of what another server numbers.
        let isUnused = numbering.sequences.allSatisfy(\.isPristine)
        return numbering.sequences.compactMap { sequence in
            guard sequence.standing != .free else { return nil }
            let state = states[sequence.name]
            // That it doesn't stand where it stood is a finding already.
            if let state, sequence.value < state.low || sequence.value > state.high { return nil }
            let isLost =
                state == nil && sequence.isPristine && !sequence.isNeverDumped
                && positions.map { !$0.holds(schema: sequence.schema, name: sequence.sequence) } ?? false
            let severity: Finding.Severity =
                if isLost {
                    .critical
                } else if sequence.standing == .taken, !sequence.isPristine || numbering.isSubscriber || isUnused || sequence.isNeverDumped
                {
                    .warning
                } else {
                    .note
                }
            return finding(sequence, severity, isLost: isLost, isSealed: state != nil, isSubscriber: numbering.isSubscriber)
        }
    }

    private static func finding(
        _ sequence: NumberingSequence, _ severity: Finding.Severity, isLost: Bool, isSealed: Bool, isSubscriber: Bool
    ) -> Finding {
        let columns = sequence.columns.joined(separator: ", ")
        let first = sequence.columns.first ?? ""
        let end = first.lastIndexOutsideQuotes(of: ".") ?? first.startIndex
        let (table, column) = (first[..<end], first[end...].dropFirst())
        let set =
            "SELECT setval(\(SQL.literal(sequence.name)), (SELECT \(sequence.runsDown ? "min" : "max")(\(column)) FROM \(table)))"
        let soFar: String
        let hint: String
        if isLost {
            soFar = "the dump makes the sequence and doesn't set it, so it begins anew"
            hint = "after a recovery: \(set); and let the backup hold it: pg_dump writes a setval for each sequence"
        } else if sequence.isNeverDumped {
            soFar = "the sequence belongs to an extension that doesn't mark it for dumping, so no dump holds where it stood"
            hint = "after a recovery: \(set)"
        } else {
            soFar =
                isSealed
                ? "the sequence stood so in the source when the backup was sealed" : "the backup brings the sequence as the source had it"
            hint =
                isSubscriber
                ? "logical replication brings rows and no sequences: before the application writes here, \(set)"
                : sequence.standing == .taken && !sequence.isPristine
                    ? "look at the source, where the next insert fails as well, and mend it there: \(set)"
                    : "nothing to do where rows get numbers of their own; else, in the source: \(set)"
        }
        return Finding(
            .sequenceBehindColumn, severity, object: "sequence \(sequence.name)", expected: "a next value beyond all of \(columns)",
            actual: "\(sequence.next), and the column holds \(sequence.standing == .taken ? "it already" : "values that come later")",
            message: sequence.standing == .taken
                ? "\(soFar): the next insert that takes its number meets one that is there"
                : "\(soFar): it will come to numbers that are there",
            hint: hint)
    }
}

extension String {
    /// The last place of a character that no double quotes surround.
    fileprivate func lastIndexOutsideQuotes(of character: Character) -> Index? {
        var isQuoted = false
        var found: Index?
        for index in indices {
            if self[index] == "\"" { isQuoted.toggle() }
            if self[index] == character, !isQuoted { found = index }
        }
        return found
    }
}
