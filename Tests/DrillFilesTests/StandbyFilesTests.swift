// A service's standby in the files: what is read, and what doesn't fit a drill that fails over to it.

import DrillModel
import Testing

@testable import DrillFiles

@Suite struct StandbyFilesTests {
    static let pair = FilePair(
        estate: """
            version: 1
            estate: shop
            stores:
              nas: {type: file, path: /mnt/nas, zone: a}
            services:
              postgres:
                engine: postgres
                standby: {host: standby.example, port: 5433, database: shop, user: keeper, password: {file: /mnt/nas/secret}, zone: b}
                backups:
                  daily: {kind: pg_dump, store: nas, match: "*.dump", encryption: none}

            """,
        drill: """
            version: 1
            drill: failover
            estate: estate.yaml
            scenario: database-corruption
            recover:
              postgres: {from: standby}

            """)

    @Test func isRead() throws {
        let plan = try Self.pair.plan()
        let standby = try #require(plan.estate.standby(of: plan.recover[0]))
        #expect(standby.zone == "b" && standby.connection.host == "standby.example" && standby.connection.port == 5433)
        #expect(standby.connection.database == "shop" && standby.connection.user == "keeper")
    }

    @Test func noStandby() throws {
        let estate = Self.pair.estate(without: "standby")
        #expect(try Self.pair.problems(estate: estate) == ["unknown backup \"standby\" of service \"postgres\""])
    }

    /// What stands in the lost zone, or nobody knows where, is lost with it; so is a password that lay there.
    @Test func theLossOfItsPrimary() throws {
        let drill = Self.pair.drill.replacing("scenario: database-corruption", with: "scenario: data-center-outage\nlost-zone: a")
        let base = Self.pair.estate.replacing("/mnt/nas/secret", with: "/etc/secret")
        func estate(_ source: String) -> String { base.replacing("standby: {", with: "source: \(source)\n    standby: {") }
        let good = estate("{host: db.example, zone: a}")
        #expect(try Self.pair.problems(estate: good, drill: drill) == [])
        #expect(
            try Self.pair.problems(estate: estate("{host: db.example}"), drill: drill)
                == ["nothing says in which zone the source of \"postgres\" stands"])
        #expect(
            try Self.pair.problems(estate: estate("{host: db.example, zone: b}"), drill: drill)
                == ["the source of \"postgres\" stands in zone \"b\", and is not lost with zone \"a\""])
        // Where nothing is lost, nobody needs to know.
        #expect(try Self.pair.problems(estate: estate("{host: db.example}")) == [])
        let fixture = try Fixture()
        try fixture.write("estate.yaml", good)
        try fixture.write("drill.yaml", drill)
        #expect(try fixture.drills("drill.yaml").first?.lostPrimaries == ["postgres"])
    }

    @Test func theLossOfItsZone() throws {
        let drill = Self.pair.drill.replacing("scenario: database-corruption", with: "scenario: data-center-outage\nlost-zone: a")
        let password = "the password of the standby of \"postgres\" lies in store \"nas\" and is lost with it"
        #expect(try Self.pair.problems(drill: drill) == [password])
        let other = Self.pair.estate.replacing("/mnt/nas/secret", with: "/etc/secret")
        #expect(try Self.pair.problems(estate: other, drill: drill) == [])
        #expect(
            try Self.pair.problems(estate: other.replacing("zone: b", with: "zone: a"), drill: drill)
                == ["the standby of \"postgres\" is lost with its zone"])
        #expect(
            try Self.pair.problems(estate: other.replacing(", zone: b", with: ""), drill: drill)
                == ["nothing says in which zone the standby of \"postgres\" stands"])
    }
}
