// How often drills are due, whose they are, and the file of corrective actions.

import DrillModel
import Foundation
import Testing

@testable import DrillFiles

@Suite struct CadenceFilesTests {
    private let estate = """
        version: 1
        estate: shop
        stores: {here: {type: file, path: /backups}}
        services: {db: {engine: postgres, backups: {daily: {kind: pg_dump, store: here, match: "*.dump", encryption: none}}}}

        """

    private func drill(_ name: String, _ more: String = "", estate: String = "estate.yaml") -> String {
        "version: 1\ndrill: \(name)\nestate: \(estate)\nscenario: database-corruption\nrecover: {db: {from: daily}}\n\(more)\n"
    }

    @Test func due() throws {
        let fixture = try Fixture()
        try fixture.write("estate.yaml", estate)
        try fixture.write("a.yaml", drill("a", "due: half-yearly\nformerly: [b, c]"))
        try fixture.write("z.yaml", drill("z", "due: {cadence: weekly, since: 2026-04-01}"))
        let plans = try fixture.drills("a.yaml", "z.yaml")
        #expect(plans.map(\.cadence) == [Cadence(.halfYearly), Cadence(.weekly, since: CalendarDay(year: 2026, month: 4, day: 1))])
        #expect(plans.map(\.formerNames) == [["b", "c"], []])
    }

    /// A folder may hold what is none of the estate's business.
    /// A folder that leads to itself is there and can't be listed, whoever asks.
    @Test func aFolderThatCantBeListed() throws {
        let fixture = try Fixture()
        try fixture.write("estate.yaml", estate)
        try fixture.write("a.yaml", drill("a", "due: monthly"))
        try FileManager.default.createSymbolicLink(atPath: fixture.path("drills"), withDestinationPath: "drills")
        let estate = try DrillFiles.loadEstate(fixture.path("estate.yaml"))
        let found = DrillFiles.drills(of: estate, in: [])
        #expect(found.plans.map(\.name) == ["a"])
        #expect(found.problems.first?.message.contains("can't be listed") == true, "\(found.problems)")
        try fixture.write("a.yaml", drill("a"))
        #expect(DrillFiles.drills(of: estate, in: []).doubts.count == 1)
    }

    @Test func whoseDrillsTheyAre() throws {
        let fixture = try Fixture()
        try fixture.write("estate.yaml", estate)
        try fixture.write("other.yaml", estate)
        try fixture.write("a.yaml", drill("a", "due: monthly"))
        try fixture.write("of-another.yaml", drill("b", "due: monthly", estate: "other.yaml"))
        try fixture.write("stray.yaml", "services: [1, 2]\n")
        try fixture.write("broken.yaml", "{")
        try fixture.write("drills/c.yaml", drill("c", "due: monthly", estate: "../estate.yaml"))
        try fixture.write("drills/d.yaml", drill("d", "due: mothly", estate: "../estate.yaml"))
        try fixture.write("drills/twin.yaml", drill("a", estate: "../estate.yaml"))
        try fixture.write("elsewhere/e.yaml", drill("e", estate: "../estate.yaml"))
        try fixture.write("drills/torn.yaml", drill("f", "due: monthly\n\tx: [", estate: "../estate.yaml"))
        try fixture.write("drills/u.yaml", drill("u", "due: monthly", estate: "../estat.yaml"))
        try FileManager.default.createSymbolicLink(atPath: fixture.path("drills/gone.yaml"), withDestinationPath: "/mnt/gone.yaml")
        let estate = try DrillFiles.loadEstate(fixture.path("estate.yaml"))
        let found = DrillFiles.drills(of: estate, in: [])
        #expect(found.plans.map(\.name) == ["a", "c"])
        let names = found.problems.map { URL(fileURLWithPath: $0.file).lastPathComponent }
        #expect(names == ["d.yaml", "torn.yaml", "twin.yaml", "u.yaml", "gone.yaml"], "\(found.problems)")
        #expect(found.problems[0].message == "unknown due \"mothly\"")
        #expect(found.problems[2].message.contains("drill name \"a\" is taken by"))
        // Where nothing is due, what can't be read is no fault, and not passed over either: it may be a drill, or a file of secrets.
        try fixture.write("quiet/estate.yaml", self.estate)
        try fixture.write("quiet/torn.yaml", drill("f", "\tx: ["))
        try fixture.write("quiet/bad.yaml", drill("g", "profile: slow"))
        try fixture.write("quiet/h.yaml", drill("h"))
        try fixture.write("quiet/twin.yaml", drill("h"))
        try FileManager.default.createSymbolicLink(atPath: fixture.path("quiet/secrets.yaml"), withDestinationPath: "/mnt/gone.yaml")
        let quiet = DrillFiles.drills(of: try DrillFiles.loadEstate(fixture.path("quiet/estate.yaml")), in: [])
        #expect(quiet.problems.isEmpty && quiet.doubts.map { URL(fileURLWithPath: $0.file).lastPathComponent } == ["secrets.yaml"])
        #expect(found.doubts.isEmpty)
        #expect(DrillFiles.drills(of: estate, in: [fixture.path("elsewhere"), fixture.path("none")]).plans.map(\.name) == ["a", "c", "e"])
    }

    @Test func correctiveActions() throws {
        let fixture = try Fixture()
        try fixture.write(
            "actions.yaml",
            """
            version: 1
            days: 14
            corrective-actions:
              - {drill: a, rule: rows-differ, object: public.t, owner: data, due: 2026-12-15, note: "#7"}
              - drill: inspection of shop
                rule: backup-missing
                owner: platform
            """)
        let plan = try DrillFiles.loadActions(fixture.path("actions.yaml"))
        #expect(plan.days == 14 && plan.entries.map(\.owner) == ["data", "platform"] && plan.entries.map(\.line) == [4, 5])
        #expect(plan.entries[0].due == CalendarDay(year: 2026, month: 12, day: 15) && plan.entries[1].object == nil)
        // It may lie among drills, and is none.
        try fixture.write("estate.yaml", estate)
        try fixture.write("a.yaml", drill("a"))
        #expect(try fixture.drills("").map(\.name) == ["a"])
        #expect(fixture.problems(["actions.yaml"]).map(\.message) == ["holds corrective actions, and is no drill"])
    }

    @Test(arguments: [
        ("corrective-actions: [{drill: a, rule: b}]", "a corrective action says nothing"),
        ("corrective-actions: [{drill: a, owner: b}]", "missing key \"rule\" in a corrective action"),
        ("corrective-actions: [{drill: a, rule: b, owner: c, dew: 2026-12-15}]", "unknown key \"dew\" in a corrective action"),
        ("corrective-actions: [{drill: a, rule: b, due: 15 December}]", "\"due\" is no day of the calendar"),
        ("corrective-actions: {drill: a}", "\"corrective-actions\" must be a list, not a mapping"),
        ("corrective-actions: []\ndays: 0", "\"days\" is out of range"), ("days: 3", "missing key \"corrective-actions\""),
    ])
    func badActions(_ text: String, _ message: String) throws {
        let fixture = try Fixture()
        try fixture.write("actions.yaml", "version: 1\n\(text)\n")
        let error = #expect(throws: DrillFileError.self) { try DrillFiles.loadActions(fixture.path("actions.yaml")) }
        #expect(error?.problems.map(\.message) == [message])
        #expect(error?.problems.allSatisfy { $0.line > 0 && !$0.hint.isEmpty } == true)
    }
}
