// The fields of Muster's own files that clauses point at, each with what it shows: a test holds every one against the files' layouts.

import Reports

/// Where evidence stands. What comes before the colon is the file, what comes behind it the path to the field.
enum EvidenceFields {
    private static func field(_ field: String, _ words: String) -> ComplianceReport.Control.Support {
        ComplianceReport.Control.Support(field: field, words: words)
    }

    static let windows = field("compliance.json: coverage[].windows[].state", "each period in which a drill was due, and what became of it")
    static let runs = field("compliance.json: runs[].verdict", "each drill of the period with its verdict")
    static let recoveryTime = field(
        "report.json: drills[].objectives.rto.achieved", "the time from the declared incident to verified operation")
    static let recoveryTimeTarget = field("report.json: drills[].objectives.rto.target", "the recovery time that was promised")
    static let recoveryTimeVerdict = field("report.json: drills[].objectives.rto.verdict", "whether the promised recovery time was met")
    static let dataLoss = field("report.json: drills[].objectives.rpo[].achieved", "how old the last moment was that came back")
    static let dataLossTarget = field("report.json: drills[].objectives.rpo[].target", "the data loss that was allowed")
    static let worstCase = field(
        "report.json: drills[].objectives.rpo[].worstCase.loss", "what a disaster at the worst moment between two backups would cost")
    static let skew = field("report.json: drills[].objectives.skew", "how far apart the moments are that the services came back to")
    static let scenario = field("report.json: drills[].scenario", "which disaster was rehearsed")
    static let steps = field("report.json: drills[].steps[].activities[].detail", "what was done in each step of the plan")
    static let store = field("report.json: drills[].recoveryPoints[].store", "which store the backup was fetched from")
    static let sealed = field(
        "report.json: drills[].recoveryPoints[].sealed", "whether a signed record of the source was there to compare with")
    static let rejected = field("report.json: drills[].recoveryPoints[].rejected", "how many newer backups turned out bad")
    static let questions = field(
        "report.json: drills[].cases[].group", "what was asked: `quarantine`, `rows`, `content`, `schema`, `keys`, `operation`, …")
    static let answers = field("report.json: drills[].cases[].verdict", "the answer to each question")
    static let findings = field("report.json: drills[].cases[].findings[].rule", "what was wrong, by its stable name")
    static let unproven = field("report.json: drills[].unproven", "what the drill did not prove, in its own words")
    static let actions = field("compliance.json: actions[].state", "each finding that somebody has to mend: overdue, open, or closed")
    static let closedBy = field("compliance.json: actions[].closedBy", "the later green drill that closed a finding")
    static let owner = field("compliance.json: actions[].owner", "who has to mend it, where the file of corrective actions says so")
    static let promises = field("compliance.json: promises[].kept", "on how many days each promise of the backup plan was kept")
    static let broken = field("compliance.json: promises[].broken", "on how many days each was broken")
    static let backups = field("compliance.json: calendar.series[].counts", "how many recovery points inspections saw, day by day")
    static let inspections = field("compliance.json: calendar.days[].inspection", "what the inspections of each day came to")
    static let forecast = field("compliance.json: trends[].forecast.likely", "when growth breaks a recovery objective")
    static let measured = field("compliance.json: trends[].points[].achieved", "how an objective developed over all drills")
    static let ledgerVerdict = field("compliance.json: ledger.verdict", "whether entries and reports are as they were written")
    static let recorded = field("ledger: predicate.recorded", "when the run was recorded, by the clock of the machine that ran it")
    static let signedVerdict = field("ledger: predicate.drills[].verdict", "the drill's verdict under a signature")
    static let files = field("ledger: subject[].digest.sha256", "each file of the run by its digest, under a signature")
    static let inputs = field("ledger: predicate.inputs[].sha256", "the drill and estate files that the run was made from")
    static let user = field("ledger: predicate.startedBy.user", "who started it")
    static let trigger = field("ledger: predicate.startedBy.trigger.kind", "what called it: a person, a timer, a CI system")
}
