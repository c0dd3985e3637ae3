// A living server in the files: what is read, and what doesn't fit a drill that starts its application against it.

import DrillModel
import Testing

@testable import DrillFiles

@Suite struct LivingFilesTests {
    static let pair = FilePair(
        estate: """
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

            """,
        drill: """
            version: 1
            drill: failure
            estate: estate.yaml
            scenario: server-failure
            application: web
            existing:
              postgres: {from: living}

            """)

    @Test func isRead() throws {
        let plan = try Self.pair.plan()
        let living = try #require(plan.estate.living(of: plan.existing[0]))
        #expect(living.host == "/run/standby" && living.port == 5433 && living.database == "shop" && living.user == "reader")
        #expect(living.password == .environment("READER"))
    }

    @Test func whereItDoesNotStand() throws {
        let recovered = Self.pair.drill.replacing("scenario: server-failure", with: "scenario: database-corruption")
            .replacing("existing:", with: "recover:")
        #expect(try Self.pair.problems(drill: recovered) == ["a living server can't be recovered from"])
    }

    @Test func itsDeclaration() throws {
        #expect(
            try Self.pair.problems(estate: Self.pair.estate.replacing("/run/standby", with: "db.example")) == [
                "\"host\" is no folder of a Unix socket"
            ])
        #expect(
            try Self.pair.problems(estate: Self.pair.estate.replacing(", user: reader", with: "")).first?.contains("missing key \"user\"")
                == true)
        let without = Self.pair.estate(without: "living")
        #expect(try Self.pair.problems(estate: without) == ["unknown backup \"living\" of service \"postgres\""])
    }
}
