// What was typed wrong, on the command line or in a file: 64, with the place and the mend, and nothing started.

import Foundation
import Testing

struct WrongUsageTests {
    /// Runs a drill that can't be begun: 64, the place, the mend, and no report of a run that never was.
    private func expectRefused(_ fixture: Fixture, _ words: [String], says parts: String..., location: SourceLocation = #_sourceLocation)
        async throws
    {
        let output = fixture.reports.appendingPathComponent("none").path
        let outcome = try await fixture.run(words + ["--output", output])
        #expect(outcome.code == 64, "\(outcome.text)", sourceLocation: location)
        for part in parts + ["hint: "] { #expect(outcome.err.contains(part), "\(outcome.err)", sourceLocation: location) }
        #expect(outcome.out == "", sourceLocation: location)
        #expect(!FileManager.default.fileExists(atPath: output), sourceLocation: location)
        fixture.expectNothingLeft(location)
    }

    @Test func aTypoInTheEstate() async throws {
        try await Fixture.with { fixture in
            try fixture.editEstate("    encryption: {format: openssl", "    encription: {format: openssl")
            let line =
                try #require(
                    String(decoding: Data(contentsOf: fixture.estate), as: UTF8.self).split(
                        separator: "\n", omittingEmptySubsequences: false
                    )
                    .firstIndex { $0.contains("encription") }) + 1
            try await expectRefused(
                fixture, ["run", try fixture.drillFile().path], says: "estate.yaml:\(line):9: ", "encription", "encryption")
        }
    }

    @Test func anUnknownScenario() async throws {
        try await Fixture.with { fixture in
            let file = try fixture.drillFile()
            try fixture.edit(file, "scenario: database-corruption", "scenario: database-coruption")
            try await expectRefused(
                fixture, ["run", file.path], says: "\(file.lastPathComponent):4:11: ", "database-coruption", "database-corruption")
        }
    }

    @Test func aServiceThatIsNotThere() async throws {
        try await Fixture.with { fixture in
            let file = try fixture.drillFile()
            try fixture.edit(file, "  redis: {from", "  rediss: {from")
            try await expectRefused(fixture, ["run", file.path], says: "\(file.lastPathComponent):8:", "rediss")
        }
    }

    @Test func noSuchDrill() async throws {
        try await Fixture.with { fixture in
            try await expectRefused(fixture, ["run", fixture.drills.appendingPathComponent("no-such.yaml").path], says: "no-such.yaml")
        }
    }

    @Test func aFolderWithoutDrills() async throws {
        try await Fixture.with { fixture in
            let empty = fixture.folder.appendingPathComponent("empty")
            try FileManager.default.createDirectory(at: empty, withIntermediateDirectories: true)
            let outcome = try await fixture.run(["run", empty.path])
            #expect(outcome.code == 64 || outcome.code == 2, "\(outcome.text)")
            #expect(outcome.err.contains("hint: "))
        }
    }

    @Test func whatWasTypedWrong() async throws {
        try await Fixture.with { fixture in
            let file = try fixture.drillFile().path
            for words in [
                ["run", file, "--fliter", "x"], ["rum", file], ["run", file, "--shard", "3/2"], ["run", file, "--shard", "0/2"],
                ["run", file, "--shard", "two"], ["run", file, "--filter", "("], ["run", file, "--output"], ["lab", "create"],
                ["seal", fixture.estate.path], ["seal", fixture.estate.path, "--service", "redis", "--backup", "rbd"],
                ["seal", fixture.estate.path, "--service", "rediss", "--backup", "rdb"],
                ["seal", fixture.estate.path, "--service", "redis", "--backup", "rdb", "--load", "0"],
                ["seal", fixture.estate.path, "--service", "redis", "--backup", "rdb", "--existing", "latest", "--output", "x"],
                ["lab", "create", fixture.folder.appendingPathComponent("new").path, "--days", "0"],
                ["lab", "create", fixture.folder.appendingPathComponent("new").path, "--rows", "many"],
            ] {
                let outcome = try await fixture.run(words)
                #expect(outcome.code == 64, "\(words): \(outcome.text)")
                #expect(outcome.err != "" && outcome.out == "", "\(words)")
            }
            #expect(!FileManager.default.fileExists(atPath: fixture.folder.appendingPathComponent("new").path))
        }
    }

    /// Help about what isn't there is no help: a script that asks for it must not read 0.
    @Test func commandsThatAreNotThere() async throws {
        try await Fixture.with { fixture in
            for (words, name, hint) in [
                (["help", "nosuch"], "nosuch", "known commands: "), (["help", "inspcet"], "inspcet", "did you mean \"inspect\"?"),
                (["help", "run", "nosuch"], "run nosuch", "muster run --help"),
                (["help", "lab", "nosuch"], "lab nosuch", "create, destroy"),
                (["nosuch", "--help"], "nosuch", "known commands: "), (["lab", "nosuch", "--help"], "lab nosuch", "create, destroy"),
                (["rum"], "rum", "did you mean \"run\"?"),
            ] {
                let outcome = try await fixture.run(words)
                #expect(outcome.code == 64 && outcome.out == "", "\(words): \(outcome.text)")
                #expect(outcome.err.contains("there is no command \"\(name)\"\nhint: ") && outcome.err.contains(hint), "\(outcome.err)")
            }
        }
    }

    @Test func versionAndHelp() async throws {
        try await Fixture.with { fixture in
            let version = try await fixture.run(["--version"])
            #expect(version.code == 0)
            #expect(version.out.wholeMatch(of: /\d+\.\d+\.\d+(\+[0-9a-f]+(\.modified)?)?\n/) != nil, "\(version.out)")
            for words in [
                ["--help"], ["run", "--help"], ["lab", "create", "--help"], ["help", "clean"], ["help", "lab", "create"], ["help"], ["lab"],
            ] {
                let help = try await fixture.run(words)
                #expect(help.code == 0 && help.out.contains("USAGE: muster"), "\(words)")
            }
            // The exit codes are a promise that scripts rely on: the help must name them.
            let text = try await fixture.run(["--help"]).out
            for code in ["64", "130", "143"] { #expect(text.contains(code)) }
        }
    }
}
