// What surrounds the steps, and what a scenario needs; single mistakes are folders of Cases.

import DrillModel
import Foundation
import Testing

@testable import DrillFiles

@Suite struct BadProcedureTests {
    @Test func lostCache() throws {
        let fixture = try Fixture()
        try fixture.write("estate.yaml", Good.estate)
        try fixture.write("drill.yaml", Good.lostCache)
        let plan = try #require(try fixture.drills("drill.yaml").first)
        #expect(plan.recover.map(\.service) == ["postgres"] && plan.caches.map(\.service) == ["redis"])
        let repopulation = LostCache.Repopulation(run: ["python3", "app.py", "repopulate"].map { Template($0) }, timeout: .seconds(300))
        #expect(plan.caches.first?.repopulation == repopulation)
    }

    @Test func outage() throws {
        let fixture = try Fixture()
        try fixture.write("estate.yaml", Good.zonedEstate)
        try fixture.write("drill.yaml", Good.outage)
        let plan = try #require(try fixture.drills("drill.yaml").first)
        #expect(plan.scenario == .dataCenterOutage && plan.outage?.zone == "ksdc" && plan.outage?.lost.map(\.name) == ["primary"])
        #expect(plan.outage?.commands?.cut == Hook(run: ["umount", "/backups"], timeout: .seconds(30)))
        // What is left of the estate is all that the drill knows.
        #expect(plan.estate.stores.keys.sorted() == ["secondary"])
        #expect(plan.estate.services["postgres"]?.backups["daily"]?.stores == ["secondary"])
        #expect(plan.estate.services["redis"]?.backups["rdb"]?.stores == [])
    }

    /// A store of which nobody knows where it stands is no second zone.
    @Test func aStoreWithoutAZone() throws {
        let fixture = try Fixture()
        try fixture.write("estate.yaml", Good.estate)
        try fixture.write("drill.yaml", Good.outage)
        #expect(
            fixture.problems(["drill.yaml"]).map(\.message) == ["backup \"daily\" of \"postgres\" has no store outside of zone \"ksdc\""])
    }

    @Test func whatIsLostWithTheZone() throws {
        let fixture = try Fixture()
        let estate = Good.zonedEstate.replacing("backup: {env: DOMAINSCOPE_BACKUP_KEY}", with: "backup: {file: backups/primary/backup.key}")
            .replacing("trust: [keys/seal.pub]", with: "trust: [link/seal.pub]")
        try fixture.write("estate.yaml", estate)
        try fixture.write("backups/primary/seal.pub", "x")
        try FileManager.default.createSymbolicLink(
            at: fixture.folder.appendingPathComponent("link"), withDestinationURL: fixture.folder.appendingPathComponent("backups/primary"))
        try fixture.write("drill.yaml", Good.outage)
        #expect(
            Set(fixture.problems(["drill.yaml"]).map(\.message)) == [
                "key \"backup\", which backup \"daily\" of \"postgres\" needs, lies in store \"primary\" and is lost with it",
                "seal.pub, which seals are trusted by, lies in store \"primary\" and is lost with it",
            ])
    }

    @Test func nothingToRecover() throws {
        let fixture = try Fixture()
        try fixture.write("estate.yaml", Good.estate)
        try fixture.write("drill.yaml", "version: 1\ndrill: d\nestate: estate.yaml\nscenario: database-corruption\n")
        let problem = try #require(fixture.problems(["drill.yaml"]).first)
        #expect(problem.message == "missing key \"recover\": scenario \"database-corruption\" needs it" && problem.line == 1)
    }

    @Test func serverFailure() throws {
        let fixture = try Fixture()
        try fixture.write("estate.yaml", Good.estate)
        try fixture.write("drill.yaml", Good.serverFailure)
        let plan = try #require(try fixture.drills("drill.yaml").first)
        #expect(plan.scenario == .serverFailure && plan.application == "web" && plan.recover.isEmpty)
        #expect(plan.existing.map(\.service) == ["postgres", "redis"] && plan.existing.map(\.selection) == [.latestHealthy, .latest])
    }

    @Test func application() throws {
        let fixture = try Fixture()
        try fixture.write("estate.yaml", Good.estate)
        let web = try #require(try fixture.estate().applications["web"])
        #expect(web.code == .folder(fixture.folder.appendingPathComponent("app", isDirectory: true)) && web.configuration == nil)
        #expect(web.start.map(\.text) == ["python3", "app.py", "{application.folder}"])
        #expect(web.environment["LEVEL"] == Template("3") && web.services == ["postgres", "redis"])
        #expect(web.health.hold == .seconds(3) && web.health.within == .seconds(90) && web.port == 9100 && web.usesTCP)
        #expect(
            web.health.probes == [
                .http(path: "/health", status: 201, body: "\"status\": *\"ok\"", port: 9100), .tcp(port: 9101),
                .command(run: [Template("./check"), Template("{application.port}")], expectExit: 4),
                .sql(service: "postgres", query: "select count(*) from t", expect: try #require(Expectation(parsing: "> 7"))),
            ])
        let filled = web.environment["DATABASE_URL"]?.filled { owner, field in "<\(owner) \(field) {redis.socket}>" }
        // A value that looks like a place is none.
        #expect(filled == "postgresql:///<postgres database {redis.socket}>?host=<postgres socket-folder {redis.socket}>")
    }

    @Test func hooksAndManualSteps() throws {
        let fixture = try Fixture()
        try fixture.write("estate.yaml", Good.estate)
        try fixture.write("drill.yaml", Good.drill)
        let plan = try #require(try fixture.drills("drill.yaml").first)
        #expect(
            plan.hooks == [
                .stop: [.before: Hook(run: ["./stop", "now"], timeout: .seconds(30)), .after: Hook(run: ["true"])],
                .restart: [.onFailure: Hook(run: ["false"])],
            ])
        #expect(plan.manual == [ManualStep(step: .identify, name: "confirm-loss", allowance: .seconds(1200))])
    }
}
