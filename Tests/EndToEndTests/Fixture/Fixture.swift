// One test's own copy of the lab, its own scratch folder and reports: what a test damages is nobody else's.

import Foundation
import Glibc
import Synchronization
import Testing

struct Fixture: Sendable {
    let folder: URL
    var lab: URL { folder.appendingPathComponent("lab", isDirectory: true) }
    var scratch: URL { folder.appendingPathComponent("s", isDirectory: true) }
    var reports: URL { folder.appendingPathComponent("r", isDirectory: true) }
    var estate: URL { lab.appendingPathComponent("estate.yaml") }
    var drills: URL { lab.appendingPathComponent("drills", isDirectory: true) }
    var store: URL { lab.appendingPathComponent("backups/primary", isDirectory: true) }
    var dumps: URL { store.appendingPathComponent("postgres/daily", isDirectory: true) }
    var sixHourly: URL { store.appendingPathComponent("postgres/six-hourly", isDirectory: true) }
    var snapshots: URL { store.appendingPathComponent("redis/rdb", isDirectory: true) }
    var application: URL { lab.appendingPathComponent("application/app.py") }
    var serverFailure: URL { drills.appendingPathComponent("server-failure.yaml") }
    /// The lab's drill of a lost zone: in a folder of its own, since most fixtures' estates don't outlive it.
    var outage: URL { lab.appendingPathComponent("outages/data-center-outage.yaml") }
    var passphrase: URL { lab.appendingPathComponent("keys/backup.key") }

    private static let count = Mutex(1000)

    /// Gives a body a fixture, sees that muster left nothing on it, and clears it away.
    static func with<Value: Sendable>(_ body: @Sendable (Fixture) async throws -> Value) async throws -> Value {
        let source = try await SharedLab.shared.folder()
        await ConcurrencyLimit.shared.enter()
        // All names have one length, so that none begins as another does.
        let number = count.withLock { count in
            count += 1
            return count
        }
        let fixture = Fixture(folder: Workspace.root.appendingPathComponent("d\(number)", isDirectory: true))
        do {
            for folder in [fixture.lab, fixture.scratch, fixture.reports] {
                try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            }
            let names = ["backups", "keys", "drills", "live", "app", "application", "estate.yaml"]
            // The drills of the running servers are there where git is.
            let parts = names.map { source.appendingPathComponent($0).path }.filter { FileManager.default.fileExists(atPath: $0) }
            // With times and modes.
            try await Program.require(["cp", "-a"] + parts + [fixture.lab.path])
            try fixture.useOneStore()
            try fixture.forgetLiveServers()
            let value = try await body(fixture)
            fixture.expectNothingLeft()
            try await fixture.clear()
            return value
        } catch {
            try await fixture.clear()
            throw error
        }
    }

    /// One without the lab, for a test that has servers of its own.
    static func bare(in folder: URL) throws -> Fixture {
        let fixture = Fixture(folder: folder)
        for folder in [fixture.drills, fixture.store, fixture.scratch, fixture.reports] {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        }
        return fixture
    }

    /// `seal.key` and `seal.pub`, beside the estate file.
    func makeSealingKey() async throws {
        let key = lab.appendingPathComponent("seal.key").path
        try await Program.require(["openssl", "genpkey", "-algorithm", "ed25519", "-out", key])
        try await Program.require(["chmod", "600", key])
        try await Program.require(["openssl", "pkey", "-in", key, "-pubout", "-out", lab.appendingPathComponent("seal.pub").path])
    }

    /// Other tests have those running: where they stand in a zone that a test loses, they would be seen to live.
    private func forgetLiveServers() throws {
        let text = try String(contentsOf: estate, encoding: .utf8)
        try Data(text.utf8).write(to: original)
        try write(text) { $0.replacing(/, zone: (?:ksdc|dr)\}$/, with: "}") }
    }

    /// With them again, as the lab has them.
    func useLiveServers() throws {
        let lines = try String(contentsOf: original, encoding: .utf8).components(separatedBy: "\n").filter(isServer)
        try write(try String(contentsOf: estate, encoding: .utf8)) { line in
            lines.first { $0.prefix { $0 != "}" }.hasPrefix(line.prefix { $0 != "}" }) } ?? line
        }
    }

    private var original: URL { folder.appendingPathComponent("estate.original") }

    private func isServer(_ line: String) -> Bool { line.contains(/^ +(?:source|standby|replica): \{/) }

    private func write(_ text: String, _ change: (String) -> String) throws {
        let lines = text.components(separatedBy: "\n").map { isServer($0) ? change($0) : $0 }
        try Data(lines.joined(separator: "\n").utf8).write(to: estate)
    }

    /// Without the copies in the second zone: a backup that a test damages must not be made good from there.
    private func useOneStore() throws {
        let text = try String(contentsOf: estate, encoding: .utf8)
        let single = text.replacing("stores: [primary, dr]", with: "stores: [primary]")
        try #require(single != text, "the lab's backups lie in two stores")
        try Data(single.utf8).write(to: estate)
        let drill = drills.appendingPathComponent(outage.lastPathComponent)
        // Where git is installed.
        guard FileManager.default.fileExists(atPath: drill.path) else { return }
        try FileManager.default.createDirectory(at: outage.deletingLastPathComponent(), withIntermediateDirectories: true)
        try FileManager.default.moveItem(at: drill, to: outage)
    }

    /// With them again.
    func useBothStores() throws { try editEstate("stores: [primary]", "stores: [primary, dr]") }

    func expectNothingLeft(_ location: SourceLocation = #_sourceLocation) {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: scratch.path)) ?? []
        #expect(files.isEmpty, sourceLocation: location)
        let processes = ProcessList.mentioning(scratch.path)
        #expect(processes.isEmpty, sourceLocation: location)
    }

    private func clear() async throws {
        for process in ProcessList.mentioning(folder.path + "/") { kill(process.pid, SIGKILL) }
        try? FileManager.default.removeItem(at: folder)
        await ConcurrencyLimit.shared.leave()
    }

    // MARK: Running

    func start(_ words: [String], environment: [String: String] = [:], patience: Duration = .seconds(600)) throws -> Running {
        try Program.start([Program.muster] + words, environment: environment.merging(own) { $1 }, folder: folder, patience: patience)
    }

    func run(_ words: [String], environment: [String: String] = [:]) async throws -> Outcome {
        try await start(words, environment: environment).outcome()
    }

    private var own: [String: String] { ["MUSTER_SCRATCH_ROOT": scratch.path] }

    /// Runs a drill and reads its report.
    func drill(_ file: URL, _ more: [String] = [], environment: [String: String] = [:]) async throws -> (Outcome, Report) {
        let output = reports.appendingPathComponent("o\(UUID().uuidString.prefix(8))", isDirectory: true)
        let outcome = try await run(["run", file.path, "--output", output.path] + more, environment: environment)
        return (outcome, try Self.runFolder(in: output, outcome).report())
    }

    /// The only run's folder below an output folder.
    static func runFolder(in output: URL, _ outcome: Outcome? = nil) throws -> RunFolder {
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: output.path)) ?? []).sorted()
        try #require(names.count == 1, "\(names) \(outcome?.text ?? "")")
        return RunFolder(url: output.appendingPathComponent(names[0], isDirectory: true))
    }

    /// Waits for a line of a running drill's events.jsonl.
    func wait(in output: URL, for words: String...) async throws {
        let deadline = ContinuousClock.now + .seconds(180)
        while ContinuousClock.now < deadline {
            for name in (try? FileManager.default.contentsOfDirectory(atPath: output.path)) ?? [] {
                let file = output.appendingPathComponent(name).appendingPathComponent("events.jsonl")
                let lines = String(decoding: (try? Data(contentsOf: file)) ?? Data(), as: UTF8.self).split(separator: "\n")
                if lines.contains(where: { line in words.allSatisfy { line.contains($0) } }) { return }
            }
            try await Task.sleep(for: .milliseconds(2))
        }
        Issue.record("the drill never came to \(words)")
    }

    // MARK: Writing

    /// A drill of one service, by default on the newest backup and without targets.
    func drillFile(
        _ service: String = "redis", from backup: String? = nil, select: String = "latest", profile: String = "fast", more: String = ""
    ) throws -> URL {
        let backup = backup ?? (service == "redis" ? "rdb" : "daily")
        let file = drills.appendingPathComponent("own-\(UUID().uuidString.prefix(6)).yaml")
        let text = """
            version: 1
            drill: own
            estate: ../estate.yaml
            scenario: database-corruption
            profile: \(profile)
            incident: {at: now}
            recover:
              \(service): {from: \(backup), select: \(select)}
            \(more)

            """
        try Data(text.utf8).write(to: file)
        return file
    }

    /// Changes the estate file; a change that doesn't take is the test's own defect.
    func editEstate(_ from: String, _ to: String) throws {
        try edit(estate, from, to)
    }

    func edit(_ file: URL, _ from: String, _ to: String) throws {
        let text = String(decoding: try Data(contentsOf: file), as: UTF8.self)
        try #require(text.contains(from), "\(file.lastPathComponent) holds no \(from)")
        try Data(text.replacingOccurrences(of: from, with: to).utf8).write(to: file)
    }

    /// The artifacts of a folder, newest first.
    func artifacts(in folder: URL) throws -> [URL] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path)
            .filter { $0.hasSuffix(".dump.enc") || $0.hasSuffix(".rdb.enc") }.sorted(by: >).map { folder.appendingPathComponent($0) }
    }

    func newest(_ service: String) throws -> URL {
        try #require(try artifacts(in: service == "redis" ? snapshots : dumps).first)
    }

    func seal(of artifact: URL) -> URL { URL(fileURLWithPath: artifact.path + ".seal.json") }

    func removeSeals(in folder: URL) throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) where name.hasSuffix(".seal.json") {
            try FileManager.default.removeItem(at: folder.appendingPathComponent(name))
        }
    }

    func change(_ file: URL, _ body: (inout [UInt8]) throws -> Void) throws {
        var bytes = Array(try Data(contentsOf: file))
        let before = bytes
        try body(&bytes)
        try #require(bytes != before)
        try Data(bytes).write(to: file)
    }

    /// By the tool that the format is named for.
    func decrypt(_ file: URL, to target: URL) async throws {
        try await Program.require([
            "openssl", "enc", "-d", "-aes-256-cbc", "-pbkdf2", "-in", file.path, "-out", target.path, "-pass", "file:\(passphrase.path)",
        ])
    }

    func encrypt(_ file: URL, to target: URL, passphrase: URL? = nil) async throws {
        try await Program.require([
            "openssl", "enc", "-aes-256-cbc", "-pbkdf2", "-salt", "-in", file.path, "-out", target.path, "-pass",
            "file:\((passphrase ?? self.passphrase).path)",
        ])
    }

    /// Declares one more backup set, in plain text, of whatever lies in `plain/` of the store.
    func addPlainBackup(to service: String, kind: String) throws -> URL {
        let anchor = service == "redis" ? "      rdb:\n        kind: rdb\n" : "      daily:\n        kind: pg_dump\n"
        try editEstate(anchor, "      plain: {kind: \(kind), stores: [primary], match: \"plain/*\", encryption: none}\n" + anchor)
        let folder = store.appendingPathComponent("plain", isDirectory: true)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder
    }
}

// MARK: Judging

extension Fixture {
    /// Runs a drill that must end red or in error, with one finding by which a person can act.
    @discardableResult
    func expect(
        _ file: URL, code: Int32, rule: [String], environment: [String: String] = [:], more: [String] = [],
        location: SourceLocation = #_sourceLocation
    ) async throws -> Report.Drill {
        let (outcome, report) = try await drill(file, more, environment: environment)
        let drill = try #require(report.drills.first, sourceLocation: location)
        let seen = drill.findings.map { "\($0.rule) \($0.severity) \($0.object): \($0.message)" }
        #expect(outcome.code == code, "\(seen) \(outcome.err)", sourceLocation: location)
        #expect(report.run.verdict == (code == 1 ? "failed" : code == 2 ? "error" : "passed"), sourceLocation: location)
        let found = drill.findings.first { rule.contains($0.rule) && $0.severity == "critical" }
        let finding = try #require(found, "expected \(rule), found \(seen)", sourceLocation: location)
        #expect(!finding.object.isEmpty && !finding.message.isEmpty && !finding.hint.isEmpty, sourceLocation: location)
        // What a person at a terminal sees is the same.
        #expect(outcome.out.contains(finding.rule) && outcome.out.contains("hint: "), sourceLocation: location)
        // A reason that muster doesn't know is never the answer to a thing that it should.
        #expect(!drill.findings.contains { $0.rule == "step-broke" }, "\(seen)", sourceLocation: location)
        #expect(!drill.cases(of: "objective").contains { $0.verdict == "passed" }, sourceLocation: location)
        expectNothingLeft(location)
        return drill
    }
}
