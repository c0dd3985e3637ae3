// The red tests of all checks at once: every damage is caught, by its own finding, and by nothing else.

import Foundation
import Testing

struct SabotageTests {
    @Test(arguments: ["postgres", "redis"])
    func everyDamageIsCaught(service: String) async throws {
        try await Desk.with { desk in
            let listed = try await desk.run(["sabotage", "--list", "x"])
            #expect(listed.code == 0)
            let file = try desk.drillFile(service)
            let outcome = try await desk.start(["sabotage", file.path], patience: .seconds(900)).outcome()
            #expect(outcome.code == 0, "\(outcome.text)")
            let lines = outcome.out.split(separator: "\n")
            #expect(lines.contains { $0.hasPrefix("✓ \(service) untouched") && $0.contains("green") })
            #expect(!lines.contains { $0.hasPrefix("✗") || $0.hasPrefix("!") }, "\(outcome.out)")
            // The lab holds something to damage in every way.
            #expect(!lines.contains { $0.hasPrefix("-") }, "\(outcome.out)")
            let caught = lines.filter { $0.hasPrefix("✓ \(service) ") && $0.contains("caught: ") }.count
            #expect(caught >= (service == "postgres" ? 18 : 8), "\(outcome.out)")
        }
    }

    /// A base backup and a repository of pgBackRest's have no seal: a table's file is damaged in what they recover to.
    @Test(arguments: ["point-in-time", "pgbackrest"])
    func aDamagedFileOfATableIsCaught(name: String) async throws {
        try await Desk.with { desk in
            let file = desk.drills.appendingPathComponent("\(name).yaml")
            // Where pgbackrest is not installed, the lab has no such drill.
            guard FileManager.default.fileExists(atPath: file.path) || Program.inCI else { return }
            let outcome = try await desk.start(["sabotage", file.path], patience: .seconds(900)).outcome()
            #expect(outcome.code == 0, "\(outcome.text)")
            let lines = outcome.out.split(separator: "\n")
            #expect(lines.contains { $0.hasPrefix("✓ postgres untouched") && $0.contains("green") }, "\(outcome.out)")
            for damage in ["zeroed-page", "emptied-relation"] {
                #expect(
                    lines.contains { $0.hasPrefix("✓ postgres \(damage)") && $0.contains("caught: relation-page-lost") }, "\(outcome.out)")
            }
        }
    }

    /// What the issue names, one by one: a damage that is renamed or dropped must not go unseen.
    @Test func theListIsWhole() async throws {
        try await Desk.with { desk in
            let listed = try await desk.run(["sabotage", "--list", "x"])
            let names = Set(listed.out.split(separator: "\n").compactMap { $0.split(separator: " ").first.map(String.init) })
            let promised: Set = [
                "changed-value", "missing-row", "swapped-values", "null-becomes-empty", "dropped-index", "dropped-grant",
                "changed-function",
                "changed-field", "missing-key", "flipped-bit", "truncated-file", "changed-seal", "zeroed-page", "emptied-relation",
            ]
            #expect(names.isSuperset(of: promised), "\(promised.subtracting(names))")
        }
    }

    @Test func anUnknownDamageIsWrongUsage() async throws {
        try await Desk.with { desk in
            let outcome = try await desk.run(["sabotage", try desk.drillFile().path, "--damage", "changed-valeu"])
            #expect(outcome.code == 64)
            #expect(outcome.err.contains("changed-valeu") && outcome.err.contains("hint: "))
        }
    }

    /// Without a seal no check could tell: that is no success.
    @Test func withoutASealNothingIsProven() async throws {
        try await Desk.with { desk in
            try desk.removeSeals(in: desk.snapshots)
            let outcome = try await desk.run(["sabotage", try desk.drillFile().path])
            #expect(outcome.code == 2, "\(outcome.text)")
        }
    }
}
