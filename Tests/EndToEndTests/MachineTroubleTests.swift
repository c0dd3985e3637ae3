// This machine's trouble is an error and never a red backup: a full disk, a server that dies, a tool that is missing.

import Foundation
import Glibc
import Testing

struct MachineTroubleTests {
    static let canMount = Program.isRoot && (try? ProbeMount.works()) == true

    /// Too small for the backup's own figures; for initdb; and for the data, half-way through.
    @Test(
        .enabled(if: canMount, "a small disk needs root and a mount"),
        arguments: [("2m", true), ("20m", false), ("40m", false), ("41m", false)])
    func aFullDisk(size: String, sealed: Bool) async throws {
        try await Fixture.with { fixture in
            if !sealed { try fixture.removeSeals(in: fixture.dumps) }
            let disk = fixture.folder.appendingPathComponent("t")
            try FileManager.default.createDirectory(at: disk, withIntermediateDirectories: true)
            try await Program.require(["mount", "-t", "tmpfs", "-o", "size=\(size),mode=755", "tmpfs", disk.path])
            do {
                let drill = try await fixture.expect(
                    try fixture.drillFile("postgres", select: "latest-healthy"), code: 2, rule: ["scratch-disk-full"],
                    more: ["--scratch", disk.path])
                // The next older backup would not fit either, and is not to blame.
                #expect(drill.recoveryPoints.count == 1)
                #expect(!drill.cases.contains { $0.verdict == "failed" })
                #expect(try FileManager.default.contentsOfDirectory(atPath: disk.path).isEmpty)
                #expect(ProcessList.mentioning(disk.path).isEmpty)
            } catch {
                try await Program.require(["umount", "-l", disk.path])
                throw error
            }
            try await Program.require(["umount", disk.path])
        }
    }

    /// The server dies while it is filled: what the tools then complain of is not the backup's fault.
    @Test(arguments: ["postgres", "redis"])
    func aServerThatIsKilled(service: String) async throws {
        try await Fixture.with { fixture in
            let file = try fixture.drillFile(service, select: "latest-healthy")
            for attempt in 1...8 {
                let output = fixture.reports.appendingPathComponent("dead-\(attempt)")
                let running = try fixture.start(["run", file.path, "--output", output.path])
                let killed = try await kill(service, below: fixture.scratch.path, while: running)
                let outcome = await running.outcome()
                guard let killed, try !isLate(killed, try Fixture.runFolder(in: output, outcome)) else { continue }
                let drill = try #require(try Fixture.runFolder(in: output, outcome).report().drills.first)
                let seen = drill.findings.map { "\($0.rule): \($0.message)" }
                #expect(outcome.code == 2, "\(seen)")
                #expect(!drill.cases.contains { $0.verdict == "failed" }, "\(seen)")
                #expect(!drill.findings.contains { $0.rule == "step-broke" }, "\(seen)")
                #expect(drill.findings.contains { $0.severity == "critical" && !$0.hint.isEmpty }, "\(seen)")
                return
            }
            Issue.record("the server was never met in time")
        }
    }

    /// Dead when it is to be asked, and not when it was filled.
    @Test func aServerThatIsKilledBehindTheRestore() async throws {
        try await Fixture.with { fixture in
            let file = try fixture.drillFile("postgres", select: "latest-healthy")
            let command = fixture.lab.appendingPathComponent("kill.sh")
            let text = "#!/bin/sh\n\(ProcessList.killingPostgres(below: fixture.scratch.path))\n"
            try Data(text.utf8).write(to: command)
            try fixture.edit(file, "recover:", "hooks: {restore: {after: {run: [sh, \(command.path)]}}}\nrecover:")
            let drill = try await fixture.expect(file, code: 2, rule: ["scratch-server-failed"])
            #expect(drill.recoveryPoints.count == 1, "no other backup is tried")
            #expect(!drill.cases.contains { $0.verdict == "failed" })
        }
    }

    /// A drill that had its answers by then was not disturbed.
    private func isLate(_ killed: Date, _ run: RunFolder) throws -> Bool {
        let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        return try run.events().contains { event in
            guard let activity = event["activity"] as? [String: Any], activity["step"] as? String == "verify",
                let text = event["time"] as? String
            else { return false }
            return try Date(text, strategy: style) <= killed
        }
    }

    /// Kills the server as soon as it does its work.
    private func kill(_ service: String, below path: String, while running: Running) async throws -> Date? {
        let program = service == "redis" ? "redis-server" : "postgres"
        let deadline = ContinuousClock.now + .seconds(180)
        while ContinuousClock.now < deadline, Glibc.kill(running.pid, 0) == 0 {
            let seen = ProcessList.mentioning(path)
            // Before that nothing is in the server yet, and muster may simply start another; with -f it only reads the archive.
            let filling = seen.contains { $0.name == "pg_restore" && $0.arguments.contains(" -d ") && !$0.arguments.contains(" -f ") }
            if service == "redis" || filling {
                // A backend that was forked a moment ago looks like the server; only the server was started by the quarantine.
                for server in seen
                where server.name == program && !server.arguments.contains("--version")
                    && ProcessList.isServer(server.pid)
                {
                    return Glibc.kill(server.pid, SIGKILL) == 0 ? Date() : nil
                }
            }
            try await Task.sleep(for: .milliseconds(3))
        }
        return nil
    }

    @Test func noServerHere() async throws {
        try await Fixture.with { fixture in
            // A PATH with what a drill needs besides, and without a server.
            let bin = fixture.folder.appendingPathComponent("bin")
            try FileManager.default.createDirectory(at: bin, withIntermediateDirectories: true)
            for tool in ["env", "true", "setpriv", "unshare", "openssl", "tar"] {
                let found = try await Program.require(["which", tool]).out.trimmingCharacters(in: .newlines)
                try FileManager.default.createSymbolicLink(atPath: bin.appendingPathComponent(tool).path, withDestinationPath: found)
            }
            try await fixture.expect(
                try fixture.drillFile(select: "latest-healthy"), code: 2, rule: ["redis-missing"], environment: ["PATH": bin.path])
        }
    }

    /// Too deep for a Unix socket, or closed to the user without rights: said before anything is restored.
    @Test func aScratchFolderThatWillNotDo() async throws {
        try await Fixture.with { fixture in
            let file = try fixture.drillFile().path
            let deep = fixture.folder.appendingPathComponent(String(repeating: "deep-", count: 20)).path
            var folders = [deep, fixture.passphrase.path]
            if Program.isRoot { folders.append(fixture.lab.appendingPathComponent("keys/inside").path) }
            for folder in folders {
                let outcome = try await fixture.run(["run", file, "--scratch", folder, "--output", "r"])
                #expect(outcome.code == 2, "\(folder): \(outcome.text)")
                #expect(outcome.err.contains("hint: "), "\(folder): \(outcome.text)")
            }
        }
    }
}

enum ProbeMount {
    /// In a container even root may be refused.
    static func works() throws -> Bool {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("me2e-mount-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { rmdir(folder.path) }
        guard mount("tmpfs", folder.path, "tmpfs", 0, "size=1m") == 0 else { return false }
        return umount(folder.path) == 0
    }
}
