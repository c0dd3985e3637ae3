// Every run that is known of an estate: by the ledger where an entry vouches for it, by its own reports otherwise.

import DrillModel
import Foundation
import Reports

/// One run of one drill, and what was asked in it where somebody has to know.
struct KnownRun: Sendable {
    var row: ComplianceReport.Run
    /// One or none, behind a pointer: of ten thousand runs few are read.
    private var read: [RunHistory.Record] = []
    /// It was to be read, and couldn't be: nobody can say what was asked in it.
    var isLost = false

    init(row: ComplianceReport.Run, record: RunHistory.Record? = nil) {
        self.row = row
        self.record = record
    }

    /// nil where its report was not read, or is gone.
    var record: RunHistory.Record? {
        get { read.first }
        set { read = newValue.map { [$0] } ?? [] }
    }
}

/// The runs of one estate, the oldest first.
struct KnownRuns: Sendable {
    var runs: [KnownRun] = []
    /// Those whose reports can't be read, and which no entry tells of.
    var unreadable: [RunHistory.Unreadable] = []

    /// - Parameters:
    ///   - recorded: What the ledger says.
    ///   - names: Former names of drills, with those that they have now.
    init(
        of estate: Estate, in history: RunHistory, recorded: [ComplianceReport.Run], isInLedger: Bool, names: [String: String],
        until now: Date
    ) async throws(ReplayError) {
        let present = try history.runs().filter { run in RunHistory.started(run).map { $0 <= now } ?? false }
        let isPresent = Set(present)
        var told: Set<String> = []
        var entries: [String: ComplianceReport.Run] = [:]
        runs.reserveCapacity(recorded.count)
        for row in recorded {
            // A run that no entry vouches for is read from its own reports, where they are still there.
            if [.vouched, .entryOnly].contains(row.record) || !isPresent.contains(row.run) {
                runs.append(KnownRun(row: row.called(names)))
                told.insert(row.run)
            } else {
                entries[row.run] = row
            }
        }
        let unknown = present.filter { !told.contains($0) }
        for answer in await Self.read(unknown, history) {
            if let failure = answer.failure { unreadable.append(failure) }
            // An inspection as of another instant says what was, and nothing of how things are.
            for record in answer.records where record.isOf(estate) && !record.row.isRetrospective {
                let entry = entries[record.row.run]
                var row = ComplianceReport.Run(record, entry?.record ?? (isInLedger ? .unrecorded : .unverified))
                if let entry { (row.user, row.trigger, row.job) = (entry.user, entry.trigger, entry.job) }
                runs.append(KnownRun(row: row.called(names), record: record))
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
        for answer in await Self.read(names.sorted(), history) {
            if let run = answer.records.first?.row.run { found[run] = answer.records }
        }
        for index in wanted {
            let row = runs[index].row
            runs[index].isLost = true
            runs[index].record = found[row.run]?.first { $0.row.drill == row.drill || $0.row.drill == row.formerName }
            guard let record = runs[index].record else { continue }
            runs[index].isLost = false
            runs[index].row.findings = record.row.failed
        }
    }

    /// What became of reading one run.
    private struct Answer: Sendable {
        var place: Int
        /// Empty where nothing began in it: there is nothing to tell of.
        var records: [RunHistory.Record] = []
        var failure: RunHistory.Unreadable?
    }

    /// In the order of the names; as many at once as there are cores, so that ten thousand take no more memory than a few.
    private static func read(_ names: [String], _ history: RunHistory) async -> [Answer] {
        await withTaskGroup(of: Answer.self) { group in
            var answers: [Answer] = []
            let width = max(2, ProcessInfo.processInfo.activeProcessorCount)
            for (place, name) in names.enumerated() {
                if place >= width, let answer = await group.next() { answers.append(answer) }
                group.addTask { await read(name, at: place, history) }
            }
            for await answer in group { answers.append(answer) }
            return answers.sorted { $0.place < $1.place }
        }
    }

    private static func read(_ name: String, at place: Int, _ history: RunHistory) async -> Answer {
        do throws(ReplayError) {
            return Answer(place: place, records: try await history.records(of: name))
        } catch {
            return Answer(place: place, failure: error.kind == .empty ? nil : RunHistory.Unreadable(run: name, problem: error))
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

    /// It came to a verdict.
    var isConducted: Bool { !isUnfinished && [.passed, .failed].contains(verdict) }

    /// Whether what it says is well can be believed. Where there is a ledger, anybody could have put a run into the folder that it doesn't
    /// name.
    var isBelieved: Bool { [.vouched, .entryOnly, .unverified].contains(record) }

    /// It passed, and can be believed.
    var isGreen: Bool { verdict == .passed && !isUnfinished && isBelieved }
}
