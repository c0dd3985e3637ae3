// What each clause says of a period that holds its evidence, and of one that doesn't.

import DrillModel
import Foundation
import Reports
import Testing

@testable import Compliance

struct ControlJudgementTests {
    static let clauses = ControlCatalogue.all.map(\.clause)

    static func judge(_ runs: [ComplianceReport.Run], _ clause: String) throws -> ComplianceReport.Control {
        try judge(ComplianceSample.report(runs: runs), clause)
    }

    static func judge(_ report: ComplianceReport, _ clause: String) throws -> ComplianceReport.Control {
        try #require(ControlCatalogue.judge(report).first { $0.clause == clause })
    }

    @Test func everyClauseThatWasPromisedIsThere() {
        #expect(
            Self.clauses == [
                "CP-4", "CP-9(1)", "CP-9(2)", "CP-10", "A1.2", "A1.3", "A.5.29", "A.5.30", "A.8.13", "A.8.14", "Article 11(6)",
                "Article 12(2)", "Article 12(3)", "Article 12(4)", "Article 12(5)", "Article 12(6)", "Article 12(7)", "Annex 4.2",
                "12.10.2", "164.308(a)(7)(ii)(D)", "¶29",
            ])
        for clause in ControlCatalogue.all {
            #expect(!clause.supports.isEmpty && !clause.doesNotShow.isEmpty && clause.asks.hasSuffix("."), "\(clause.clause)")
        }
    }

    @Test(arguments: clauses)
    func aFullPeriodHoldsEvidence(_ clause: String) throws {
        let found = try Self.judge(ComplianceSample.report(), clause)
        #expect(found.hasEvidence && found.summary.contains { $0.isNumber }, "\(found.summary)")
    }

    @Test(arguments: clauses)
    func anEmptyPeriodHoldsNone(_ clause: String) throws {
        let period = ComplianceSample.report().period
        let empty = ComplianceReport(
            musterVersion: "0", made: Date(), estate: "shop", estateFile: "e", timeZone: .gmt, period: period, isOver: true)
        let found = try Self.judge(empty, clause)
        #expect(!found.hasEvidence && found.summary.contains("in this period"), "\(found.summary)")
    }

    /// Drills, and also the days on which promises were asked, stand in the report as before.
    @Test(arguments: clauses)
    func whatCameToNothingSupportsNothing(_ clause: String) throws {
        let drills = ["corruption", "outage", "failure"]
        for runs in [
            drills.map { ComplianceSample.run($0, .error) }, drills.map { ComplianceSample.run($0, .failed, unfinished: true) },
            drills.map { ComplianceSample.run($0, unfinished: true) }, drills.map { ComplianceSample.run($0, record: .altered) },
            drills.map { ComplianceSample.run($0, .skipped) } + [ComplianceSample.run("estate", .error, inspection: true)],
        ] {
            let found = try Self.judge(runs, clause)
            #expect(!found.hasEvidence, "\(found.summary)")
        }
    }

    /// A red test is a test; an ability is shown by green ones alone.
    @Test(arguments: clauses)
    func redDrillsShowThatItWasTestedAndNoAbility(_ clause: String) throws {
        let runs = ["corruption", "outage", "failure"].map { ComplianceSample.run($0, .failed, objective: .failed) }
        let abilities = ["CP-10", "A1.2", "A.5.29", "A.8.14", "Article 12(3)", "Article 12(4)", "Article 12(5)", "Article 12(7)"]
        #expect(try Self.judge(runs, clause).hasEvidence == !abilities.contains(clause))
    }

    @Test func redundancyIsShownByOutagesAlone() throws {
        let others = [ComplianceSample.run("corruption"), ComplianceSample.run("failure")]
        for clause in ["A.8.14", "Article 12(5)"] {
            let found = try Self.judge(others, clause)
            #expect(!found.hasEvidence && found.summary == "nobody drilled data-center-outage in this period")
            #expect(try Self.judge([ComplianceSample.run("outage")], clause).hasEvidence)
        }
        #expect(try Self.judge([ComplianceSample.run("failure")], "Article 12(4)").hasEvidence)
        #expect(try !Self.judge([ComplianceSample.run("corruption")], "Article 12(4)").hasEvidence)
    }

    @Test func aDrillThatRestoresNoBackupShowsNoRestore() throws {
        for clause in ["CP-9(2)", "A.8.13", "Article 12(2)", "Article 12(3)", "Article 12(7)", "Annex 4.2"] {
            #expect(try !Self.judge([ComplianceSample.run("failure")], clause).hasEvidence)
            // Nobody knows the scenario of a drill whose file is gone.
            #expect(try !Self.judge([ComplianceSample.run("gone")], clause).hasEvidence)
        }
        #expect(try Self.judge([ComplianceSample.run("estate", inspection: true)], "CP-9(1)").hasEvidence)
        #expect(try !Self.judge([ComplianceSample.run("estate", inspection: true)], "CP-9(2)").hasEvidence)
    }

    @Test func figuresAreThePeriods() throws {
        let report = ComplianceSample.report()
        #expect(
            try Self.judge(report, "CP-4").summary
                == "3 of 3 drills of the plan passed; of 3 times that a drill was due, 1 passed and 1 failed and passed when repeated; "
                + "1 of 2 findings closed, 1 overdue")
        #expect(
            try Self.judge(report, "CP-10").summary
                == "3 of 3 drills of a recovery passed; 2 of 3 recovery times met their target; 2 of 3 data losses met their target")
        #expect(
            try Self.judge(report, "A1.2").summary == "1 of 1 promise of the backup plan kept whenever asked; 1 of 1 inspection passed")
        #expect(
            try Self.judge(report, "A.8.14").summary
                == "1 of 1 drill of data-center-outage passed; 0 of 1 recovery times met their target")
        let tried = try Self.judge([ComplianceSample.run("outage", .error)], "A.8.14")
        #expect(
            tried.summary
                == "nobody drilled data-center-outage in this period; 1 drill counts for nothing: cut off, without a verdict, or altered since"
        )
        var untargeted = ComplianceSample.run("corruption", objective: .skipped)
        untargeted.recoveryTime?.target = nil
        #expect(try Self.judge([untargeted], "Article 12(6)").hasEvidence == false)
    }
}
