// A service's standby in the files: what is read, and what doesn't fit a drill that fails over to it.

import DrillModel
import Testing

@testable import DrillFiles

@Suite struct StandbyFilesTests {
    private static let estate = """
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

        """
    private static let drill = """
        version: 1
        drill: failover
        estate: estate.yaml
        scenario: database-corruption
        recover:
          postgres: {from: standby}

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
        let standby = try #require(plan.estate.standby(of: plan.recover[0]))
        #expect(standby.zone == "b" && standby.connection.host == "standby.example" && standby.connection.port == 5433)
        #expect(standby.connection.database == "shop" && standby.connection.user == "keeper")
    }

    @Test(arguments: ["select: latest", "jobs: 2", "to: end", "timeline: latest"])
    func whatDoesNotFit(key: String) throws {
        let name = String(key.prefix { $0 != ":" })
        #expect(
            try problems(drill: Self.drill.replacing("from: standby", with: "from: standby, \(key)"))
                == ["\"\(name)\" does not fit a standby"])
    }

    @Test func anIncidentThatHasPassed() throws {
        let drill = Self.drill.replacing("recover:", with: "incident: {at: \"2026-02-01T02:00:00Z\"}\nrecover:")
        #expect(try problems(drill: drill) == ["a standby can't go back to an incident that has passed"])
        #expect(try problems(drill: Self.drill.replacing("recover:", with: "incident: {at: now}\nrecover:")) == [])
    }

    @Test func noStandby() throws {
        let estate = Self.estate.split(separator: "\n").filter { !$0.contains("standby:") }.joined(separator: "\n") + "\n"
        #expect(try problems(estate: estate) == ["unknown backup \"standby\" of service \"postgres\""])
        #expect(
            try problems(estate: Self.estate.replacing("daily:", with: "standby:"))
                .contains("a backup can't be called \"standby\" beside the service's standby"))
    }

    /// What stands in the lost zone, or nobody knows where, is lost with it; so is a password that lay there.
    @Test func theLossOfItsPrimary() throws {
        let drill = Self.drill.replacing("scenario: database-corruption", with: "scenario: data-center-outage\nlost-zone: a")
        let base = Self.estate.replacing("/mnt/nas/secret", with: "/etc/secret")
        func estate(_ source: String) -> String { base.replacing("standby: {", with: "source: \(source)\n    standby: {") }
        let good = estate("{host: db.example, zone: a}")
        #expect(try problems(estate: good, drill: drill) == [])
        #expect(
            try problems(estate: estate("{host: db.example}"), drill: drill)
                == ["nothing says in which zone the source of \"postgres\" stands"])
        #expect(
            try problems(estate: estate("{host: db.example, zone: b}"), drill: drill)
                == ["the source of \"postgres\" stands in zone \"b\", and is not lost with zone \"a\""])
        // Where nothing is lost, nobody needs to know.
        #expect(try problems(estate: estate("{host: db.example}")) == [])
        let desk = try Desk()
        try desk.write("estate.yaml", good)
        try desk.write("drill.yaml", drill)
        #expect(try desk.drills("drill.yaml").first?.lostPrimaries == ["postgres"])
    }

    @Test func theLossOfItsZone() throws {
        let drill = Self.drill.replacing("scenario: database-corruption", with: "scenario: data-center-outage\nlost-zone: a")
        let password = "the password of the standby of \"postgres\" lies in store \"nas\" and is lost with it"
        #expect(try problems(drill: drill) == [password])
        let other = Self.estate.replacing("/mnt/nas/secret", with: "/etc/secret")
        #expect(try problems(estate: other, drill: drill) == [])
        #expect(
            try problems(estate: other.replacing("zone: b", with: "zone: a"), drill: drill)
                == ["the standby of \"postgres\" is lost with its zone"])
        #expect(
            try problems(estate: other.replacing(", zone: b", with: ""), drill: drill)
                == ["nothing says in which zone the standby of \"postgres\" stands"])
    }
}
