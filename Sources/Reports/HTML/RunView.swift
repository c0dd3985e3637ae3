// What report.html shows of the run as a whole.

import DrillModel
import Foundation

// Mustache reads stored properties, and takes 0 and "" for true: so a view holds texts, Bools, lists and nil, made before rendering.

/// A verdict by sign and word; the class colours it.
struct VerdictView {
    let sign: String
    let word: String
    let name: String

    init(_ verdict: Verdict) {
        sign = verdict.sign
        word = verdict.rawValue.uppercased()
        name = verdict.rawValue
    }
}

/// A named value.
struct PairView {
    let name: String
    let value: String

    init(_ name: String, _ value: String) {
        self.name = HTMLText.clean(name)
        self.value = HTMLText.clean(value)
    }
}

/// The whole page.
struct RunView {
    let title: String
    let verdict: VerdictView
    let heading: String
    let lead: String
    let counts: String
    let reason: String?
    let facts: [PairView]
    let hasSeveral: Bool
    let drills: [DrillView]
    let version: String

    init(_ report: RunReport, _ limits: HTMLLimits) {
        let isInspection = report.drills.first?.info.kind == .inspection
        let name = report.drills.count == 1 ? report.drills[0].info.name : Readable.count(report.drills.count, "drill")
        verdict = VerdictView(report.conclusion)
        heading = isInspection ? "Inspection of backups" : report.drills.count == 1 ? "Recovery drill" : "Recovery drills"
        title = HTMLText.clean("\(verdict.word): \(name)", longest: 200)
        hasSeveral = report.drills.count != 1
        drills = report.drills.enumerated().map { DrillView($0.element, number: $0.offset + 1, in: report, limits) }
        version = HTMLText.clean(report.info?.musterVersion ?? "")
        lead = Self.lead(report.conclusion, isOpen: drills.contains(where: \.isAnythingUnproven))
        reason = Self.reason(report)
        let counted = hasSeveral ? VerdictCounts(report.drills.map(\.conclusion)) : report.drills[0].counts
        let asked = hasSeveral ? "Of \(Readable.count(counted.total, "drill"))" : "Of \(Readable.count(counted.total, "question"))"
        counts = counted.total == 0 ? "Nothing was asked." : "\(asked): \(counted.words)."
        let zone = report.drills.first?.info.timeZone ?? .gmt
        facts = [
            report.started.map { PairView("Started", Readable.time($0, in: zone)) },
            report.finished.map { PairView("Ended", Readable.time($0, in: zone)) }, PairView("Took", Readable.duration(report.duration)),
            report.info.map { PairView("On", $0.host) }, report.info.map { PairView("Run", $0.runID) },
        ].compactMap { $0 }
    }

    /// The verdict in one sentence for somebody who reads nothing else.
    private static func lead(_ verdict: Verdict, isOpen: Bool) -> String {
        switch verdict {
        case .passed: isOpen ? "All that was asked holds. Not everything was asked: see Not proven." : "All that was asked holds."
        case .failed: "Something was asked and fell short: the backup, the data or a target."
        case .error: "It could not be verified, so this proves neither that the backups are good nor that they are bad."
        case .skipped: "Nothing was asked."
        }
    }

    private static func reason(_ report: RunReport) -> String? {
        if report.interrupted {
            let unfinished = max(report.drills.count, report.info?.drills ?? 0) - report.drills.count { !$0.interrupted }
            let more = unfinished > 0 ? ": \(Readable.count(unfinished, "drill")) not finished" : ""
            return "Cut off: \(RunReport.interruption)\(more)."
        }
        return report.drills.isEmpty ? "No drill ran." : nil
    }
}
