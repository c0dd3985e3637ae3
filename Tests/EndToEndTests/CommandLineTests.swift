// The flags of `muster run`, and what its output looks like to whoever reads it.

import Foundation
import Testing

struct CommandLineTests {
    @Test func dryRunTouchesNothing() async throws {
        try await Fixture.with { fixture in
            let before = try await Program.require(["find", fixture.folder.path, "-printf", "%p %s %T@ %m\\n"]).out
            let outcome = try await fixture.run(["run", fixture.drills.path, "--dry-run"])
            #expect(outcome.code == 0, "\(outcome.text)")
            #expect(try await Program.require(["find", fixture.folder.path, "-printf", "%p %s %T@ %m\\n"]).out == before)
            for service in ["postgres", "redis"] {
                let newest = try fixture.newest(service).lastPathComponent
                #expect(outcome.out.contains(newest), "\(outcome.out)")
            }
            for name in ["database-corruption", "redis-aof", "quick-look"] { #expect(outcome.out.contains(name)) }
            #expect(!FileManager.default.fileExists(atPath: fixture.folder.appendingPathComponent("reports").path))
            // A drill that could not begin is no good dry run.
            try FileManager.default.removeItem(at: fixture.snapshots)
            let broken = try await fixture.run(["run", fixture.drills.path, "--dry-run"])
            #expect(broken.code == 1 && broken.out.contains("hint: "), "\(broken.text)")
        }
    }

    @Test func filterAndShard() async throws {
        try await Fixture.with { fixture in
            // A lab has more, and some of them only on some machines.
            let kept = ["database-corruption", "point-in-time", "quick-look", "redis-aof"]
            for name in try FileManager.default.contentsOfDirectory(atPath: fixture.drills.path)
            where !kept.map({ "\($0).yaml" }).contains(name) {
                try FileManager.default.removeItem(at: fixture.drills.appendingPathComponent(name))
            }
            let all = try await names(fixture, [])
            #expect(all == kept)
            #expect(try await names(fixture, ["--filter", "^redis"]) == ["redis-aof"])
            #expect(try await names(fixture, ["--filter", "o"]) == all)
            for parts in 1...4 {
                var union: [String] = []
                for part in 1...parts { union += try await names(fixture, ["--shard", "\(part)/\(parts)"]) }
                #expect(union.sorted() == all, "\(parts) shards")
            }
            let filtered = try await names(fixture, ["--filter", "i|o", "--shard", "2/2"])
            #expect(filtered == ["point-in-time", "redis-aof"])
            // Nothing to do is nothing proven, and a mistake of whoever typed it.
            for words in [["--shard", "5/5"], ["--filter", "nothing-is-called-so"]] {
                for more in [[], ["--dry-run"]] {
                    let outcome = try await fixture.run(["run", fixture.drills.path] + words + more)
                    #expect(outcome.code == 64 && outcome.err.contains("hint: "), "\(words) \(outcome.text)")
                }
            }
        }
    }

    private func names(_ fixture: Fixture, _ words: [String]) async throws -> [String] {
        let outcome = try await fixture.run(["run", fixture.drills.path, "--dry-run"] + words)
        #expect(outcome.code == 0, "\(outcome.text)")
        return outcome.out.split(separator: "\n").filter { !$0.hasPrefix(" ") }.compactMap {
            $0.split(separator: " ").first.map(String.init)
        }.sorted()
    }

    /// Several drills make one run: one folder, one report, the worst verdict.
    @Test func aRunOfSeveral() async throws {
        try await Fixture.with { fixture in
            let good = try fixture.drillFile()
            let bad = try fixture.drillFile(more: "checks: {redis: [{keys: {database: 0, pattern: \"no-such:*\", at-least: 1}}]}")
            for (file, name) in [(good, "good"), (bad, "bad")] { try fixture.edit(file, "drill: own", "drill: \(name)") }
            let output = fixture.reports.appendingPathComponent("both")
            let outcome = try await fixture.run(["run", good.path, bad.path, "--output", output.path])
            #expect(outcome.code == 1)
            let run = try Fixture.runFolder(in: output)
            let report = try run.report()
            let drills = report.drills.sorted { $0.name > $1.name }
            #expect(drills.map(\.name) == ["good", "bad"])
            #expect(drills.map(\.verdict) == ["passed", "failed"])
            #expect(drills.last?.findings.contains { $0.rule == "keys-out-of-bounds" } == true)
            try await JUnitSchema.expectValid(run)
            #expect(outcome.out.contains(run.url.lastPathComponent))
        }
    }

    @Test func outputThatCannotBeWritten() async throws {
        try await Fixture.with { fixture in
            let file = fixture.folder.appendingPathComponent("file")
            try Data().write(to: file)
            let outcome = try await fixture.run(["run", try fixture.drillFile().path, "--output", file.path])
            #expect(outcome.code == 2 && outcome.err.contains("--output"), "\(outcome.text)")
        }
    }

    @Test func keepLeavesTheFolderForALook() async throws {
        try await Fixture.with { fixture in
            let (outcome, report) = try await fixture.drill(try fixture.drillFile("postgres"), ["--keep"])
            #expect(outcome.code == 0, "\(outcome.text)")
            let kept = try #require(report.drills.first?.fact("scratch.kept"))
            #expect(kept.hasPrefix(fixture.scratch.path + "/muster-") && outcome.out.contains(kept))
            #expect(FileManager.default.fileExists(atPath: kept))
            #expect(ProcessList.mentioning(fixture.scratch.path).isEmpty)
            // Cleaning, and the next run, pass over it.
            let passed = try await fixture.run(["clean"])
            #expect(passed.code == 0 && passed.out.contains("--kept"), "\(passed.text)")
            let (next, _) = try await fixture.drill(try fixture.drillFile())
            #expect(next.code == 0 && FileManager.default.fileExists(atPath: kept))
            let shown = try await fixture.run(["clean", "--kept", "--dry-run"])
            #expect(shown.out.contains(kept) && FileManager.default.fileExists(atPath: kept))
            // Nobody is there to be asked.
            let refused = try await fixture.run(["clean", "--kept"])
            #expect(refused.code == 64 && refused.out.contains("kept run-") && refused.err.contains("--yes"), "\(refused.text)")
            #expect(FileManager.default.fileExists(atPath: kept))
            let unknown = try await fixture.run(["clean", "--kept", "run-0"])
            #expect(unknown.code == 64 && unknown.err.contains(report.run.id), "\(unknown.text)")
            // What was kept from elsewhere is somebody else's, as long as it isn't named.
            let elsewhere = try Program.start(
                [Program.muster, "clean", "--kept", "--yes", "--scratch", fixture.scratch.path], folder: fixture.reports)
            let left = await elsewhere.outcome()
            #expect(left.code == 0 && left.out.contains("muster clean --kept \(report.run.id) removes it"), "\(left.text)")
            #expect(FileManager.default.fileExists(atPath: kept))
            let named = try Program.start(
                [Program.muster, "clean", "--kept", report.run.id, "--scratch", fixture.scratch.path], folder: fixture.reports)
            let removed = await named.outcome()
            #expect(removed.code == 0 && removed.out.contains("removed \(kept)"), "\(removed.text)")
            #expect(!FileManager.default.fileExists(atPath: kept))
        }
    }

    @Test func keptRunsOfThisFolderGoAtOnce() async throws {
        try await Fixture.with { fixture in
            let (_, report) = try await fixture.drill(try fixture.drillFile(), ["--keep"])
            let kept = try #require(report.drills.first?.fact("scratch.kept"))
            #expect(try await fixture.run(["clean", "--yes"]).code == 64)
            let removed = try await fixture.run(["clean", "--kept", "--yes"])
            #expect(removed.code == 0 && removed.out.contains("removed \(kept)"), "\(removed.text)")
        }
    }

    @Test func aPipeGetsPlainLines() async throws {
        try await Fixture.with { fixture in
            let file = try fixture.drillFile()
            let outcome = try await fixture.run(["run", file.path, "--output", "r"], environment: ["TERM": "xterm-256color"])
            #expect(outcome.code == 0)
            #expect(!outcome.text.contains("\u{1B}") && !outcome.text.contains("\r"))
            #expect(outcome.out.hasSuffix("\n"))
        }
    }

    /// On a terminal there is colour, unless NO_COLOR asks for none.
    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/script"), "script is missing: it lends the test a terminal"))
    func aTerminalGetsColour() async throws {
        try await Fixture.with { fixture in
            let file = try fixture.drillFile()
            let colour = /\e\[[0-9;]*m/
            for (environment, coloured) in [(["TERM": "xterm"], true), (["TERM": "xterm", "NO_COLOR": "1"], false)] {
                let words = "'\(Program.muster)' run '\(file.path)' --output r --scratch '\(fixture.scratch.path)'"
                let outcome = try await Program.run(
                    ["script", "-qec", words, "/dev/null"], environment: environment, folder: fixture.folder)
                #expect(outcome.code == 0, "\(outcome.text)")
                #expect(outcome.out.contains(colour) == coloured, "\(environment)")
            }
        }
    }

    /// `muster run | head -1`: the reader goes, the drill goes on to its end and its clean-up.
    @Test func aReaderThatGoesAway() async throws {
        try await Fixture.with { fixture in
            let file = try fixture.drillFile("postgres")
            let words = "'\(Program.muster)' run '\(file.path)' --output piped --scratch '\(fixture.scratch.path)'"
            let outcome = try await Program.run(
                ["bash", "-c", "\(words) | head -1; echo code=${PIPESTATUS[0]}"], folder: fixture.folder)
            #expect(outcome.out.contains("code=0"), "\(outcome.text)")
            let report = try Fixture.runFolder(in: fixture.folder.appendingPathComponent("piped")).report()
            #expect(report.run.verdict == "passed")
        }
    }
}
