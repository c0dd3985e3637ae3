// A Redis' replica in the files: what is read, and what doesn't fit a drill that fails over to it.

import DrillModel
import Testing

@testable import DrillFiles

@Suite struct ReplicaFilesTests {
    static let pair = FilePair(
        estate: """
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

            """,
        drill: """
            version: 1
            drill: failover
            estate: estate.yaml
            scenario: database-corruption
            recover:
              redis: {from: replica}

            """)

    @Test func isRead() throws {
        let plan = try Self.pair.plan()
        let replica = try #require(plan.estate.standby(of: plan.recover[0]))
        #expect(plan.recover[0].isFailover(in: plan.estate))
        #expect(replica.zone == "b" && replica.connection.host == "/run/replica/redis.sock" && replica.connection.port == 6380)
        #expect(replica.connection.user == "keeper" && replica.connection.password != nil)
    }

    @Test func otherEngines() throws {
        #expect(
            try Self.pair.problems(estate: Self.pair.estate.replacing("replica:", with: "standby:")).contains(
                "\"standby\" does not fit engine \"redis\""))
        let postgres = Self.pair.estate.replacing("engine: redis", with: "engine: postgres").replacing("kind: rdb", with: "kind: pg_dump")
        #expect(try Self.pair.problems(estate: postgres).contains("\"replica\" does not fit engine \"postgres\""))
        #expect(
            try Self.pair.problems(estate: Self.pair.estate.replacing("port: 6380", with: "database: 1")).contains {
                $0.contains("unknown key \"database\"")
            })
    }

    @Test func noReplica() throws {
        let estate = Self.pair.estate(without: "replica")
        #expect(try Self.pair.problems(estate: estate) == ["unknown backup \"replica\" of service \"redis\""])
    }

    @Test func theLossOfItsZone() throws {
        let drill = Self.pair.drill.replacing("scenario: database-corruption", with: "scenario: data-center-outage\nlost-zone: a")
        #expect(
            try Self.pair.problems(drill: drill) == ["the password of the replica of \"redis\" lies in store \"nas\" and is lost with it"])
        let other = Self.pair.estate.replacing("/mnt/nas/secret", with: "/etc/secret")
        #expect(try Self.pair.problems(estate: other, drill: drill) == [])
        #expect(
            try Self.pair.problems(estate: other.replacing("zone: b", with: "zone: a"), drill: drill) == [
                "the replica of \"redis\" is lost with its zone"
            ])
        #expect(
            try Self.pair.problems(estate: other.replacing(", zone: b", with: ""), drill: drill)
                == ["nothing says in which zone the replica of \"redis\" stands"])
    }
}
