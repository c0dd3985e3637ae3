// `muster seal` on a living source, and a drill on what it made.

import Foundation
import Testing

/// One after another: they share the lab's source servers.
@Suite(.serialized)
struct SealCommandTests {
    /// What is said of a source whose release is known to damage what it has: the machine's own may be one.
    private static func isOfTheServersRelease(_ line: Substring) -> Bool {
        line.hasPrefix("muster: warning: ") && line.contains("index") || line.hasPrefix("hint: update the source")
    }

    @Test func aNewBackupOfEach() async throws {
        try await Fixture.with { fixture in
            try await LiveSource.shared.with { _ in
                for (service, backup) in [("postgres", "daily"), ("redis", "rdb")] {
                    let before = try fixture.newest(service)
                    let outcome = try await fixture.run(["seal", fixture.estate.path, "--service", service, "--backup", backup])
                    #expect(
                        outcome.code == 0 && outcome.err.split(separator: "\n").allSatisfy(Self.isOfTheServersRelease), "\(outcome.text)")
                    #expect(outcome.out.contains("truth: the source"))
                    let newest = try fixture.newest(service)
                    #expect(newest != before && FileManager.default.fileExists(atPath: fixture.seal(of: newest).path))
                }
                fixture.expectNothingLeft()
            }
            let file = fixture.drills.appendingPathComponent("database-corruption.yaml")
            let text = String(decoding: try Data(contentsOf: file), as: UTF8.self)
            let incident = try #require(text.split(separator: "\n").first { $0.hasPrefix("incident:") })
            try fixture.edit(file, String(incident), "incident: {at: now}")
            try fixture.edit(file, "profile: production", "profile: fast")
            let (outcome, report) = try await fixture.drill(file)
            let drill = try #require(report.drills.first)
            #expect(outcome.code == 0, "\(outcome.out)")
            #expect(drill.recoveryPoints.allSatisfy { $0.truth == "source" && $0.rejected == 0 })
            for service in ["postgres", "redis"] {
                let path = try #require(drill.recoveryPoints.first { $0.service == service }?.path)
                #expect(path.hasSuffix(try fixture.newest(service).lastPathComponent))
                #expect(!drill.cases(of: "content", service: service).isEmpty)
            }
            // The loss of a backup that was just taken is small.
            for rpo in drill.objectives?.rpo ?? [] { #expect((rpo.achieved ?? .infinity) < 300) }
        }
    }

    /// The truth is then the backup, and each drill says so.
    @Test(arguments: [("postgres", "daily"), ("redis", "rdb"), ("redis", "aof")])
    func aBackupThatWasAlreadyTaken(service: String, backup: String) async throws {
        try await Fixture.with { fixture in
            let folder =
                backup == "aof" ? fixture.store.appendingPathComponent("redis/aof") : service == "redis" ? fixture.snapshots : fixture.dumps
            try fixture.removeSeals(in: folder)
            let outcome = try await fixture.run([
                "seal", fixture.estate.path, "--service", service, "--backup", backup, "--existing", "latest",
            ])
            #expect(outcome.code == 0 && outcome.out.contains("truth: the backup itself"), "\(outcome.text)")
            let (drilled, report) = try await fixture.drill(try fixture.drillFile(service, from: backup))
            #expect(drilled.code == 0, "\(drilled.out)")
            let drill = try #require(report.drills.first)
            #expect(drill.recoveryPoints.first?.truth == "backup" && drill.recoveryPoints.first?.sealed == true)
            #expect(drill.unproven.contains { $0.contains("not from the source") }, "\(drill.unproven)")
            #expect(!drill.cases(of: "content", service: service).isEmpty)
            #expect(drill.cases(of: "content", service: service).allSatisfy { $0.verdict == "passed" })
            // It is a seal like any other: a later change is seen.
            if service == "redis", backup == "rdb" {
                try fixture.change(try fixture.newest("redis")) { $0[$0.count / 2] ^= 1 }
                try await fixture.expect(try fixture.drillFile(), code: 1, rule: ["artifact-digest-differs"])
            }
        }
    }

    @Test func whatCannotBeSealed() async throws {
        try await Fixture.with { fixture in
            // The lab's servers don't run: the source can't be reached, and no half backup may stay.
            for (service, backup) in [("postgres", "daily"), ("redis", "rdb")] {
                let before = try fixture.newest(service)
                let outcome = try await fixture.run(["seal", fixture.estate.path, "--service", service, "--backup", backup])
                #expect(outcome.code == 2 && outcome.err.contains("hint: "), "\(outcome.text)")
                #expect(try fixture.newest(service) == before)
                // It says that nobody is there, and where.
                #expect(
                    outcome.err.contains("/muster-lab-") && outcome.err.lowercased().contains("no such file or directory"),
                    "\(outcome.text)")
                #expect(!outcome.err.contains("SYNC"), "\(outcome.text)")
            }
            let estate = String(decoding: try Data(contentsOf: fixture.estate), as: UTF8.self)
            let elsewhere = fixture.lab.appendingPathComponent("elsewhere.yaml")
            try Data(estate.replacing(/host: [^,]*redis\.sock, password/, with: "host: 127.0.0.1, port: 1, password").utf8).write(
                to: elsewhere)
            let silent = try await fixture.run(["seal", elsewhere.path, "--service", "redis", "--backup", "rdb"])
            #expect(silent.code == 2 && silent.err.contains("no server answers for redis: "), "\(silent.text)")
            #expect(silent.err.contains("127.0.0.1:1: ") && !silent.err.contains("SYNC"), "\(silent.text)")
            let gone = try await fixture.run([
                "seal", fixture.estate.path, "--service", "redis", "--backup", "rdb", "--existing", "redis/rdb/no-such.enc",
            ])
            #expect(gone.code == 64 && gone.err.contains("no-such.enc"), "\(gone.text)")
            // A damaged backup is no truth.
            try fixture.removeSeals(in: fixture.snapshots)
            try fixture.change(try fixture.newest("redis")) { $0.removeLast($0.count / 2 + 3) }
            let damaged = try await fixture.run([
                "seal", fixture.estate.path, "--service", "redis", "--backup", "rdb", "--existing", "latest",
            ])
            #expect(damaged.code == 1 && damaged.err.contains("hint: "), "\(damaged.text)")
            #expect(!FileManager.default.fileExists(atPath: fixture.seal(of: try fixture.newest("redis")).path))
            // Without a key nothing is signed.
            try FileManager.default.removeItem(at: fixture.lab.appendingPathComponent("keys/seal.key"))
            let unsigned = try await fixture.run([
                "seal", fixture.estate.path, "--service", "redis", "--backup", "aof", "--existing", "latest",
            ])
            #expect(unsigned.code == 2 && unsigned.err.contains("hint: "), "\(unsigned.text)")
        }
    }

    /// It restores without a complaint, and there is nothing in it.
    @Test func aDatabaseOfNoTables() async throws {
        try await Fixture.with { fixture in
            let file = try fixture.addPlainBackup(to: "postgres", kind: "pg_dump").appendingPathComponent("empty.dump")
            try await LiveSource.shared.with { sockets in
                let server = ["-h", sockets, "-U", "postgres"]
                try await Program.require(["createdb"] + server + ["me2e_empty"])
                try await Program.require(["pg_dump"] + server + ["-Fc", "-f", file.path, "me2e_empty"])
                try await Program.require(["dropdb"] + server + ["me2e_empty"])
            }
            try await fixture.expect(try fixture.drillFile("postgres", from: "plain"), code: 1, rule: ["nothing-restored"])
        }
    }

    /// The password of the source is in no process' arguments, the key that signs and the passphrase in nothing at all.
    @Test func itsSecretsStaySecret() async throws {
        try await Fixture.with { fixture in
            let secrets = Sentinels()
            try Data("\(secrets.passphrase)\n".utf8).write(to: fixture.passphrase)
            try fixture.editEstate(
                "user: postgres}", "user: postgres, password: {env: ME2E_PASSWORD}}")
            try await LiveSource.shared.with { _ in
                let running = try fixture.start(
                    ["seal", fixture.estate.path, "--service", "postgres", "--backup", "daily"],
                    environment: ["ME2E_PASSWORD": secrets.password])
                let watch = Watch(for: secrets.all, of: running, below: fixture.folder.path)
                let outcome = await running.outcome()
                let seen = await watch.end()
                #expect(outcome.code == 0, "\(outcome.text)")
                #expect(seen.processes > 0)
                #expect(seen.inArguments.isEmpty, "\(seen.inArguments)")
                #expect(!seen.inEnvironments.contains { $0.contains(secrets.passphrase) })
                for secret in secrets.all { #expect(!outcome.text.contains(secret)) }
                // The artifact and its seal hold none of it either.
                let artifact = try fixture.newest("postgres")
                for file in [artifact, fixture.seal(of: artifact)] {
                    let bytes = try Data(contentsOf: file)
                    for secret in secrets.all { #expect(bytes.range(of: Data(secret.utf8)) == nil) }
                }
            }
        }
    }
}
