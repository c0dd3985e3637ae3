// A Redis' replica in the files: what is read, and what doesn't fit a drill that fails over to it.

import DrillModel
import Testing

@testable import DrillFiles

@Suite struct ReplicaFilesTests {
    private static let estate = """
        version: 1
        estate: shop
        stores:
          nas: {type: file, path: /mnt/nas, zone: a}
        services:
          redis:
            engine: redis
            replica: {host: /run/replica/redis.sock, port: 6380, user: keeper, password: {file: /mnt/nas/secret}, zone: b}
            backups:
              rdb: {kind: rdb, store: nas, match: "*.rdb", encryption: none}

        """
    private static let drill = """
        version: 1
        drill: failover
        estate: estate.yaml
        scenario: database-corruption
        recover:
          redis: {from: replica}

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
        let replica = try #require(plan.estate.standby(of: plan.recover[0]))
        #expect(plan.recover[0].isFailover(in: plan.estate))
        #expect(replica.zone == "b" && replica.connection.host == "/run/replica/redis.sock" && replica.connection.port == 6380)
        #expect(replica.connection.user == "keeper" && replica.connection.password != nil)
    }

    @Test(arguments: ["select: latest", "jobs: 2", "to: end", "timeline: latest"])
    func whatDoesNotFit(key: String) throws {
        let name = String(key.prefix { $0 != ":" })
        #expect(
            try problems(drill: Self.drill.replacing("from: replica", with: "from: replica, \(key)"))
                == ["\"\(name)\" does not fit a replica"])
    }

    @Test func anIncidentThatHasPassed() throws {
        let drill = Self.drill.replacing("recover:", with: "incident: {at: \"2026-02-01T02:00:00Z\"}\nrecover:")
        #expect(try problems(drill: drill) == ["a replica can't go back to an incident that has passed"])
    }

    @Test func otherEngines() throws {
        #expect(
            try problems(estate: Self.estate.replacing("replica:", with: "standby:")).contains("\"standby\" does not fit engine \"redis\""))
        let postgres = Self.estate.replacing("engine: redis", with: "engine: postgres").replacing("kind: rdb", with: "kind: pg_dump")
        #expect(try problems(estate: postgres).contains("\"replica\" does not fit engine \"postgres\""))
        #expect(
            try problems(estate: Self.estate.replacing("port: 6380", with: "database: 1")).contains {
                $0.contains("unknown key \"database\"")
            })
    }

    @Test func noReplica() throws {
        let estate = Self.estate.split(separator: "\n").filter { !$0.contains("replica:") }.joined(separator: "\n") + "\n"
        #expect(try problems(estate: estate) == ["unknown backup \"replica\" of service \"redis\""])
        #expect(
            try problems(estate: Self.estate.replacing("rdb: {", with: "replica: {"))
                .contains("a backup can't be called \"replica\" beside the service's replica"))
    }

    @Test func theLossOfItsZone() throws {
        let drill = Self.drill.replacing("scenario: database-corruption", with: "scenario: data-center-outage\nlost-zone: a")
        #expect(try problems(drill: drill) == ["the password of the replica of \"redis\" lies in store \"nas\" and is lost with it"])
        let other = Self.estate.replacing("/mnt/nas/secret", with: "/etc/secret")
        #expect(try problems(estate: other, drill: drill) == [])
        #expect(
            try problems(estate: other.replacing("zone: b", with: "zone: a"), drill: drill) == [
                "the replica of \"redis\" is lost with its zone"
            ])
        #expect(
            try problems(estate: other.replacing(", zone: b", with: ""), drill: drill)
                == ["nothing says in which zone the replica of \"redis\" stands"])
    }
}
