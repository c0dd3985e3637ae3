// What an entry of the ledger says of its run, for who reads many of them and no report beside.

public import DrillModel
public import Foundation

/// An entry whose signature holds, and what verifying found of its run.
public struct LedgerRecord: Sendable, Hashable {
    /// What was measured against a target.
    public struct Objective: Sendable, Hashable {
        /// nil where nothing came back.
        public var achieved: Duration?
        /// nil where nothing was promised.
        public var target: Duration?
        public var verdict: Verdict
    }

    /// A drill or an inspection of the run, of the entry's estate.
    public struct Drill: Sendable, Hashable {
        /// `drill` or `inspection`.
        public var kind: String
        public var name: String
        public var verdict: Verdict
        /// It was cut off.
        public var interrupted: Bool
        /// `production` or `fast`; nil of an inspection.
        public var profile: String?
        /// Of an inspection as of another instant than its own.
        public var isRetrospective: Bool
        /// Against another estate file than the one that its own file names: a rehearsal on a stand-in.
        public var isOnStandIn: Bool
        /// nil where nothing could be measured.
        public var rto: Objective?
        /// By service.
        public var rpo: [String: Objective]
    }

    /// In the chain, from 1.
    public var sequence: Int
    /// In the file, from 1.
    public var line: Int
    /// When it was appended, by the clock of the machine that did.
    public var recorded: Date
    /// `run-20260314T023000Z-0a1b`
    public var run: String
    /// The estate's name, and the path of its file.
    public var estate: String
    public var estateFile: String
    public var started: Date?
    /// nil where it was interrupted.
    public var finished: Date?
    /// Of the whole run, other estates' drills with it.
    public var verdict: Verdict
    /// It was cut off.
    public var interrupted: Bool
    public var drills: [Drill]
    /// Who started it, and on which machine.
    public var user: String
    public var uid: UInt32
    public var host: String?
    /// `terminal`, `systemd`, `github-actions` and the like.
    public var trigger: String
    /// The job's page, or the unit's invocation.
    public var job: String?
    /// Whether the entry stands in the chain as it was written, and with it each of the run's files. Where the run's folder is gone, the
    /// entry alone. That entries before it are missing is no matter of its own.
    public internal(set) var isIntact = true
    /// Whether the run's folder was removed as a whole.
    public internal(set) var isFolderGone = false
}

extension LedgerRecord {
    /// nil where it says a time that is none.
    init?(_ statement: RecordedStatement, line: Int) {
        let said = statement.predicate
        guard let recorded = Date(inEvidence: said.recorded) else { return nil }
        self.init(
            sequence: said.sequence, line: line, recorded: recorded, run: said.run, estate: said.estate.name, estateFile: said.estate.file,
            started: said.started.flatMap(Date.init(inEvidence:)), finished: said.finished.flatMap(Date.init(inEvidence:)),
            verdict: said.verdict, interrupted: said.interrupted, drills: said.drills.map(Drill.init), user: said.startedBy.user,
            uid: said.startedBy.uid, host: said.startedBy.host, trigger: said.startedBy.trigger.kind, job: said.startedBy.trigger.job)
    }
}

extension LedgerRecord.Drill {
    init(_ drill: RecordedStatement.Drill) {
        self.init(
            kind: drill.kind, name: drill.name, verdict: drill.verdict, interrupted: drill.interrupted, profile: drill.profile,
            isRetrospective: drill.asOf != nil, isOnStandIn: drill.estateNamed != nil, rto: drill.rto.map(LedgerRecord.Objective.init),
            rpo: Dictionary(
                drill.rpo.compactMap { said in said.service.map { ($0, LedgerRecord.Objective(said)) } }, uniquingKeysWith: { $1 }))
    }
}

extension LedgerRecord.Objective {
    init(_ objective: Statement.Objective) {
        self.init(
            achieved: objective.achieved.flatMap(Duration.init(inEvidence:)), target: objective.target.flatMap(Duration.init(inEvidence:)),
            verdict: objective.verdict)
    }
}
