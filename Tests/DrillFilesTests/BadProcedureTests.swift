// Every mistake in what surrounds the steps, and in what a scenario needs.

import DrillModel
import Foundation
import Testing

@testable import DrillFiles

@Suite struct BadProcedureTests {
    static let ofTheDrill = [
        BadInput(
            "existing in a corruption", replace: "quarantine: {network: required}",
            with: "existing: ‸{redis: {from: rdb}}",
            "\"existing\" does not fit scenario \"database-corruption\"",
            hint: "remove it: what this scenario needs comes back from its backups"),
        BadInput(
            "unknown step", replace: "  restart: {on-failure: {run: [\"false\"]}}", with: "  ‸restrat: {on-failure: {run: [\"false\"]}}",
            "unknown key \"restrat\" in \"hooks\"", hint: "did you mean \"restart\"?"),
        BadInput(
            "unknown moment", replace: "on-failure:", with: "‸on-faliure:", "unknown key \"on-faliure\" in \"hooks\" of restart",
            hint: "did you mean \"on-failure\"?"),
        BadInput(
            "hook as text", replace: "{run: [\"false\"]}", with: "‸false", "hook on-failure restart must be a mapping, not text",
            hint: "write \"key: value\" lines, indented below it"),
        BadInput(
            "hook without a command", replace: "before: {run: [./stop, now], timeout: 30s}", with: "‸before: {timeout: 30s}",
            "missing key \"run\" in hook before stop", hint: "add \"run: [program, argument]\""),
        BadInput("timeout", replace: "timeout: 30s", with: "timeout: ‸30", "\"timeout\" has no unit", hint: "say which: 30h, 30m or 30s"),
        BadInput(
            "step of a manual step", replace: "step: identify", with: "step: ‸decide", "unknown step \"decide\"",
            hint: "known words: identify, restart, restore, retrieve, stop, verify"),
        BadInput(
            "manual step without an allowance", replace: "- {step: identify, name: confirm-loss, allowance: 20m}",
            with: "- ‸{step: identify, name: confirm-loss}", "missing key \"allowance\" in a manual step", hint: "add \"allowance: 15m\""),
        BadInput(
            "manual step of an allowance's name", replace: "confirm-loss", with: "‸decide", "\"decide\" is there twice",
            hint: "give each manual step and each allowance a name of its own"),
        BadInput(
            "manual as mapping", replace: "manual:\n  - {step: identify, name: confirm-loss, allowance: 20m}",
            with: "manual: ‸{step: identify}", "\"manual\" must be a list of at least one",
            hint: "begin each with \"- \", as in \"- {step: identify, name: decide, allowance: 15m}\""),
    ]

    static let ofOutage = [
        BadInput(
            "outage of no zone", replace: "version: 1\ndrill: outage\nestate: estate.yaml\nscenario: data-center-outage\nlost-zone: ksdc\n",
            with: "‸version: 1\ndrill: outage\nestate: estate.yaml\nscenario: data-center-outage\n",
            "missing key \"lost-zone\": scenario \"data-center-outage\" needs it", hint: "add \"lost-zone: NAME\""),
        BadInput(
            "unknown zone", replace: "lost-zone: ksdc", with: "lost-zone: ‸ksdcc", "no store of the estate lies in zone \"ksdcc\"",
            hint: "did you mean \"ksdc\"?"),
        BadInput(
            "zone of a corruption",
            replace:
                "scenario: data-center-outage\nlost-zone: ksdc\noutage:\n  cut: {run: [umount, /backups], timeout: 30s}\n  restore: {run: [mount, /backups]}\n",
            with: "scenario: database-corruption\nlost-zone: ‸ksdc\n",
            "\"lost-zone\" does not fit scenario \"database-corruption\"", hint: "remove it, or write scenario: data-center-outage"),
        BadInput(
            "cut for good", replace: "outage:\n  cut: {run: [umount, /backups], timeout: 30s}\n  restore: {run: [mount, /backups]}",
            with: "‸outage:\n  cut: {run: [umount, /backups], timeout: 30s}", "missing key \"restore\" in \"outage\"",
            hint: "add \"restore: {run: [program, argument]}\""),
        BadInput(
            "existing in an outage", replace: "targets: {rto: 4h}", with: "existing: ‸{configuration: {from: env}}",
            "\"existing\" does not fit scenario \"data-center-outage\"",
            hint: "remove it: what this scenario needs comes back from its backups"),
        BadInput(
            "backup of the lost zone alone", replace: "  postgres: {from: daily}", with: "  postgres: {from: daily}\n  ‸redis: {from: rdb}",
            "backup \"rdb\" of \"redis\" has no store outside of zone \"ksdc\"",
            hint: "name a store of another zone in its \"stores\", one whose zone the estate states"),
    ]

    static let ofLostCache = [
        BadInput(
            "cache of a database", replace: "  postgres: {from: daily}", with: "  ‸postgres: {empty: true}",
            "only a redis can be repopulated or stay empty, and \"postgres\" is none", hint: "write \"postgres: {from: NAME}\""),
        BadInput(
            "cache both ways", replace: "{repopulate: {run: [python3, app.py, repopulate], timeout: 5m}}",
            with: "{repopulate: {run: [fill]}, empty: ‸true}", "cache \"redis\" is both repopulated and empty", hint: "keep one of the two"),
        BadInput(
            "cache that is not empty", replace: "{repopulate: {run: [python3, app.py, repopulate], timeout: 5m}}",
            with: "{empty: ‸false}", "\"empty\" can only be true",
            hint: "write \"empty: true\", or bring it back with \"from\" or \"repopulate\""),
        BadInput(
            "cache without an application", replace: "application: web\nrecover:\n  postgres: {from: daily}\n  redis",
            with: "recover:\n  postgres: {from: daily}\n  ‸redis", "cache \"redis\" needs an \"application\" that lives with it",
            hint: "add \"application: NAME\" to the drill"),
        BadInput(
            "repopulation by nothing", replace: "repopulate: {run: [python3, app.py, repopulate], timeout: 5m}",
            with: "‸repopulate: {timeout: 5m}", "missing key \"run\" in \"repopulate\" of cache \"redis\"",
            hint: "add \"run: [program, argument]\""),
        BadInput(
            "no repopulation", replace: "{repopulate: {run: [python3, app.py, repopulate], timeout: 5m}}", with: "{repopulate: ‸false}",
            "\"repopulate\" can only be true, or a command",
            hint: "write \"repopulate: true\", or bring it back with \"from\", or leave it empty with \"empty: true\""),
        BadInput(
            "place of a repopulation", replace: "[python3, app.py, repopulate]", with: "[fill, ‸\"{redis.port}\"]",
            "there is no {redis.port} in this drill",
            hint: "name a service of the drill and one of its fields: docs/estate-file.md lists them below \"An application\""),
        BadInput(
            "cache of a backup", replace: "{repopulate: {run: [python3, app.py, repopulate], timeout: 5m}}",
            with: "{empty: true, ‸from: rdb}", "unknown key \"from\" in cache \"redis\"", hint: "known keys: empty, repopulate"),
    ]

    static let ofServerFailure = [
        BadInput(
            "no application", replace: "version: 1\ndrill: server-failure\nestate: estate.yaml\nscenario: server-failure\napplication: web",
            with: "‸version: 1\ndrill: server-failure\nestate: estate.yaml\nscenario: server-failure",
            "missing key \"application\": scenario \"server-failure\" needs it", hint: "add \"application: NAME\""),
        BadInput(
            "unknown application", replace: "application: web", with: "application: ‸wep", "unknown application \"wep\"",
            hint: "did you mean \"web\"?"),
        BadInput(
            "service of an application",
            replace: "application: web\ntargets: {rto: 1h}\nexisting:\n  postgres: {from: daily}\n  redis: {from: rdb, select: latest}\n",
            with: "application: ‸web\ntargets: {rto: 1h}\nexisting:\n  postgres: {from: daily}\n",
            "application \"web\" needs service \"redis\", which is no part of this drill",
            hint: "add it under \"recover\" or \"existing\""),
        BadInput(
            "loss of nothing", replace: "targets: {rto: 1h}", with: "targets: {rto: 1h, ‸rpo: 6h}",
            "\"rpo\" has nothing to measure: no service is recovered", hint: "remove it, or add what is recovered under \"recover\""),
        BadInput(
            "recovered and existing",
            replace: "targets: {rto: 1h}\nexisting:\n  postgres: {from: daily}\n  redis:",
            with: "targets: {rto: 1h}\nrecover: {redis: {from: rdb}}\nexisting:\n  postgres: {from: daily}\n  ‸redis:",
            "service \"redis\" is both recovered and existing", hint: "keep it in one of the two"),
    ]

    @Test(arguments: ofTheDrill)
    func isToldAtItsPlace(_ input: BadInput) throws { try expect(input, in: Good.drill) }

    @Test(arguments: ofServerFailure)
    func isToldOfAServerFailure(_ input: BadInput) throws { try expect(input, in: Good.serverFailure) }

    @Test(arguments: ofOutage)
    func isToldOfAnOutage(_ input: BadInput) throws { try expect(input, in: Good.outage, estate: Good.zonedEstate) }

    @Test(arguments: ofLostCache)
    func isToldOfALostCache(_ input: BadInput) throws { try expect(input, in: Good.lostCache) }

    @Test func lostCache() throws {
        let desk = try Desk()
        try desk.write("estate.yaml", Good.estate)
        try desk.write("drill.yaml", Good.lostCache)
        let plan = try #require(try desk.drills("drill.yaml").first)
        #expect(plan.recover.map(\.service) == ["postgres"] && plan.caches.map(\.service) == ["redis"])
        let repopulation = LostCache.Repopulation(run: ["python3", "app.py", "repopulate"].map { Template($0) }, timeout: .seconds(300))
        #expect(plan.caches.first?.repopulation == repopulation)
    }

    @Test func outage() throws {
        let desk = try Desk()
        try desk.write("estate.yaml", Good.zonedEstate)
        try desk.write("drill.yaml", Good.outage)
        let plan = try #require(try desk.drills("drill.yaml").first)
        #expect(plan.scenario == .dataCenterOutage && plan.outage?.zone == "ksdc" && plan.outage?.lost.map(\.name) == ["primary"])
        #expect(plan.outage?.commands?.cut == Hook(run: ["umount", "/backups"], timeout: .seconds(30)))
        // What is left of the estate is all that the drill knows.
        #expect(plan.estate.stores.keys.sorted() == ["secondary"])
        #expect(plan.estate.services["postgres"]?.backups["daily"]?.stores == ["secondary"])
        #expect(plan.estate.services["redis"]?.backups["rdb"]?.stores == [])
    }

    /// A store of which nobody knows where it stands is no second zone.
    @Test func aStoreWithoutAZone() throws {
        let desk = try Desk()
        try desk.write("estate.yaml", Good.estate)
        try desk.write("drill.yaml", Good.outage)
        #expect(
            desk.problems(["drill.yaml"]).map(\.message) == ["backup \"daily\" of \"postgres\" has no store outside of zone \"ksdc\""])
    }

    @Test func whatIsLostWithTheZone() throws {
        let desk = try Desk()
        let estate = Good.zonedEstate.replacing("backup: {env: DOMAINSCOPE_BACKUP_KEY}", with: "backup: {file: backups/primary/backup.key}")
            .replacing("trust: [keys/seal.pub]", with: "trust: [link/seal.pub]")
        try desk.write("estate.yaml", estate)
        try desk.write("backups/primary/seal.pub", "x")
        try FileManager.default.createSymbolicLink(
            at: desk.folder.appendingPathComponent("link"), withDestinationURL: desk.folder.appendingPathComponent("backups/primary"))
        try desk.write("drill.yaml", Good.outage)
        #expect(
            Set(desk.problems(["drill.yaml"]).map(\.message)) == [
                "key \"backup\", which backup \"daily\" of \"postgres\" needs, lies in store \"primary\" and is lost with it",
                "seal.pub, which seals are trusted by, lies in store \"primary\" and is lost with it",
            ])
    }

    private func expect(_ input: BadInput, in good: String, estate: String = Good.estate) throws {
        let desk = try Desk()
        try desk.write("estate.yaml", estate)
        let (text, line, column) = try input.spoil(good)
        try desk.write("drill.yaml", text)
        input.expect(desk.problems(["drill.yaml"]), in: "drill.yaml", line: line, column: column)
    }

    @Test func nothingToRecover() throws {
        let desk = try Desk()
        try desk.write("estate.yaml", Good.estate)
        try desk.write("drill.yaml", "version: 1\ndrill: d\nestate: estate.yaml\nscenario: database-corruption\n")
        let problem = try #require(desk.problems(["drill.yaml"]).first)
        #expect(problem.message == "missing key \"recover\": scenario \"database-corruption\" needs it" && problem.line == 1)
    }

    @Test func serverFailure() throws {
        let desk = try Desk()
        try desk.write("estate.yaml", Good.estate)
        try desk.write("drill.yaml", Good.serverFailure)
        let plan = try #require(try desk.drills("drill.yaml").first)
        #expect(plan.scenario == .serverFailure && plan.application == "web" && plan.recover.isEmpty)
        #expect(plan.existing.map(\.service) == ["postgres", "redis"] && plan.existing.map(\.selection) == [.latestHealthy, .latest])
    }

    @Test func application() throws {
        let desk = try Desk()
        try desk.write("estate.yaml", Good.estate)
        let web = try #require(try desk.estate().applications["web"])
        #expect(web.code == .folder(desk.folder.appendingPathComponent("app", isDirectory: true)) && web.configuration == nil)
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
        let desk = try Desk()
        try desk.write("estate.yaml", Good.estate)
        try desk.write("drill.yaml", Good.drill)
        let plan = try #require(try desk.drills("drill.yaml").first)
        #expect(
            plan.hooks == [
                .stop: [.before: Hook(run: ["./stop", "now"], timeout: .seconds(30)), .after: Hook(run: ["true"])],
                .restart: [.onFailure: Hook(run: ["false"])],
            ])
        #expect(plan.manual == [ManualStep(step: .identify, name: "confirm-loss", allowance: .seconds(1200))])
    }
}
