// Drills that are read against another estate than the one that they name, and what an estate says for its drills.

import DrillModel
import Foundation
import Testing

@testable import DrillFiles

@Suite struct OtherEstateTests {
    /// `drills/` with its own estate, and `lab/` with one of the same names.
    private func fixture(own: String? = Good.estate, _ drill: String = Good.drill) throws -> Fixture {
        let fixture = try Fixture()
        if let own { try fixture.write("drills/estate.yaml", own) }
        try fixture.write("drills/drill.yaml", drill)
        try fixture.write("lab/estate.yaml", Good.zonedEstate.replacing("estate: domainscope", with: "estate: lab"))
        return fixture
    }

    @Test(arguments: [true, false])
    func theOtherIsRead(namedIsThere: Bool) throws {
        let fixture = try fixture(own: namedIsThere ? Good.estate : nil)
        let plan = try #require(try fixture.drills("drills", against: "lab/estate.yaml").first)
        #expect(plan.estate.name == "lab" && plan.estate.file.path == fixture.folder.path + "/lab/estate.yaml")
        #expect(plan.namedEstate?.path == fixture.folder.path + "/drills/estate.yaml")
        // What is relative in the drill starts where it did: its hooks run in its folder.
        #expect(plan.file.path == fixture.folder.path + "/drills/drill.yaml")
        #expect(plan.estate.stores["primary"]?.folder?.path == fixture.folder.path + "/lab/backups/primary")
    }

    @Test func aBrokenNamedOneIsNotRead() throws {
        let fixture = try fixture(own: "version: 9\nestate: broken\n")
        #expect(try fixture.drills("drills/drill.yaml", against: "lab/estate.yaml").first?.estate.name == "lab")
    }

    @Test func theSameFileIsNoOther() throws {
        let fixture = try fixture()
        try FileManager.default.createSymbolicLink(
            at: fixture.folder.appendingPathComponent("link"), withDestinationURL: fixture.folder.appendingPathComponent("drills"))
        for path in ["drills/estate.yaml", "link/estate.yaml"] {
            #expect(try fixture.drills("drills", against: path).first?.namedEstate == nil)
        }
        #expect(try fixture.drills("drills").first?.namedEstate == nil)
    }

    @Test func whatTheOtherLacksIsToldAtItsLine() throws {
        let fixture = try fixture(Good.drill.replacing("targets:", with: "targts:"))
        try fixture.write("lab/estate.yaml", Good.estate.replacing("      daily:", with: "      nightly:"))
        let problems = fixture.problems(["drills"], against: "lab/estate.yaml")
        #expect(
            problems.map { $0.description.replacing(fixture.folder.path + "/", with: "") } == [
                // What is wrong whichever estate is read doesn't speak of any.
                "drills/drill.yaml:7:1: unknown key \"targts\"\nhint: did you mean \"targets\"?",
                "drills/drill.yaml:12:20: unknown backup \"daily\" of service \"postgres\"\nhint: known backups: nightly; "
                    + "the drill is read against lab/estate.yaml, which --estate names",
            ])
    }

    @Test(arguments: [
        ("lab/nothing.yaml", "does not exist"), ("drills/drill.yaml", "is a drill, not an estate"), ("lab", "is not a regular file"),
    ])
    func whatIsNoEstate(path: String, message: String) throws {
        let fixture = try fixture()
        let problems = fixture.problems(["drills"], against: path)
        #expect(problems.map(\.message) == [message] && problems.first?.file == path)
    }

    @Test func mistakesOfTheOtherAreToldOnce() throws {
        let fixture = try fixture()
        try fixture.write("drills/second.yaml", Good.serverFailure)
        try fixture.write("lab/estate.yaml", Good.estate.replacing("timezone: Asia/Kolkata", with: "timezone: Asia/Kolkatta"))
        #expect(fixture.problems(["drills"], against: "lab/estate.yaml").map(\.file) == ["lab/estate.yaml"])
    }

    // MARK: What the estate says for its drills

    private static let ownCut = "outage:\n  cut: {run: [umount, /backups], timeout: 30s}\n  restore: {run: [mount, /backups]}\n"

    @Test func theZoneIsCutOffAsTheEstateSays() throws {
        let fixture = try fixture(Good.outage.replacing(Self.ownCut, with: ""))
        let plan = try #require(try fixture.drills("drills", against: "lab/estate.yaml").first)
        let commands = try #require(plan.outage?.commands)
        #expect(commands.cut == Hook(run: ["./cut", "off"], timeout: .seconds(20)))
        #expect(commands.restore == Hook(run: ["./cut", "again"]))
        #expect(commands.file.path == fixture.folder.path + "/lab/estate.yaml")
    }

    @Test func theDrillsOwnCutOutranksIt() throws {
        let fixture = try fixture(Good.outage)
        let plan = try #require(try fixture.drills("drills", against: "lab/estate.yaml").first)
        #expect(plan.outage?.commands?.cut.run == ["umount", "/backups"])
        #expect(plan.outage?.commands?.file.path == fixture.folder.path + "/drills/drill.yaml")
    }

    static let gone = Good.outage.replacing(ownCut, with: "outage: none\n")

    @Test func aZoneThatIsGoneAlready() throws {
        let fixture = try fixture(Self.gone)
        let plan = try #require(try fixture.drills("drills", against: "lab/estate.yaml").first)
        #expect(plan.outage?.zone == "ksdc" && plan.outage?.commands == nil)
    }

    @Test func noCommandsAreNone() throws {
        let fixture = try fixture(Good.outage.replacing(Self.ownCut, with: ""))
        let estate = Good.zonedEstate.split(separator: "\nzones:").first.map(String.init) ?? ""
        try fixture.write("lab/estate.yaml", estate + "\n")
        #expect(try fixture.drills("drills", against: "lab/estate.yaml").first?.outage?.commands == nil)
    }

    static let loss = Good.lostCache.replacing("{run: [python3, app.py, repopulate], timeout: 5m}", with: "true")

    @Test func theCacheIsFilledAsTheEstateSays() throws {
        let fixture = try fixture(Self.loss)
        let plan = try #require(try fixture.drills("drills").first)
        let repopulation = LostCache.Repopulation(run: ["python3", "app.py", "refill"].map { Template($0) }, timeout: .seconds(120))
        #expect(plan.caches == [LostCache(service: "redis", repopulation: repopulation)])
        #expect(plan.estate.applications["web"]?.repopulations == ["redis": repopulation])
    }

    @Test func anEstateThatSaysNothingOfIt() throws {
        let fixture = try fixture(
            own: Good.estate.replacing("    repopulate:\n      redis: {run: [python3, app.py, refill], timeout: 2m}\n", with: ""), Self.loss
        )
        let problem = try #require(fixture.problems(["drills"]).first)
        #expect(problem.message == "the estate says no command by which application \"web\" fills \"redis\"")
        #expect(problem.line == 8 && problem.hint.contains("repopulate: {redis: {run: [program, argument]}}"))
    }

    @Test func aCommandThatNamesWhatIsNotInTheDrill() throws {
        let estate = Good.estate.replacing("app.py, refill]", with: "app.py, \"{cache2.socket}\"]")
            .replacing(
                "  configuration:\n    engine",
                with:
                    "  cache2:\n    engine: redis\n    backups: {r: {kind: rdb, store: primary, match: x, encryption: none}}\n  configuration:\n    engine"
            )
        let fixture = try fixture(own: estate, Self.loss)
        let problems = fixture.problems(["drills"])
        #expect(
            problems.map(\.message) == [
                "the command by which application \"web\" fills \"redis\" names a service that is no part of this drill"
            ])
    }
}
