// What report.html shows of one drill, or of one inspection.

import DrillModel
import Foundation

/// One drill.
struct DrillView {
    let id: String
    let verdict: VerdictView
    let name: String
    let isDrill: Bool
    let kind: String
    let subtitle: String
    let otherEstate: String?
    let reason: String?
    let counts: String
    let took: String
    /// For the table of several drills.
    let rto: String
    let rpo: String
    let unprovenCount: String

    let isAnythingUnproven: Bool
    /// The first of them; the rest is folded.
    let unproven: [String]
    let unprovenRest: [String]
    let unprovenMore: String?
    let skips: [SkipView]
    let findings: [FindingView]
    let hasNoFindings: Bool
    let findingsMore: String?
    let objectives: [ObjectiveView]
    let hasObjectives: Bool
    let skew: String?
    let timeline: TimelineView?
    let points: [PointView]
    let hasPoints: Bool
    let quarantine: [ChecksView]
    let hasQuarantine: Bool
    let checks: [ChecksView]
    let hasChecks: Bool
    let facts: [PairView]
    let hasFacts: Bool

    init(_ drill: DrillReport, number: Int, in report: RunReport, _ limits: HTMLLimits) {
        let info = drill.info
        let zone = info.timeZone
        id = "drill-\(number)"
        verdict = VerdictView(drill.conclusion)
        name = HTMLText.clean(info.name, longest: 200)
        isDrill = info.kind == .drill
        kind = isDrill ? "Drill" : "Inspection"
        subtitle = HTMLText.clean(
            isDrill
                ? "\(Self.words(info.scenario.rawValue)) · estate \(info.estate) · profile \(info.profile.rawValue) · disaster declared for "
                    + "\(Readable.time(info.disaster, in: zone)) (\(zone.identifier))"
                : "Nothing is restored: the stored backups of estate \(info.estate) against its promises, as of "
                    + "\(Readable.time(info.disaster, in: zone)) (\(zone.identifier))")
        otherEstate = info.namedEstateFile.flatMap { named in
            info.estateFile.map { HTMLText.clean("Against \($0), named by --estate in place of \(named).") }
        }
        reason = drill.interrupted ? RunReport.interruption : nil
        counts = drill.cases.isEmpty ? "nothing was asked" : drill.counts.words
        took = Readable.duration(report.duration(of: drill))

        let rows = ObjectiveRow.rows(of: drill)
        rto = rows.first.map(Self.figures) ?? "–"
        let ages = rows.dropFirst().map { "\($0.name.dropFirst(4)) \(Self.figures($0))" }
        rpo = ages.isEmpty ? "–" : HTMLText.clean(ages.joined(separator: "; "))
        objectives = drill.outcome?.objectives.map { ObjectiveView.views(of: $0, rows) } ?? []
        hasObjectives = !objectives.isEmpty
        skew = drill.outcome?.objectives?.skew.map { Readable.duration($0) }

        let sentences = (drill.outcome?.unproven ?? []).map { HTMLText.clean($0) }
        unproven = Array(sentences.prefix(Self.unfolded))
        unprovenRest = Array(sentences.dropFirst(Self.unfolded))
        unprovenMore = unprovenRest.isEmpty ? nil : "and \(Readable.count(unprovenRest.count)) more"
        skips = SkipView.views(of: drill)
        isAnythingUnproven = !sentences.isEmpty || !skips.isEmpty || drill.interrupted
        unprovenCount = sentences.isEmpty && skips.isEmpty ? "–" : Readable.count(sentences.count + skips.count)

        let findings = FindingView.views(of: drill, id: "drill-\(number)", limits)
        self.findings = findings.shown
        hasNoFindings = findings.count == 0 && !drill.interrupted
        let untold = findings.count - findings.shown.count
        findingsMore = untold > 0 ? "\(Readable.count(untold, "more finding")), the lesser ones: report.json has all of them." : nil

        timeline = TimelineView(drill.outcome?.steps ?? [], id: "drill-\(number)")
        let last = Dictionary(drill.finalPoints.map { ($0.service, $0) }) { $1 }
        points = drill.points.map { PointView($0, in: zone, isLast: last[$0.service] == $0, drill.conclusion) }
        hasPoints = !drill.points.isEmpty
        quarantine = ChecksView.views(of: drill.cases.filter { $0.group == .quarantine }, by: .service, isOpen: true, limits)
        hasQuarantine = !quarantine.isEmpty
        let others = drill.cases.filter { $0.group != .quarantine }
        checks =
            isDrill
            ? ChecksView.views(of: others, by: .group, limits) : ChecksView.views(of: others, by: .service, isOpen: true, limits)
        hasChecks = !checks.isEmpty
        facts = drill.facts.map { PairView($0.name, $0.value) } + [info.estateFile.map { PairView("estate file", $0) }].compactMap { $0 }
        hasFacts = !facts.isEmpty
    }

    private static let unfolded = 8

    /// `25m 4s (< 4h)`.
    private static func figures(_ row: ObjectiveRow) -> String {
        row.target == "none" ? "\(row.achieved) (no target)" : "\(row.achieved) (\(row.target))"
    }

    /// `database-corruption` → `Database corruption`.
    static func words(_ name: String) -> String {
        let words = name.replacing("-", with: " ")
        return words.prefix(1).uppercased() + words.dropFirst()
    }
}

/// A reason for which questions were not asked, and how many.
struct SkipView {
    let count: String
    let reason: String

    static func views(of drill: DrillReport) -> [SkipView] {
        let sentences = drill.outcome?.unproven ?? []
        let skipped = drill.cases.filter { result in
            // What a sentence tells already isn't told again.
            result.verdict == .skipped && result.group != .step && !sentences.contains { $0.contains(result.reason) }
        }
        let reasons = Dictionary(grouping: skipped) { $0.reason.isEmpty ? "no reason was given" : $0.reason }
        let sorted = reasons.sorted { ($1.value.count, $0.key) < ($0.value.count, $1.key) }
        let shown = sorted.prefix(10).map { SkipView(count: Readable.count($0.value.count, "question"), reason: HTMLText.clean($0.key)) }
        let left = sorted.dropFirst(10).reduce(0) { $0 + $1.value.count }
        return left == 0 ? shown : shown + [SkipView(count: Readable.count(left, "question"), reason: "other reasons: see report.json")]
    }
}

/// A recovery point that was chosen.
struct PointView {
    let service: String
    let backup: String
    let place: String
    let time: String
    let source: String
    let size: String
    let seal: String
    let isSealed: Bool
    let fate: String

    init(_ point: ChosenPoint, in zone: TimeZone, isLast: Bool, _ verdict: Verdict) {
        service = HTMLText.clean(point.service)
        backup = HTMLText.clean(point.backup)
        place = HTMLText.clean("\(point.store):\(point.path)")
        time = Readable.time(point.time, in: zone)
        source = ObjectiveRow.words(for: point.timeSource)
        size = Readable.bytes(point.size)
        isSealed = point.sealed
        seal =
            switch (point.sealed, point.truth) {
            case (false, _): "not sealed"
            case (true, .backup?): "sealed from the backup itself"
            case (true, _): "sealed"
            }
        let rejected = point.rejected > 0 ? ", after \(Readable.count(point.rejected, "newer one")) turned out bad" : ""
        fate = isLast ? "\(verdict == .passed ? "came back" : "the last that was tried")\(rejected)" : "turned out bad"
    }
}
