// What an estate's drills and inspections of a period came to: the value that the compliance report is rendered from.

public import DrillModel
public import Foundation

/// The compliance report of one estate and one period.
public struct ComplianceReport: Sendable {
    public var musterVersion: String
    public var made: Date
    public var estate: String
    public var estateFile: String
    /// Whose days count.
    public var timeZone: TimeZone
    public var period: CalendarPeriod
    /// Whether its last day is over.
    public var isOver: Bool
    public var verdict: Verdict
    /// Why it isn't passed: sentences, the gravest first.
    public var reasons: [String]
    /// Each drill and how often it was due, by the drill's name.
    public var coverage: [Coverage]
    /// Of the period, the oldest first.
    public var runs: [Run]
    public var trends: [Trend]
    /// The open ones first, of these the overdue ones; those that were closed before the period began are left out.
    public var actions: [CorrectiveAction]
    public var participants: [Participant]
    public var promises: [Promise]
    public var calendar: BackupCalendar
    public var controls: [Control]
    /// nil where the estate keeps no ledger.
    public var ledger: LedgerState?
    /// What should be known, and is no shortfall: sentences.
    public var notes: [String]

    public init(
        musterVersion: String, made: Date, estate: String, estateFile: String, timeZone: TimeZone, period: CalendarPeriod, isOver: Bool
    ) {
        self.musterVersion = musterVersion
        self.made = made
        self.estate = estate
        self.estateFile = estateFile
        self.timeZone = timeZone
        self.period = period
        self.isOver = isOver
        verdict = .error
        reasons = []
        coverage = []
        runs = []
        trends = []
        actions = []
        participants = []
        promises = []
        calendar = BackupCalendar(days: [], series: [])
        controls = []
        ledger = nil
        notes = []
    }
}

extension ComplianceReport {
    /// One drill of one run.
    public struct Run: Sendable, Hashable {
        /// What is known of it by the ledger.
        public enum Record: String, Sendable, Hashable, Codable {
            /// Its entry and its files are as they were written.
            case vouched
            /// Its entry is, and its folder was removed since.
            case entryOnly = "entry-only"
            /// Its entry or its files were altered.
            case altered
            /// Its entry was made with a clock that stood before that of an earlier entry: it is not of when it says.
            case backdated
            /// The ledger doesn't name it.
            case unrecorded
            /// The estate keeps no ledger, or it could not be verified.
            case unverified
        }
        /// `run-20260314T023000Z-0a1b`
        public var run: String
        /// As it is called now.
        public var drill: String
        /// As it was called then, where that was another name.
        public var formerName: String?
        public var isInspection: Bool
        public var started: Date
        public var verdict: Verdict
        /// It was cut off.
        public var isUnfinished: Bool
        public var profile: String?
        public var recoveryTime: RunHistory.Objective?
        /// By service.
        public var recoveryPoints: [String: RunHistory.Objective]
        /// Of the findings that turned a case red; nil where the run's report is gone.
        public var findings: Int?
        /// Who started it, on which machine, and what called: known by the ledger alone.
        public var user: String?
        public var host: String?
        /// `terminal`, `systemd`, `github-actions` and the like.
        public var trigger: String?
        /// The job's page, or the unit's invocation.
        public var job: String?
        public var record: Record

        public init(
            run: String, drill: String, isInspection: Bool, started: Date, verdict: Verdict, isUnfinished: Bool, profile: String?,
            recoveryTime: RunHistory.Objective?, recoveryPoints: [String: RunHistory.Objective], findings: Int?, user: String? = nil,
            host: String? = nil, trigger: String? = nil, job: String? = nil, record: Record
        ) {
            self.run = run
            self.drill = drill
            self.isInspection = isInspection
            self.started = started
            self.verdict = verdict
            self.isUnfinished = isUnfinished
            self.profile = profile
            self.recoveryTime = recoveryTime
            self.recoveryPoints = recoveryPoints
            self.findings = findings
            self.user = user
            self.host = host
            self.trigger = trigger
            self.job = job
            self.record = record
        }
    }

    /// A drill, and what became of each period in which it was due.
    public struct Coverage: Sendable, Hashable {
        public enum State: String, Sendable, Hashable, Codable {
            /// It was drilled in it, and passed.
            case kept
            /// It failed in it, and passed later.
            case retested
            /// It failed in it, and hasn't passed since.
            case failed
            /// It was tried, and never came to a verdict.
            case unverified
            /// It is over, and nobody drilled.
            case missing
            /// It is not over, and nobody has drilled yet.
            case open

            /// Whether the promise was broken.
            public var isBroken: Bool { [.failed, .unverified, .missing].contains(self) }
        }
        public struct Window: Sendable, Hashable {
            public var period: CalendarPeriod
            public var state: State
            /// In it, by their verdicts.
            public var passed: Int
            public var failed: Int
            public var unverified: Int
            /// The run that the state rests on.
            public var run: String?
            public var date: Date?

            public init(
                period: CalendarPeriod, state: State, passed: Int, failed: Int, unverified: Int, run: String?, date: Date?
            ) {
                self.period = period
                self.state = state
                self.passed = passed
                self.failed = failed
                self.unverified = unverified
                self.run = run
                self.date = date
            }
        }
        public var drill: String
        public var scenario: Scenario?
        /// nil where its file names none: its runs are shown, and nothing is due.
        public var cadence: Cadence?
        public var targets: Targets?
        /// The oldest first; without a cadence, the report's period alone.
        public var windows: [Window]

        public init(drill: String, scenario: Scenario?, cadence: Cadence?, targets: Targets?, windows: [Window]) {
            self.drill = drill
            self.scenario = scenario
            self.cadence = cadence
            self.targets = targets
            self.windows = windows
        }
    }

    /// How an objective developed over all that is known, to the period's end.
    public struct Trend: Sendable, Hashable {
        public struct Point: Sendable, Hashable {
            public var time: Date
            public var achieved: Duration
            public var verdict: Verdict
            public var run: String

            public init(time: Date, achieved: Duration, verdict: Verdict, run: String) {
                self.time = time
                self.achieved = achieved
                self.verdict = verdict
                self.run = run
            }
        }
        public var drill: String
        /// nil: RTO; otherwise the RPO of this service.
        public var service: String?
        /// The newest one's; nil: nothing promised.
        public var target: Duration?
        /// The oldest first; of the production profile alone, for an RTO.
        public var points: [Point]
        public var forecast: Forecast?
        /// Why there is no forecast.
        public var silence: String?

        public init(drill: String, service: String?, target: Duration?, points: [Point], forecast: Forecast?, silence: String?) {
            self.drill = drill
            self.service = service
            self.target = target
            self.points = points
            self.forecast = forecast
            self.silence = silence
        }
    }

    /// When growth breaks the target, by a straight line through the points.
    public struct Forecast: Sendable, Hashable {
        /// Growth in 30 days: the most likely, and the two ends of its 95 % interval.
        public var perMonth: Duration
        public var perMonthLow: Duration
        public var perMonthHigh: Duration
        /// When the line reaches the target; in the past where it has.
        public var likely: Date
        public var earliest: Date
        /// nil: later than anybody would plan for.
        public var latest: Date?

        public init(perMonth: Duration, perMonthLow: Duration, perMonthHigh: Duration, likely: Date, earliest: Date, latest: Date?) {
            self.perMonth = perMonth
            self.perMonthLow = perMonthLow
            self.perMonthHigh = perMonthHigh
            self.likely = likely
            self.earliest = earliest
            self.latest = latest
        }
    }

    /// A finding that somebody has to mend: opened by a red run, closed by a later green one of the same drill, and by nothing else.
    public struct CorrectiveAction: Sendable, Hashable {
        public enum State: String, Sendable, Hashable, Codable {
            case overdue, open, closed
        }
        public var drill: String
        public var rule: String
        public var object: String
        public var service: String?
        public var message: String
        public var hint: String
        public var state: State
        public var opened: Date
        public var openedBy: String
        /// The newest run that still showed it.
        public var lastSeen: Date
        public var occurrences: Int
        public var closed: Date?
        public var closedBy: String?
        /// From the file of corrective actions; nil: nobody is named there.
        public var owner: String?
        public var due: CalendarDay
        /// Whether the file names the day, and not the rule for those that it doesn't.
        public var isDueDeclared: Bool
        public var note: String?

        public init(
            drill: String, rule: String, object: String, service: String?, message: String, hint: String, state: State, opened: Date,
            openedBy: String, lastSeen: Date, occurrences: Int, closed: Date?, closedBy: String?, owner: String?, due: CalendarDay,
            isDueDeclared: Bool, note: String?
        ) {
            self.drill = drill
            self.rule = rule
            self.object = object
            self.service = service
            self.message = message
            self.hint = hint
            self.state = state
            self.opened = opened
            self.openedBy = openedBy
            self.lastSeen = lastSeen
            self.occurrences = occurrences
            self.closed = closed
            self.closedBy = closedBy
            self.owner = owner
            self.due = due
            self.isDueDeclared = isDueDeclared
            self.note = note
        }
    }

    /// Who, or what, started runs of the period.
    public struct Participant: Sendable, Hashable {
        public var user: String
        public var host: String?
        public var trigger: String?
        public var runs: Int
        public var first: Date
        public var last: Date

        public init(user: String, host: String?, trigger: String?, runs: Int, first: Date, last: Date) {
            self.user = user
            self.host = host
            self.trigger = trigger
            self.runs = runs
            self.first = first
            self.last = last
        }
    }

    /// One promise of the plan, as the period's inspections and drills asked it.
    public struct Promise: Sendable, Hashable {
        public var service: String?
        /// As the case is called: `daily: made every day at 02:00, within 30m`.
        public var name: String
        /// Days on which it was asked: by the worst answer of each.
        public var kept: Int
        public var broken: Int
        public var unverified: Int
        /// Why it was never asked, where it wasn't.
        public var reason: String?
        /// The last time that it was asked.
        public var last: Date?
        public var lastVerdict: Verdict?
        public var lastRun: String?

        public init(
            service: String?, name: String, kept: Int, broken: Int, unverified: Int, reason: String?, last: Date?, lastVerdict: Verdict?,
            lastRun: String?
        ) {
            self.service = service
            self.name = name
            self.kept = kept
            self.broken = broken
            self.unverified = unverified
            self.reason = reason
            self.last = last
            self.lastVerdict = lastVerdict
            self.lastRun = lastRun
        }
    }

    /// The backups that inspections saw, day by day.
    public struct BackupCalendar: Sendable, Hashable {
        public struct Day: Sendable, Hashable {
            public var day: CalendarDay
            /// The worst of its inspections; nil: there was none.
            public var inspection: Verdict?

            public init(day: CalendarDay, inspection: Verdict?) {
                self.day = day
                self.inspection = inspection
            }
        }
        public struct Series: Sendable, Hashable {
            public var service: String
            public var backup: String
            /// The promise in words: `every day at 02:00`.
            public var schedule: String?
            /// Whether one is due every day.
            public var isDaily: Bool
            /// Beside the calendar's days: the recovery points of that day; nil: no inspection looked at it.
            public var counts: [Int?]

            public init(service: String, backup: String, schedule: String?, isDaily: Bool, counts: [Int?]) {
                self.service = service
                self.backup = backup
                self.schedule = schedule
                self.isDaily = isDaily
                self.counts = counts
            }
        }
        /// Of the period, without those that are yet to come.
        public var days: [Day]
        public var series: [Series]

        public init(days: [Day], series: [Series]) {
            self.days = days
            self.series = series
        }
    }

    /// A clause of a standard, what of it this report's evidence supports, and what it doesn't show.
    public struct Control: Sendable, Hashable {
        public struct Support: Sendable, Hashable {
            /// `report.json: drills[].objectives.rto.achieved`
            public var field: String
            /// What it shows, in words.
            public var words: String

            public init(field: String, words: String) {
                self.field = field
                self.words = words
            }
        }
        public var framework: String
        public var clause: String
        /// What it asks for, in our words.
        public var asks: String
        public var supports: [Support]
        public var doesNotShow: [String]
        /// Whether this period holds any of that evidence.
        public var hasEvidence: Bool
        /// What this period holds, in one sentence with its figures.
        public var summary: String

        public init(
            framework: String, clause: String, asks: String, supports: [Support], doesNotShow: [String], hasEvidence: Bool, summary: String
        ) {
            self.framework = framework
            self.clause = clause
            self.asks = asks
            self.supports = supports
            self.doesNotShow = doesNotShow
            self.hasEvidence = hasEvidence
            self.summary = summary
        }
    }

    /// What verifying the ledger found.
    public struct LedgerState: Sendable, Hashable {
        public var verdict: Verdict
        public var entries: Int
        /// `12:9f86d081…`: keep it elsewhere.
        public var head: String?
        public var problems: [String]
        public var notes: [String]

        public init(verdict: Verdict, entries: Int, head: String?, problems: [String], notes: [String]) {
            self.verdict = verdict
            self.entries = entries
            self.head = head
            self.problems = problems
            self.notes = notes
        }
    }
}
