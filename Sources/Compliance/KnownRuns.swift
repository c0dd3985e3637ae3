// Every run that is known of an estate: by the ledger where an entry vouches for it, by its own reports otherwise.

import DrillModel
import Foundation
import Reports

/// One run of one drill, and what was asked in it where somebody has to know.
struct KnownRun: Sendable {
    var row: ComplianceReport.Run
    /// nil where its report was not read, or is gone.
    var record: RunHistory.Record?
}

/// The runs of one estate, the oldest first.
struct KnownRuns: Sendable {
    var runs: [KnownRun] = []
    /// Those whose reports can't be read, and which no entry tells of.
    var unreadable: [RunHistory.Unreadable] = []

    /// - Parameters:
    ///   - recorded: What the ledger says, by run.
    ///   - names: Former names of drills, with those that they have now.
    init(
        of estate: Estate, in history: RunHistory, recorded: [String: [ComplianceReport.Run]], isInLedger: Bool, names: [String: String],
        until now: Date
    ) async throws(ReplayError) {
        let present = try history.runs().filter { run in RunHistory.started(run).map { $0 <= now } ?? false }
        for (run, rows) in recorded {
            // A run that no entry vouches for is read from its own reports, where they are still there.
            guard rows.allSatisfy({ [.vouched, .entryOnly].contains($0.record) }) || !present.contains(run) else { continue }
            runs += rows.map { KnownRun(row: $0.called(names)) }
        }
        let told = Set(runs.map(\.row.run))
        let unknown = present.filter { !told.contains($0) }
        for result in await Self.read(unknown, history) {
            switch result {
            case .success(let records):
                for record in records where record.isOf(estate) {
                    let entry = recorded[record.row.run]?.first
                    var row = ComplianceReport.Run(record, entry?.record ?? (isInLedger ? .unrecorded : .unverified))
                    if let entry { (row.user, row.trigger, row.job) = (entry.user, entry.trigger, entry.job) }
                    runs.append(KnownRun(row: row.called(names), record: record))
                }
            case .failure(let failure): unreadable.append(failure)
            }
        }
        runs.sort { ($0.row.started, $0.row.run, $0.row.drill) < ($1.row.started, $1.row.run, $1.row.drill) }
        unreadable.sort { $0.run < $1.run }
    }

    /// Reads the reports of some of the runs that an entry told of.
    mutating func readDetails(_ history: RunHistory, of indices: Set<Int>) async {
        let wanted = indices.filter { runs[$0].record == nil && runs[$0].row.record != .entryOnly }
        let names = Set(wanted.map { runs[$0].row.run })
        var found: [String: [RunHistory.Record]] = [:]
        for case .success(let records) in await Self.read(names.sorted(), history) {
            if let run = records.first?.row.run { found[run] = records }
        }
        for index in wanted {
            let row = runs[index].row
            runs[index].record = found[row.run]?.first { $0.row.drill == row.drill || $0.row.drill == row.formerName }
            if let record = runs[index].record { runs[index].row.findings = record.row.failed }
        }
    }

    private enum Result {
        case success([RunHistory.Record])
        case failure(RunHistory.Unreadable)
    }

    /// In the order of the names; as many at once as there are cores, so that ten thousand take no more memory than a few.
    private static func read(_ names: [String], _ history: RunHistory) async -> [Result] {
        await withTaskGroup(of: (Int, Result?).self) { group in
            var results: [Result?] = Array(repeating: nil, count: names.count)
            var next = 0
            func add() {
                guard next < names.count else { return }
                let index = next
                next += 1
                group.addTask {
                    do throws(ReplayError) {
                        return (index, .success(try await history.records(of: names[index])))
                    } catch {
                        // Nothing began in it: there is nothing to tell of.
                        return (index, error.kind == .empty ? nil : .failure(RunHistory.Unreadable(run: names[index], problem: error)))
                    }
                }
            }
            for _ in 0..<max(2, ProcessInfo.processInfo.activeProcessorCount) { add() }
            while let (index, result) = await group.next() {
                results[index] = result
                add()
            }
            return results.compactMap(\.self)
        }
    }
}

extension ComplianceReport.Run {
    init(_ record: RunHistory.Record, _ known: Record) {
        let row = record.row
        self.init(
            run: row.run, drill: row.drill, isInspection: row.isInspection, started: row.started, verdict: row.verdict,
            isUnfinished: row.isUnfinished, profile: row.profile, recoveryTime: row.recoveryTime, recoveryPoints: row.recoveryPoints,
            findings: row.failed, host: record.host, record: known)
    }

    fileprivate func called(_ names: [String: String]) -> Self {
        guard !isInspection, let name = names[drill], name != drill else { return self }
        var run = self
        run.formerName = drill
        run.drill = name
        return run
    }

    /// What a window and a chain of findings call it: it came to a verdict.
    var isConducted: Bool { !isUnfinished && [.passed, .failed].contains(verdict) }
}
