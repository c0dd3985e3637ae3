// An estate and a drill that belong together, and what is said of them.

import DrillModel
import Testing

@testable import DrillFiles

/// Good files of one kind of service that no backup brings back, for a test to spoil.
struct FilePair: Sendable {
    var estate: String
    var drill: String

    /// The messages alone, with one of the two or both replaced.
    func problems(estate: String? = nil, drill: String? = nil) throws -> [String] {
        let fixture = try Fixture()
        try fixture.write("estate.yaml", estate ?? self.estate)
        try fixture.write("drill.yaml", drill ?? self.drill)
        return fixture.problems(["drill.yaml"]).map(\.message)
    }

    func plan() throws -> DrillPlan {
        let fixture = try Fixture()
        try fixture.write("estate.yaml", estate)
        try fixture.write("drill.yaml", drill)
        return try #require(try fixture.drills("drill.yaml").first)
    }

    /// Its estate without the line that declares the server.
    func estate(without key: String) -> String {
        estate.split(separator: "\n").filter { !$0.contains("\(key):") }.joined(separator: "\n") + "\n"
    }
}

/// What is the same of each of them.
@Suite struct FilePairTests {
    private static let pairs = [
        ("standby", "a standby", StandbyFilesTests.pair), ("replica", "a replica", ReplicaFilesTests.pair),
        ("living", "a living server", LivingFilesTests.pair),
    ]

    @Test(arguments: pairs) func isGood(word: String, title: String, pair: FilePair) throws {
        #expect(try pair.problems() == [])
    }

    @Test(arguments: pairs, ["select: latest", "jobs: 2", "database: shop", "to: end", "timeline: latest"])
    func whatDoesNotFit(of pair: (word: String, title: String, pair: FilePair), key: String) throws {
        let name = String(key.prefix { $0 != ":" })
        let drill = pair.pair.drill.replacing("from: \(pair.word)", with: "from: \(pair.word), \(key)")
        #expect(try pair.pair.problems(drill: drill) == ["\"\(name)\" does not fit \(pair.title)"])
    }

    /// A name of one's own can't be that of what is no backup.
    @Test(arguments: pairs) func aBackupOfThatName(word: String, title: String, pair: FilePair) throws {
        let own = pair.estate.replacing("daily: {", with: "\(word): {").replacing("rdb: {", with: "\(word): {")
        #expect(try pair.problems(estate: own).contains("a backup can't be called \"\(word)\" beside the service's \(word)"))
    }

    @Test(arguments: pairs) func anIncidentThatHasPassed(word: String, title: String, pair: FilePair) throws {
        func drill(_ incident: String) -> String {
            pair.drill.replacing("recover:", with: "incident: {at: \(incident)}\nrecover:")
                .replacing("existing:", with: "incident: {at: \(incident)}\nexisting:")
        }
        #expect(try pair.problems(drill: drill("\"2026-02-01T02:00:00Z\"")) == ["\(title) can't go back to an incident that has passed"])
        #expect(try pair.problems(drill: drill("now")) == [])
    }
}
