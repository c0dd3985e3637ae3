// What one run has to tell of one estate, before it is put into any form.

import DrillModel
import Foundation

/// A message that is the same for all channels, but for which drills they want to hear of.
struct Notice: Sendable {
    /// One drill or inspection that somebody should hear of.
    struct Drill: Sendable {
        var name: String
        var isInspection: Bool
        var verdict: Verdict
        /// It was cut off, or never began.
        var isInterrupted: Bool
        var hasBegun = true
        var occasions: Set<NotifyChannel.Occasion>
        /// Of the run before; nil where nothing is known of it, or nobody asked.
        var previous: Verdict?
        var objectives: [Objective] = []
        /// The worst first.
        var findings: [Item] = []
        /// How many there are that stand not here.
        var moreFindings = 0
    }

    /// What was measured against a target.
    struct Objective: Sendable {
        /// nil: the RTO.
        var service: String?
        var achieved: Duration?
        var target: Duration?
        var verdict: Verdict

        var title: String { service.map { "RPO \($0)" } ?? "RTO" }
    }

    /// A finding, without the values that were expected and found: they stand in the report.
    struct Item: Sendable {
        var service: String?
        /// Empty where a question was answered without a finding.
        var rule: String
        var severity: Finding.Severity
        var object: String
        var message: String
        var hint: String
    }

    var estate: String
    var run: String
    var host: String
    var musterVersion: String
    var started: Date?
    var finished: Date?
    var isInterrupted = false
    /// It was asked for by a person who tries the channel.
    var isTest = false
    /// What went wrong with the run itself, such as its reports.
    var problem: String?
    /// The path of report.html; nil of a test.
    var report: String?
    /// The ledger's head.
    var ledger: String?
    var drills: [Drill] = []
    var moreDrills = 0

    /// For a channel; nil where it wants to hear nothing of it.
    func restricted(to wanted: Set<NotifyChannel.Occasion>) -> Notice? {
        var notice = self
        notice.drills = drills.compactMap { drill in
            var drill = drill
            drill.occasions.formIntersection(wanted)
            return drill.occasions.isEmpty ? nil : drill
        }
        if !wanted.contains(.red) { notice.problem = nil }
        return notice.occasions.isEmpty ? nil : notice
    }

    var occasions: Set<NotifyChannel.Occasion> {
        drills.reduce(problem == nil ? [] : [.red]) { $0.union($1.occasions) }
    }

    /// Of the drills that are told of, and of the run itself.
    var verdict: Verdict {
        isTest ? .skipped : .combined(drills.map(\.verdict) + (problem == nil ? [] : [.error]))
    }
}

extension Notice {
    /// One that says nothing but that it comes through.
    static func test(of estate: Estate, host: String, version: String) -> Notice {
        var notice = Notice(estate: estate.name, run: "test", host: host, musterVersion: version, started: Date())
        notice.isTest = true
        return notice
    }
}
