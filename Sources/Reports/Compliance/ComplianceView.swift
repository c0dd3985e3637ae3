// What compliance.html shows of the period as a whole: the verdict, why, the key figures, and the sections in their order.

import DrillModel
import Foundation

/// What something has come to, by sign and word; the class colours it.
struct StateView {
    let sign: String
    let word: String
    let name: String
}

/// Moments as the tables write them; the page names the zone once.
enum ComplianceTime {
    /// `2026-11-30 02:00`
    static func minute(_ date: Date, in zone: TimeZone) -> String { String(Readable.time(date, in: zone).prefix(16)) }

    /// `2026-11-30`
    static func day(_ date: Date, in zone: TimeZone) -> String { String(Readable.time(date, in: zone).prefix(10)) }
}

/// The whole page.
struct ComplianceView {
    let title: String
    let verdict: VerdictView
    let estate: String
    let period: String
    let lead: String
    let stillRunning: String?
    let reasons: [String]
    let hasReasons: Bool
    let reasonsMore: String?
    let figures: [FigureView]
    let facts: [PairView]
    let coverage: [CoverageView]
    let hasCoverage: Bool
    let coverageMore: String?
    let drills: RunsView
    let inspections: RunsView
    let trends: [TrendView]
    let hasTrends: Bool
    let trendsMore: String?
    let actions: ActionsView
    let promises: PromisesView
    let calendar: CalendarView?
    let participants: [ParticipantView]
    let hasParticipants: Bool
    let participantsMore: String?
    let standards: [StandardView]
    let hasStandards: Bool
    let ledger: LedgerView
    let notes: [String]
    let hasNotes: Bool
    let version: String
    let made: String

    init(_ report: ComplianceReport, _ limits: ComplianceLimits) {
        func clean(_ text: String) -> String { HTMLText.clean(text, longest: limits.text) }
        let zone = report.timeZone
        verdict = VerdictView(report.verdict)
        estate = HTMLText.clean(report.estate, longest: 200)
        period = HTMLText.clean(report.period.label, longest: 200)
        title = "\(verdict.word): \(estate), \(period)"
        lead = Self.lead(report.verdict)
        made = Readable.time(report.made, in: zone)
        stillRunning = report.isOver ? nil : "The period is not over: this is how it stood on \(made)."
        reasons = report.reasons.prefix(limits.drills).map(clean)
        hasReasons = !reasons.isEmpty
        reasonsMore = ComplianceLimits.more(report.reasons.count - reasons.count, in: "compliance.json")
        figures = FigureView.views(of: report)
        facts = [
            PairView("Estate", report.estate), PairView("Period", "\(report.period.first) to \(report.period.last)"),
            PairView("Days and times of", zone.identifier), PairView("Made", made), PairView("Estate file", report.estateFile),
        ]

        let rows = ComplianceLimits.pick(report.coverage, limits.drills) { $0.windows.contains(where: \.state.isBroken) }
        coverage = rows.shown.map { CoverageView($0, in: zone, limits) }
        hasCoverage = !coverage.isEmpty
        coverageMore = ComplianceLimits.more(rows.left, in: "coverage.csv")
        drills = RunsView(report.runs.filter { !$0.isInspection }, "drill", in: zone, limits)
        inspections = RunsView(report.runs.filter(\.isInspection), "inspection", in: zone, limits)
        trends = report.trends.prefix(limits.trends).enumerated().map {
            TrendView($0.element, number: $0.offset + 1, in: report, limits)
        }
        hasTrends = !trends.isEmpty
        trendsMore = ComplianceLimits.more(report.trends.count - trends.count, in: "compliance.json")
        actions = ActionsView(report.actions, isDrilled: report.runs.contains { !$0.isInspection }, in: zone, limits)
        promises = PromisesView(report.promises, in: zone, limits)
        calendar = CalendarView(report.calendar, limits)
        participants = report.participants.prefix(limits.drills).map { ParticipantView($0, in: zone, limits) }
        hasParticipants = !participants.isEmpty
        participantsMore = ComplianceLimits.more(report.participants.count - participants.count, in: "compliance.json")
        standards = StandardView.views(of: report.controls, limits)
        hasStandards = !standards.isEmpty
        ledger = LedgerView(report, limits)
        notes = report.notes.prefix(limits.drills).map(clean)
        hasNotes = !notes.isEmpty
        version = HTMLText.clean(report.musterVersion, longest: 200)
    }

    /// The verdict in one sentence for somebody who reads nothing else.
    private static func lead(_ verdict: Verdict) -> String {
        switch verdict {
        case .passed: "What was promised for this period was rehearsed and asked, and it holds."
        case .failed: "Something that was promised for this period was not kept."
        case .error: "It could not be verified, so this proves neither that the promises were kept nor that they were broken."
        case .skipped: "Nothing was due in this period."
        }
    }
}

/// Who, or what, started runs.
struct ParticipantView {
    let user: String
    let host: String
    let trigger: String
    let runs: String
    let first: String
    let last: String

    init(_ participant: ComplianceReport.Participant, in zone: TimeZone, _ limits: ComplianceLimits) {
        user = HTMLText.clean(participant.user, longest: limits.text)
        host = participant.host.map { HTMLText.clean($0, longest: limits.text) } ?? "–"
        trigger = participant.trigger.map { HTMLText.clean($0, longest: limits.text) } ?? "–"
        runs = Readable.count(participant.runs)
        first = ComplianceTime.minute(participant.first, in: zone)
        last = ComplianceTime.minute(participant.last, in: zone)
    }
}
