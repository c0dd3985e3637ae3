// A living server in the files: what is read, and what doesn't fit a drill that starts its application against it.

import DrillModel
import Testing

@testable import DrillFiles

@Suite struct LivingFilesTests {
    private static let estate = """
        version: 1
        estate: shop
        stores:
          nas: {type: file, path: /mnt/nas, zone: a}
        services:
          postgres:
            engine: postgres
            living: {host: /run/standby, port: 5433, database: shop, user: reader, password: {env: READER}}
            backups:
              daily: {kind: pg_dump, store: nas, match: "*.dump", encryption: none}
        applications:
          web: {folder: app, start: [web], health: {hold: 1s, within: 9s, probes: [{tcp: {port: 9100}}]}}

        """
    private static let drill = """
        version: 1
        drill: failure
        estate: estate.yaml
        scenario: server-failure
        application: web
        existing:
          postgres: {from: living}

        """

    private func problems(estate: String = estate, drill: String = drill) throws -> [String] {
        let desk = try Desk()
        try desk.write("estate.yaml", estate)
        try desk.write("drill.yaml", drill)
        return desk.problems(["drill.yaml"]).map(\.message)
    }

    @Test func isRead() throws {
        let desk = try Desk()
        try desk.write("estate.yaml", Self.estate)
        try desk.write("drill.yaml", Self.drill)
        let plan = try #require(try desk.drills("drill.yaml").first)
        let living = try #require(plan.estate.living(of: plan.existing[0]))
        #expect(living.host == "/run/standby" && living.port == 5433 && living.database == "shop" && living.user == "reader")
        #expect(living.password == .environment("READER"))
    }

    @Test(arguments: ["select: latest", "jobs: 2", "to: end", "timeline: latest"])
    func whatDoesNotFit(key: String) throws {
        let name = String(key.prefix { $0 != ":" })
        #expect(
            try problems(drill: Self.drill.replacing("from: living", with: "from: living, \(key)"))
                == ["\"\(name)\" does not fit a living server"])
    }

    @Test func whereItDoesNotStand() throws {
        let recovered = Self.drill.replacing("scenario: server-failure", with: "scenario: database-corruption")
            .replacing("existing:", with: "recover:")
        #expect(try problems(drill: recovered) == ["a living server can't be recovered from"])
        let past = Self.drill.replacing("existing:", with: "incident: {at: \"2026-02-01T02:00:00Z\"}\nexisting:")
        #expect(try problems(drill: past) == ["a living server can't go back to an incident that has passed"])
    }

    @Test func itsDeclaration() throws {
        #expect(
            try problems(estate: Self.estate.replacing("/run/standby", with: "db.example")) == ["\"host\" is no folder of a Unix socket"])
        #expect(
            try problems(estate: Self.estate.replacing(", user: reader", with: "")).first?.contains("missing key \"user\"") == true)
        let without = Self.estate.split(separator: "\n").filter { !$0.contains("living:") }.joined(separator: "\n") + "\n"
        #expect(try problems(estate: without) == ["unknown backup \"living\" of service \"postgres\""])
        #expect(
            try problems(estate: Self.estate.replacing("daily:", with: "living:"))
                .contains("a backup can't be called \"living\" beside the service's living"))
    }
}
