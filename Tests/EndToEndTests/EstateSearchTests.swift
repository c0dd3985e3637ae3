// Commands without an estate on their line: which one they take, how they say so, and when they refuse.

import Foundation
import Testing

struct EstateSearchTests {
    /// A working folder, a user's configuration and a machine's, all empty.
    private struct Places {
        let root: URL
        var work: URL { root.appendingPathComponent("work") }
        var home: URL { root.appendingPathComponent("home") }
        var own: URL { home.appendingPathComponent(".config/muster") }
        var machine: URL { root.appendingPathComponent("etc") }

        static func with(_ body: (Places) async throws -> Void) async throws {
            let root = FileManager.default.temporaryDirectory.appendingPathComponent("me2e-places-\(UUID().uuidString.prefix(8))")
            let places = Places(root: root.resolvingSymlinksInPath())
            defer { try? FileManager.default.removeItem(at: root) }
            for folder in [places.work, places.home] {
                try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            }
            try await body(places)
        }

        /// An estate that nobody is told of, so that `notify test` ends by naming its file.
        func write(_ folder: URL, drills: [String] = []) throws {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let estate = """
                version: 1
                estate: shop
                stores: {here: {type: file, path: backups}}
                services: {db: {engine: redis, backups: {daily: {kind: rdb, store: here, match: "*.rdb", encryption: none}}}}

                """
            try Data(estate.utf8).write(to: folder.appendingPathComponent("estate.yaml"))
            for drill in drills { try writeDrill(folder.appendingPathComponent(drill), of: "estate.yaml") }
        }

        func writeDrill(_ file: URL, of estate: String) throws {
            try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            let name = file.deletingPathExtension().lastPathComponent
            let text = "version: 1\ndrill: \(name)\nestate: \(estate)\nscenario: database-corruption\nrecover: {db: {from: daily}}\n"
            try Data(text.utf8).write(to: file)
        }

        func run(_ words: String..., behind prefix: [String] = [], environment: [String: String] = [:]) async throws -> Outcome {
            let own = ["HOME": home.path, "MUSTER_CONFIG_DIRS": machine.path]
            return try await Program.run(
                prefix + [Program.muster] + words, environment: own.merging(environment) { $1 }, folder: work)
        }

        /// The file that is taken.
        func taken(_ environment: [String: String] = [:]) async throws -> String? {
            let outcome = try await run("notify", "test", environment: environment)
            #expect(outcome.code == 64, "\(outcome.text)")
            let file = outcome.err.firstMatch(of: /muster: (\S+) names nobody to tell/).map { String($0.output.1) }
            // It is said of each but the one that everybody in this folder expects.
            if let file { #expect(outcome.err.contains("muster: estate \(file)\n") == (file != "drills/estate.yaml"), "\(outcome.err)") }
            return file
        }
    }

    /// What lies in a configuration's place was put there to be drilled: it is taken, or it is told.
    @Test func whatIsNearlyAnEstate() async throws {
        try await Places.with { places in
            try places.write(places.machine.appendingPathComponent("a"))
            try places.write(places.machine)
            let noted = try await places.run("notify", "test")
            #expect(noted.err.contains("note: \(places.machine.path)/a/estate.yaml is another estate"), "\(noted.err)")
            try FileManager.default.removeItem(at: places.machine)
            try places.write(places.machine)
            try FileManager.default.moveItem(
                at: places.machine.appendingPathComponent("estate.yaml"), to: places.machine.appendingPathComponent("shop.yml"))
            for words in ["doctor", "inspect"] {
                let outcome = try await places.run(words)
                #expect(outcome.code == 64 && outcome.err.contains("holds shop.yml and no estate.yaml"), "\(outcome.text)")
            }
        }
    }

    @Test func theFirstPlaceThatHoldsOne() async throws {
        try await Places.with { places in
            #expect(try await places.taken() == nil)
            try places.write(places.machine)
            #expect(try await places.taken() == "\(places.machine.path)/estate.yaml")
            // A folder without an estate is none of the places that hold one.
            try FileManager.default.createDirectory(at: places.own, withIntermediateDirectories: true)
            #expect(try await places.taken() == "\(places.machine.path)/estate.yaml")
            try places.write(places.own)
            #expect(try await places.taken() == "\(places.own.path)/estate.yaml")
            let other = places.root.appendingPathComponent("xdg")
            try places.write(other.appendingPathComponent("muster"))
            #expect(try await places.taken(["XDG_CONFIG_HOME": other.path]) == "\(other.path)/muster/estate.yaml")
            try places.write(places.work.appendingPathComponent("drills"))
            #expect(try await places.taken() == "drills/estate.yaml")
        }
    }

    /// Each command that takes an estate or drills, and says which.
    @Test func everyCommand() async throws {
        try await Places.with { places in
            let commands = [
                ["inspect", "--list"], ["run", "--dry-run"], ["report"], ["notify", "test"], ["init", "pipeline", "cron"],
                ["evidence", "verify"], ["sabotage"], ["seal", "--service", "db", "--backup", "daily"],
            ]
            func run(_ words: [String]) async throws -> Outcome {
                try await Program.run(
                    [Program.muster] + words, environment: ["HOME": places.home.path, "MUSTER_CONFIG_DIRS": places.machine.path],
                    folder: places.work)
            }
            for words in commands {
                let outcome = try await run(words)
                #expect(outcome.code == 64 && outcome.out == "", "\(words) \(outcome.text)")
                for part in ["drills is not there", places.own.path, "\(places.machine.path) is not there", "hint: ", "muster init"] {
                    #expect(outcome.err.contains(part), "\(words) \(outcome.err)")
                }
            }
            try places.write(places.machine, drills: ["one.yaml", "drills/two.yaml"])
            try places.writeDrill(places.machine.appendingPathComponent("drills/two.yaml"), of: "../estate.yaml")
            for words in commands {
                let outcome = try await run(words)
                #expect(outcome.err.contains("muster: estate \(places.machine.path)/estate.yaml\n"), "\(words) \(outcome.err)")
            }
            // Those of its own folder, and of the one beside: as muster inspect asks which of them are due.
            let shown = try await run(["run", "--dry-run"])
            #expect(shown.out.contains("\(places.machine.path)/one.yaml") && shown.out.contains("drills/two.yaml"), "\(shown.text)")
            // One is put to the proof at a time: none of two is left out in silence.
            let sabotage = try await run(["sabotage"])
            #expect(sabotage.code == 64 && sabotage.err.contains("one.yaml") && sabotage.err.contains("two.yaml"), "\(sabotage.text)")
            // Whose keys are trusted is said wherever it lies.
            try places.write(places.work.appendingPathComponent("drills"))
            let evidence = try await run(["evidence", "verify"])
            #expect(evidence.code == 64 && evidence.err.contains("muster: estate drills/estate.yaml\n"), "\(evidence.text)")
        }
    }

    /// The machine is looked at in any case, and the estate that is found with it.
    @Test func doctorNamesThePlaces() async throws {
        try await Places.with { places in
            let none = try await places.run("doctor")
            #expect(none.code != 64 && none.err == "", "\(none.text)")
            for part in ["no estate is named or found", "drills is not there", places.own.path, places.machine.path, "scratch folder"] {
                #expect(none.out.contains(part), "\(none.out)")
            }
            try places.write(places.machine)
            let found = try await places.run("doctor")
            #expect(found.out.contains("✓ estate: \(places.machine.path)/estate.yaml, looked for in drills, then "), "\(found.text)")
            #expect(found.code == 2 && found.out.contains("✗ store here: \(places.machine.path)/backups can't be read"), "\(found.text)")
            // Drills whose estate lies elsewhere, as the lab has them, don't say which one doctor is to look at.
            try places.writeDrill(places.work.appendingPathComponent("drills/one.yaml"), of: "../estate.yaml")
            let drills = try await places.run("doctor")
            #expect(drills.out.contains("drills holds drills and no estate.yaml") && !drills.out.contains("✗ store"), "\(drills.text)")
        }
    }

    @Test func severalInOnePlace() async throws {
        try await Places.with { places in
            try places.write(places.machine.appendingPathComponent("shop"))
            #expect(try await places.taken() == "\(places.machine.path)/shop/estate.yaml")
            try places.write(places.machine.appendingPathComponent("blog"))
            for command in ["inspect", "run", "doctor"] {
                let outcome = try await places.run(command)
                #expect(outcome.code == 64, "\(outcome.text)")
                #expect(outcome.err.contains("/blog/estate.yaml, ") && outcome.err.contains("/shop/estate.yaml"), "\(outcome.err)")
            }
            // One of the place's own is the one.
            try places.write(places.machine)
            #expect(try await places.taken() == "\(places.machine.path)/estate.yaml")
        }
    }

    /// Drills beside the working folder's estate, as in a lab: run as ever, and no command takes another estate than they name.
    @Test func drillsWithoutAnEstateBesideThem() async throws {
        try await Places.with { places in
            try places.write(places.machine, drills: ["elsewhere.yaml"])
            try places.write(places.work)
            try places.writeDrill(places.work.appendingPathComponent("drills/one.yaml"), of: "../estate.yaml")
            let shown = try await places.run("run", "--dry-run")
            #expect(shown.out.contains("drills/one.yaml") && !shown.out.contains("elsewhere") && !shown.err.contains("muster: estate"))
            let inspected = try await places.run("inspect")
            #expect(inspected.code == 64 && inspected.err.contains("drills holds drills and no estate.yaml"), "\(inspected.text)")
        }
    }

    /// What can't be read may be the estate: the next place's would be the wrong one. Somebody else's home is no place at all.
    @Test(.enabled(if: Program.isRoot && Program.canRun(behind: Program.asOther), "another user's id needs root"))
    func whatCannotBeRead() async throws {
        try await Places.with { places in
            let etc = places.root.appendingPathComponent("more")
            try places.write(etc)
            try places.write(places.machine)
            let two = ["MUSTER_CONFIG_DIRS": "\(places.machine.path):\(etc.path)"]
            for (item, mode) in [(places.machine, "700"), (places.machine.appendingPathComponent("estate.yaml"), "600")] {
                try await Program.require(["chmod", mode, item.path])
                for command in ["inspect", "run", "doctor"] {
                    let outcome = try await places.run(command, behind: Program.asOther, environment: two)
                    #expect(outcome.code == 64 && outcome.err.contains("can't be read"), "\(command) \(outcome.text)")
                    #expect(outcome.err.contains(places.machine.path) && outcome.err.contains("hint: "), "\(outcome.err)")
                }
                try await Program.require(["chmod", "755", item.path])
            }
            // A folder whose top can't be listed has no estate that could be passed over, and may have one below.
            try await Program.require(["chmod", "711", places.machine.path])
            let known = try await places.run("notify", "test", behind: Program.asOther)
            #expect(known.err.contains("muster: estate \(places.machine.path)/estate.yaml"), "\(known.err)")
            try FileManager.default.removeItem(at: places.machine.appendingPathComponent("estate.yaml"))
            let unknown = try await places.run("notify", "test", behind: Program.asOther, environment: two)
            #expect(unknown.code == 64 && unknown.err.contains("can't be read"), "\(unknown.err)")

            try FileManager.default.createDirectory(at: places.own, withIntermediateDirectories: true)
            try await Program.require(["chmod", "700", places.home.path])
            let other = try await places.run("notify", "test", behind: Program.asOther, environment: ["MUSTER_CONFIG_DIRS": etc.path])
            #expect(other.err.contains("muster: estate \(etc.path)/estate.yaml"), "\(other.err)")
            #expect(other.err.contains("note: \(places.own.path) lies where this user may not look"), "\(other.err)")
        }
    }

    /// A link that leads nowhere was meant to lead somewhere.
    @Test func aLinkThatLeadsNowhere() async throws {
        try await Places.with { places in
            try FileManager.default.createSymbolicLink(atPath: places.machine.path, withDestinationPath: "/nonexistent/muster")
            let folder = try await places.run("inspect")
            #expect(folder.code == 64 && folder.err.contains("\(places.machine.path): can't be read"), "\(folder.err)")
            try FileManager.default.removeItem(at: places.machine)
            try FileManager.default.createDirectory(at: places.machine, withIntermediateDirectories: true)
            let file = places.machine.appendingPathComponent("estate.yaml").path
            try FileManager.default.createSymbolicLink(atPath: file, withDestinationPath: "/nonexistent/estate.yaml")
            let estate = try await places.run("inspect")
            #expect(estate.code == 64 && estate.err.contains("\(file): "), "\(estate.err)")
        }
    }

    /// An installed estate in whole: keys and stores lie beside it, and what a run writes lies in the folder that it is started in.
    @Test func aDrillOfTheMachinesEstate() async throws {
        try await Fixture.with { fixture in
            let work = fixture.folder.appendingPathComponent("w")
            try FileManager.default.createDirectory(at: work, withIntermediateDirectories: true)
            let environment = [
                "MUSTER_CONFIG_DIRS": fixture.lab.path, "HOME": work.path, "MUSTER_SCRATCH_ROOT": fixture.scratch.path,
            ]
            let outcome = try await Program.run(
                [Program.muster, "run", "--filter", "^redis-aof$"], environment: environment, folder: work)
            #expect(outcome.code == 0 && outcome.err.contains("muster: estate \(fixture.estate.path)\n"), "\(outcome.text)")
            #expect(try Fixture.runFolder(in: work.appendingPathComponent("reports")).report().run.verdict == "passed")
        }
    }

    /// As a unit without WorkingDirectory= starts it: reports would go to the root.
    @Test(.enabled(if: Program.isRoot && Program.canRun(behind: Program.asOther), "another user's id needs root"))
    func aWorkingFolderThatNobodyChose() async throws {
        try await Places.with { places in
            try places.write(places.machine, drills: ["one.yaml"])
            for command in ["run", "inspect"] {
                let outcome = try await Program.run(
                    Program.asOther + [Program.muster, command], environment: ["HOME": "/", "MUSTER_CONFIG_DIRS": places.machine.path])
                #expect(outcome.code == 2, "\(outcome.text)")
                for part in ["/reports/run-", ": permission denied (/)", "the working folder, /", "--output"] {
                    #expect(outcome.err.contains(part), "\(part): \(outcome.err)")
                }
            }
        }
    }
}
