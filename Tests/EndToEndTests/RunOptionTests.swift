// What narrows a run, and what its console leaves out; what nobody could read; hints that fit the command.

import Foundation
import TestPrograms
import Testing

struct RunOptionTests {
    /// A good drill and one that can't be green, by name.
    private func pair(_ fixture: Fixture) throws -> (folder: URL, red: URL) {
        let folder = fixture.drills.appendingPathComponent("pair", isDirectory: true)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let text = String(decoding: try Data(contentsOf: try fixture.drillFile(more: "targets: {rpo: 9000h}")), as: UTF8.self)
            .replacing("../estate.yaml", with: "../../estate.yaml")
        let red = folder.appendingPathComponent("a-red.yaml")
        try Data(text.replacing("drill: own", with: "drill: red").replacing("9000h", with: "1s").utf8).write(to: red)
        try Data(text.replacing("drill: own", with: "drill: green").utf8).write(to: folder.appendingPathComponent("b-green.yaml"))
        return (folder, red)
    }

    @Test func narrowing() async throws {
        try await Fixture.with { fixture in
            let (folder, red) = try pair(fixture)
            // Names alone, and no store is opened: there needs to be none.
            let away = fixture.folder.appendingPathComponent("away")
            try FileManager.default.moveItem(at: fixture.store, to: away)
            let list = try await fixture.run(["run", folder.path, "--list"])
            #expect(list.code == 0 && list.out == "red\ngreen\n", "\(list.text)")
            #expect(try await fixture.run(["run", folder.path, "--list", "--filter", "^g"]).out == "green\n")
            try FileManager.default.moveItem(at: away, to: fixture.store)

            let words = ["run", folder.path, "--output", "runs", "--quiet"]
            let none = try await fixture.run(words + ["--last-failed"])
            #expect(none.code == 64 && none.err.contains("no earlier run"), "\(none.text)")
            let fast = try await fixture.run(words + ["--fail-fast"])
            #expect(fast.code == 1 && fast.err.contains("not run: green"), "\(fast.text)")
            #expect(fast.out.contains("✗ FAILED  red in ") && !fast.out.contains("green") && fast.out.contains("rpo-missed"))
            let all = try await fixture.run(words)
            let lines = all.out.components(separatedBy: "\n")
            #expect(all.code == 1 && lines.contains { $0.hasPrefix("✓ PASSED  green in ") }, "\(all.text)")
            #expect(!all.out.contains("Steps") && !all.out.contains("Not proven"))
            let again = try await fixture.run(words + ["--last-failed"])
            #expect(again.code == 1 && again.out.contains("red in ") && !again.out.contains("green in "), "\(again.text)")
            // A run that is about to begin its first drill says nothing yet, nor does the same drill on another estate.
            let begun = fixture.folder.appendingPathComponent("runs/run-20990101T000000Z-ffff")
            try FileManager.default.createDirectory(at: begun, withIntermediateDirectories: true)
            try Data().write(to: begun.appendingPathComponent("events.jsonl"))
            let other = fixture.lab.appendingPathComponent("other.yaml")
            let elsewhere = try String(contentsOf: fixture.estate, encoding: .utf8).replacing("estate: domainscope", with: "estate: other")
            try Data((elsewhere + "\nsealed-as: [domainscope]\n").utf8).write(to: other)
            _ = try await fixture.run(words + ["--estate", other.path, "--filter", "red"])
            let still = try await fixture.run(words + ["--last-failed"])
            #expect(still.code == 1 && still.out.contains("red in "), "\(still.text)")
            // Mended, it is green, and then none is left.
            try fixture.edit(red, "1s", "9000h")
            #expect(try await fixture.run(words + ["--last-failed"]).code == 0)
            let settled = try await fixture.run(words + ["--last-failed"])
            #expect(settled.code == 64 && settled.err.contains("no drill was red in its last run"), "\(settled.text)")
        }
    }

    @Test func aDrillWithoutChecksIsToldByTheDryRun() async throws {
        try await Fixture.with { fixture in
            let file = try fixture.drillFile()
            #expect(try await fixture.run(["run", file.path, "--dry-run"]).code == 0, "a seal asks")
            try fixture.removeSeals(in: fixture.snapshots)
            let told = try await fixture.run(["run", file.path, "--dry-run"])
            #expect(told.code == 2 && told.out.contains("redis: no check is declared and no seal holds"), "\(told.text)")
            #expect(try await fixture.run(["run", file.path, "--output", "r"]).code == 2, "as the dry run says")
            let asked = try fixture.drillFile(more: "checks: {redis: [{keys: {pattern: \"*\", at-least: 1}}]}")
            #expect(try await fixture.run(["run", asked.path, "--dry-run"]).code == 0)
        }
    }

    /// A command whose words went nowhere has not told that all is well.
    @Test(arguments: [
        ["--help"], ["--version"], ["help", "run"], ["run", "FILE", "--list"], ["run", "FILE", "--dry-run"], ["run", "FILE"],
    ])
    func aFullDeviceIsNoSuccess(_ words: [String]) async throws {
        try await Fixture.with { fixture in
            let file = try fixture.drillFile().path
            let line = ([Program.muster] + words.map { $0 == "FILE" ? file : $0 }).map { "'\($0)'" }.joined(separator: " ")
            func end(_ target: String) async throws -> Outcome {
                try await Program.run(
                    ["sh", "-c", "\(line) \(target)"], environment: ["MUSTER_SCRATCH_ROOT": fixture.scratch.path], folder: fixture.folder)
            }
            let full = try await end("> /dev/full")
            #expect(full.code == 2 && full.err.contains("standard output can't be written"), "\(full.text)")
            #expect(try await end("> /dev/null").code == 0)
            // A reader that has enough is no fault.
            let closed = try await end("2>&1 | true; echo $?")
            #expect(closed.out.hasSuffix("0\n"))
        }
    }

    @Test func helpOfNoCommandIsWrongUsage() async throws {
        let outcome = try await Program.run([Program.muster, "help", "nosuch"])
        #expect(outcome.code == 64 && outcome.out.isEmpty, "\(outcome.text)")
    }

    /// A Postgres that doesn't come up: what `run` says of --keep, commands without it don't.
    @Test func aHintNamesNoOptionThatItsCommandLacks() async throws {
        try await Fixture.with { fixture in
            let bin = fixture.folder.appendingPathComponent("bin", isDirectory: true)
            try FileManager.default.createDirectory(at: bin, withIntermediateDirectories: true)
            for (name, text) in [
                ("postgres", "case $1 in --version|-V) echo 'postgres (PostgreSQL) 15.18';; *) exit 1;; esac"), ("initdb", "exit 3"),
            ] {
                try writeProgram("#!/bin/sh\n\(text)\n", to: bin.appendingPathComponent(name))
            }
            for folder in [fixture.folder, bin] {
                try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder.path)
            }
            let environment = ["MUSTER_PG_BIN": bin.path]
            let lab = try await fixture.run(
                ["lab", "create", fixture.folder.appendingPathComponent("lab2").path], environment: environment)
            #expect(lab.code == 2 && lab.err.contains("hint: ") && !lab.err.contains("--keep"), "\(lab.text)")
            let hooked = try fixture.drillFile(more: "hooks: {verify: {before: {run: [\"false\"]}}}")
            let drill = try await fixture.run(["run", hooked.path, "--output", "r"])
            #expect(drill.code == 2 && drill.out.contains("run again with --keep"), "\(drill.text)")
        }
    }

    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/xmllint"), "xmllint is missing: install libxml2-utils"))
    func theInspectionsFileHoldsToTheSchema() async throws {
        try await Fixture.with { fixture in
            let output = fixture.folder.appendingPathComponent("inspected", isDirectory: true)
            for more in [[], ["--deep"]] {
                _ = try await fixture.run(["inspect", fixture.estate.path, "--output", output.path] + more)
            }
            let drilled = try await fixture.run(["run", try fixture.drillFile("postgres").path, "--output", output.path])
            #expect(drilled.code == 0, "\(drilled.text)")
            let schema = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .appendingPathComponent("ReportsTests/Schema/junit.xsd").path
            let runs = try FileManager.default.contentsOfDirectory(atPath: output.path).filter { $0.hasPrefix("run-") }
            #expect(runs.count == 3)
            for run in runs {
                let file = output.appendingPathComponent("\(run)/junit.xml").path
                try await Program.require(["xmllint", "--noout", "--schema", schema, file])
                // As a CI server adds them up.
                let sum = try await Program.run([
                    "xmllint", "--xpath", "number(sum(//testcase/@time)) <= number(//testsuite/@time) + 0.1", file,
                ])
                #expect(sum.out.contains("true"), "\(run): \(sum.text)")
            }
        }
    }

    /// Each argument that takes a file or a folder completes the names of some.
    @Test func completionsKnowFiles() async throws {
        let outcome = try await Program.run([Program.muster, "--experimental-dump-help"])
        let root = try #require(try JSONSerialization.jsonObject(with: Data(outcome.out.utf8)) as? [String: Any])
        func lacking(_ command: [String: Any]) -> [String] {
            let own = (command["arguments"] as? [[String: Any]] ?? []).compactMap { argument -> String? in
                let value = argument["valueName"] as? String ?? ""
                let isPath = ["file", "folder", ".yaml"].contains { value.contains($0) }
                guard isPath, argument["kind"] as? String != "flag" else { return nil }
                return argument["completionKind"] == nil ? "\(command["commandName"] ?? "") \(value)" : nil
            }
            return own + (command["subcommands"] as? [[String: Any]] ?? []).flatMap(lacking)
        }
        #expect(lacking(try #require(root["command"] as? [String: Any])) == [])
        let bash = try await Program.run([Program.muster, "--generate-completion-script", "bash"])
        #expect(bash.out.contains("__muster_add_completions -f") && bash.out.contains("__muster_add_completions -d"))
    }
}
