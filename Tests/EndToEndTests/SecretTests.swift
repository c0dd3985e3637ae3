// Passphrases and row values: in no argument, no child's environment, no report, no message, and in no core file.

import Foundation
import Glibc
import Testing

/// Words that occur nowhere by themselves.
struct Sentinels: Sendable {
    let passphrase = "s3ntinel-passphrase-\(UInt64.random(in: .min ... .max))"
    let password = "s3ntinel-password-\(UInt64.random(in: .min ... .max))"
    let row = "s3ntinel-row-\(UInt64.random(in: .min ... .max))"
    var all: [String] { [passphrase, password, row] }
}

/// Looks again and again at all processes while a program runs.
struct Watch: Sendable {
    struct Seen: Sendable {
        var processes = 0
        var inArguments: Set<String> = []
        var inEnvironments: Set<String> = []
    }
    private let task: Task<Seen, Never>

    /// - Parameter running: Its own environment may hold what was given to it there; nobody else's may.
    init(for words: [String], of running: Running, below path: String) {
        task = Task.detached {
            var seen = Seen()
            let own = ProcessList.read("/proc/\(running.pid)/cmdline")
            while !Task.isCancelled {
                for process in ProcessList.all() {
                    for word in words where process.arguments.contains(word) { seen.inArguments.insert("\(process.name) \(word)") }
                    // A child that was forked and has not yet become its program is still a picture of its parent.
                    guard process.pid != running.pid, process.arguments != own, !process.arguments.contains("\(Program.muster) run") else {
                        continue
                    }
                    if process.environment.contains(path) || process.folder.hasPrefix(path) { seen.processes += 1 }
                    for word in words where process.environment.contains(word) { seen.inEnvironments.insert("\(process.name) \(word)") }
                }
                try? await Task.sleep(for: .milliseconds(4))
            }
            return seen
        }
    }

    func end() async -> Seen {
        task.cancel()
        return await task.value
    }
}

struct SecretTests {
    enum Source: String, CaseIterable, Sendable { case file, environment, command }

    /// A good and a bad drill with each way to name a key.
    @Test(arguments: Source.allCases)
    func aPassphrase(source: Source) async throws {
        try await Fixture.with { fixture in
            let secrets = Sentinels()
            let plain = fixture.folder.appendingPathComponent("plain.rdb")
            let newest = try fixture.newest("redis")
            try await fixture.decrypt(newest, to: plain)
            try Data("\(secrets.passphrase)\n".utf8).write(to: fixture.passphrase)
            try await fixture.encrypt(plain, to: newest)
            try fixture.removeSeals(in: fixture.snapshots)
            var environment: [String: String] = [:]
            switch source {
            case .file: break
            case .environment:
                environment["ME2E_KEY"] = secrets.passphrase
                try fixture.editEstate("backup: {file: keys/backup.key}", "backup: {env: ME2E_KEY}")
            case .command:
                // It lives long enough to be looked at, and has no business with the other secret.
                environment["ME2E_OTHER"] = secrets.password
                try fixture.editEstate(
                    "backup: {file: keys/backup.key}",
                    "backup: {command: [sh, -c, \"sleep 0.1; cat '\(fixture.passphrase.path)'\"]}\n  other: {env: ME2E_OTHER}")
            }
            // Without a seal only a question of its own can make it green.
            let drill = try fixture.drillFile(more: "checks: {redis: [{keys: {pattern: \"*\", at-least: 1}}]}")
            for damaged in [false, true] {
                if damaged { try fixture.change(newest) { $0[$0.count / 2] ^= 1 } }
                // A server that lives for a tenth of a second may pass between two looks: then once more.
                for round in 1...6 {
                    let output = fixture.reports.appendingPathComponent("watched-\(damaged)-\(round)")
                    let running = try fixture.start(["run", drill.path, "--output", output.path], environment: environment)
                    let watch = Watch(for: secrets.all, of: running, below: fixture.scratch.path)
                    let outcome = await running.outcome()
                    let seen = await watch.end()
                    #expect(outcome.code == (damaged ? 1 : 0), "\(outcome.text)")
                    #expect(seen.inArguments.isEmpty && seen.inEnvironments.isEmpty, "\(seen)")
                    try expectSilence(of: secrets, outcome, in: output)
                    if damaged || seen.processes > 0 { break }
                    #expect(round < 6, "nothing was looked at")
                }
            }
        }
    }

    private func expectSilence(of secrets: Sentinels, _ outcome: Outcome, in output: URL, location: SourceLocation = #_sourceLocation)
        throws
    {
        let run = try Fixture.runFolder(in: output, outcome)
        let files = try FileManager.default.contentsOfDirectory(atPath: run.url.path)
        #expect(files.count >= 3, sourceLocation: location)
        for text in try files.map({ try run.text($0) }) + [outcome.out, outcome.err] {
            for secret in secrets.all { #expect(!text.contains(secret), sourceLocation: location) }
        }
    }

    /// The compliance report repeats findings of the runs: none of its files may hold more than they did.
    private func expectSilentReport(of secrets: Sentinels, _ fixture: Fixture, _ output: URL) async throws {
        let folder = fixture.folder.appendingPathComponent("compliance")
        let outcome = try await fixture.run(["report", fixture.estate.path, "--output", output.path, "--into", folder.path])
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(files.count == 8, "\(outcome.text)")
        let texts = try files.map { try String(contentsOf: folder.appendingPathComponent($0), encoding: .utf8) }
        #expect(texts.contains { $0.contains("not-restored") || $0.contains("restore") }, "the red run is told of")
        for text in texts + [outcome.text] {
            for secret in secrets.all { #expect(!text.contains(secret)) }
        }
    }

    /// Postgres repeats row values in its complaints: what it says must not reach a report.
    @Test(arguments: ["duplicate", "type", "check", "syntax"])
    func aRowValueInAComplaint(kind: String) async throws {
        try await Fixture.with { fixture in
            let secrets = Sentinels()
            let rows =
                switch kind {
                case "duplicate": "\(secrets.row)\t1\n\(secrets.row)\t2"
                case "type": "a\t\(secrets.row)"
                case "check": "\(secrets.row)\t-5"
                default: "\(secrets.row)\t1\t\(secrets.row)"
                }
            let dump = """
                --
                -- PostgreSQL database dump
                --

                -- Dumped from database version 15.1
                -- Dumped by pg_dump version 15.1

                SET client_encoding = 'UTF8';
                SET standard_conforming_strings = on;
                CREATE TABLE public.notes (name text NOT NULL, size integer, CONSTRAINT positive CHECK ((size > 0)));
                COPY public.notes (name, size) FROM stdin;
                \(rows)
                \\.
                ALTER TABLE ONLY public.notes ADD CONSTRAINT notes_pkey PRIMARY KEY (name);

                --
                -- PostgreSQL database dump complete
                --

                """
            let file = try fixture.addPlainBackup(to: "postgres", kind: "pg_dump").appendingPathComponent("notes.sql")
            try Data(dump.utf8).write(to: file)
            let output = fixture.reports.appendingPathComponent("watched")
            let running = try fixture.start(["run", try fixture.drillFile("postgres", from: "plain").path, "--output", output.path])
            let watch = Watch(for: secrets.all, of: running, below: fixture.scratch.path)
            let outcome = await running.outcome()
            let seen = await watch.end()
            #expect(outcome.code == 1, "\(outcome.text)")
            #expect(seen.inArguments.isEmpty && seen.inEnvironments.isEmpty, "\(seen)")
            try expectSilence(of: secrets, outcome, in: output)
            try await expectSilentReport(of: secrets, fixture, output)
        }
    }

    /// Of a good drill, with the value in a table, and of a declared question that fails on it.
    @Test func aRowValueInAQuestion() async throws {
        try await Fixture.with { fixture in
            let secrets = Sentinels()
            let dump = """
                --
                -- PostgreSQL database dump
                --

                -- Dumped from database version 15.1
                -- Dumped by pg_dump version 15.1

                CREATE TABLE public.notes (name text NOT NULL);
                COPY public.notes (name) FROM stdin;
                \(secrets.row)
                \\.

                --
                -- PostgreSQL database dump complete
                --

                """
            let file = try fixture.addPlainBackup(to: "postgres", kind: "pg_dump").appendingPathComponent("notes.sql")
            try Data(dump.utf8).write(to: file)
            for (query, expectation, code) in [
                ("select count(*) from public.notes", "= 1", 0), ("select name from public.notes", "= nobody", 1),
                ("select name::integer from public.notes", "> 0", 2),
            ] {
                let drill = try fixture.drillFile(
                    "postgres", from: "plain",
                    more: "checks: {postgres: [{sql: {name: asked, query: \"\(query)\", expect: \"\(expectation)\"}}]}")
                let output = fixture.reports.appendingPathComponent("asked-\(code)")
                let outcome = try await fixture.run(["run", drill.path, "--output", output.path])
                #expect(outcome.code == code, "\(query): \(outcome.text)")
                try expectSilence(of: secrets, outcome, in: output)
            }
        }
    }

    /// No core file of a process that holds keys, and no look into its memory for other users of the machine.
    @Test func noCoreAndNoLookInside() async throws {
        try await Fixture.with { fixture in
            let secrets = Sentinels()
            try fixture.editEstate(
                "backup: {file: keys/backup.key}", "backup: {command: [sh, -c, \"sleep 1; cat '\(fixture.passphrase.path)'\"]}")
            // As an ordinary user: of root's processes others see nothing anyway.
            let asOther = Program.isRoot ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"] : []
            if Program.isRoot { try await Program.require(["chown", "-R", "65534:65534", fixture.folder.path]) }
            let running = try Program.start(
                asOther + [Program.muster, "run", try fixture.drillFile().path, "--output", "r", "--scratch", fixture.scratch.path],
                environment: ["ME2E_SECRET": secrets.password], folder: fixture.folder)
            try await fixture.wait(in: fixture.reports, for: "\"step-started\"", "\"identify\"")
            let limits = try #require(ProcessList.read("/proc/\(running.pid)/limits"))
            let core = try #require(limits.split(separator: "\n").first { $0.hasPrefix("Max core file size") })
            #expect(core.split(separator: " ").dropFirst(4).prefix(2) == ["0", "0"], "\(core)")
            // The kernel gives the files of a process that may not be dumped to root.
            for name in ["mem", "environ", "maps"] {
                let path = "/proc/\(running.pid)/\(name)"
                var info = stat()
                #expect(stat(path, &info) == 0 && info.st_uid == 0, "\(name)")
                if name == "mem" { continue }
                let looked = try await Program.run(asOther + ["cat", path])
                #expect(looked.code != 0 && !looked.out.contains(secrets.password), "\(name)")
            }
            let outcome = await running.outcome()
            #expect(outcome.code == 0 || outcome.code == 2, "\(outcome.text)")
        }
    }
}
