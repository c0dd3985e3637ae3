// Drills, inspections and the helpers on backups in format cms, age and gpg, with the real tools on both sides.

import Foundation
import TestPrograms
import Testing

/// One way to encrypt the lab's snapshot.
struct FormatCase: Sendable, CustomTestStringConvertible {
    var name: String
    var format: String
    /// Run where `plain` lies; leaves `right`, `wrong` and `own/snapshot.rdb.enc`.
    var script: String
    var isAuthenticated = true
    var testDescription: String { name }

    private static let pairs =
        "for n in right wrong; do openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=$n -days 9 -keyout $n -out $n.crt 2>/dev/null; done\n"
    private static let cms = "openssl cms -encrypt -binary -stream -outform DER -in plain -out own/snapshot.rdb.enc"

    static let all = [
        FormatCase(name: "cms gcm", format: "cms", script: pairs + cms + " -aes-256-gcm right.crt"),
        FormatCase(name: "cms cbc", format: "cms", script: pairs + cms + " -aes-256-cbc right.crt", isAuthenticated: false),
        FormatCase(
            name: "age", format: "age",
            script: """
                age-keygen -o right 2>/dev/null; age-keygen -o wrong 2>/dev/null
                age -r $(age-keygen -y right) -o own/snapshot.rdb.enc plain
                """),
        FormatCase(
            name: "gpg key", format: "gpg",
            script: """
                for n in wrong right; do
                export GNUPGHOME=/tmp/mge-$$-$n; mkdir -m 700 $GNUPGHOME
                gpg --batch --quiet --passphrase '' --quick-gen-key $n@example.org future-default default never 2>/dev/null
                gpg --batch --armor --export-secret-keys > $n 2>/dev/null
                [ $n = wrong ] || gpg --batch --quiet --trust-model always -e -r $n@example.org -o own/snapshot.rdb.enc plain
                gpgconf --kill all; rm -rf $GNUPGHOME
                done
                """),
        FormatCase(
            name: "gpg passphrase", format: "gpg",
            script: """
                export GNUPGHOME=/tmp/mge-$$; mkdir -m 700 $GNUPGHOME; echo "s3ntinel-phrase-$$-of-gpg" > right; echo no-such-phrase > wrong
                gpg --batch --quiet --pinentry-mode loopback --passphrase-file right -c -o own/snapshot.rdb.enc plain
                gpgconf --kill all; rm -rf $GNUPGHOME
                """),
    ]

    /// Makes the backup, its keys and an estate of its own.
    func make(on fixture: Fixture) async throws -> URL {
        let folder = fixture.folder.appendingPathComponent("f")
        try FileManager.default.createDirectory(at: folder.appendingPathComponent("own"), withIntermediateDirectories: true)
        try await fixture.decrypt(try fixture.newest("redis"), to: folder.appendingPathComponent("plain"))
        try await Program.require(["sh", "-ec", "cd '\(folder.path)'; umask 077\n" + script])
        let estate = """
            version: 1
            estate: formats
            stores: {own: {type: file, path: own}}
            keys: {own: {file: right}}
            services:
              redis:
                engine: redis
                backups:
                  own: {kind: rdb, store: own, match: "*.rdb.enc", encryption: {format: \(format), key: own}}

            """
        try Data(estate.utf8).write(to: folder.appendingPathComponent("estate.yaml"))
        let drill = """
            version: 1
            drill: own
            estate: estate.yaml
            scenario: database-corruption
            profile: fast
            recover: {redis: {from: own, select: latest}}
            checks: {redis: [{keys: {pattern: "*", at-least: 1}}]}

            """
        try Data(drill.utf8).write(to: folder.appendingPathComponent("drill.yaml"))
        return folder
    }
}

struct EncryptionFormatTests {
    /// 200 MB through it: what muster holds are a few chunks, and not the file. The bytes are no snapshot, so the drill is red.
    @Test(arguments: ["-stream", ""])
    func memoryStaysFlat(stream: String) async throws {
        try await Fixture.with { fixture in
            let folder = try await FormatCase.all[0].make(on: fixture)
            let command = "openssl cms -encrypt -binary \(stream) -outform DER -aes-256-gcm -out own/snapshot.rdb.enc -in large right.crt"
            try await Program.require(["sh", "-ec", "cd '\(folder.path)'; openssl rand -out large \(200 << 20); \(command); rm large"])
            let (outcome, report) = try await fixture.drill(folder.appendingPathComponent("drill.yaml"))
            #expect(outcome.code == 1, "\(outcome.text)")
            let drill = try #require(report.drills.first)
            let peak = try #require(drill.fact("muster.peak-memory-bytes").flatMap { Int($0) })
            #expect(peak < 150 << 20, "\(peak)")
        }
    }

    @Test(arguments: FormatCase.all)
    func aDrillIsGreenWithTheKeyAndRedWithoutIt(format: FormatCase) async throws {
        try await Fixture.with { fixture in
            let folder = try await format.make(on: fixture)
            let drill = folder.appendingPathComponent("drill.yaml")
            let (good, report) = try await fixture.drill(drill)
            #expect(good.code == 0, "\(good.text)")
            let warned = report.drills.first?.findings.filter { $0.rule == "encryption-unauthenticated" } ?? []
            #expect(warned.map(\.severity) == (format.isAuthenticated ? [] : ["warning"]))
            fixture.expectNothingLeft()

            let artifact = folder.appendingPathComponent("own/snapshot.rdb.enc")
            let whole = try Data(contentsOf: artifact)
            try fixture.change(artifact) { $0[$0.count / 2] ^= 1 }
            if format.isAuthenticated {
                try await fixture.expect(drill, code: 1, rule: ["decryption-failed"])
            } else {
                // The snapshot's own checksum sees it here; nothing of the encryption does.
                let (changed, _) = try await fixture.drill(drill)
                #expect(changed.code == 1, "\(changed.text)")
            }
            try whole.write(to: artifact)

            try fixture.edit(folder.appendingPathComponent("estate.yaml"), "{file: right}", "{file: wrong}")
            try await fixture.expect(drill, code: 1, rule: ["decryption-failed"])
            try Data("no key at all\nof any kind\n".utf8).write(to: folder.appendingPathComponent("wrong"))
            try await fixture.expect(drill, code: 2, rule: ["key-unusable"])
        }
    }

    @Test(arguments: FormatCase.all)
    func inspectDoctorAndInitKnowIt(format: FormatCase) async throws {
        try await Fixture.with { fixture in
            let folder = try await format.make(on: fixture)
            let estate = folder.appendingPathComponent("estate.yaml")
            let looked = try await fixture.run(["inspect", estate.path, "--deep", "--output", fixture.reports.path])
            #expect(looked.code == 0, "\(looked.text)")
            let count = looked.out.components(separatedBy: "encryption-unauthenticated").count - 1
            #expect(count == (format.isAuthenticated ? 0 : 1), "\(looked.out)")
            let list = try await fixture.run(["inspect", estate.path, "--list", "--format", "json"])
            #expect(list.out.contains("\"encryption\" : \"\(format.format)\""), "\(list.text)")
            let doctor = try await fixture.run(["doctor", estate.path])
            if format.format != "cms" { #expect(doctor.out.contains("✓ \(format.format)"), "\(doctor.text)") }
            let drafts = folder.appendingPathComponent("drafts")
            let made = try await fixture.run(["init", folder.appendingPathComponent("own").path, "--output", drafts.path])
            #expect(made.code == 0, "\(made.text)")
            let draft = String(decoding: try Data(contentsOf: drafts.appendingPathComponent("estate.yaml")), as: UTF8.self)
            #expect(draft.contains("encryption: {format: \(format.format), key: backup}"), "\(draft)")
            // Plain text under the format's name doesn't pass as encrypted.
            let artifact = folder.appendingPathComponent("own/snapshot.rdb.enc")
            try Data(contentsOf: folder.appendingPathComponent("plain")).write(to: artifact)
            let plain = try await fixture.run(["inspect", estate.path, "--output", fixture.reports.path])
            #expect(plain.code == 1 && plain.out.contains("artifact-not-encrypted"), "\(plain.text)")
            let sealing = try await fixture.run(["seal", estate.path, "--service", "redis", "--backup", "own"])
            #expect(sealing.code == 64 && sealing.err.contains("of format openssl only"), "\(sealing.text)")
        }
    }

    /// A dump with its roles, and a set of append-only files: every file of a backup travels alike.
    @Test func dumpsWithGlobalsAndAppendOnlySets() async throws {
        try await Fixture.with { fixture in
            let folder = fixture.folder.appendingPathComponent("g")
            try FileManager.default.createDirectory(at: folder.appendingPathComponent("own"), withIntermediateDirectories: true)
            let dump = try fixture.newest("postgres")
            let globals = URL(fileURLWithPath: dump.path.replacing(".dump.enc", with: ".globals.sql.enc"))
            try await fixture.decrypt(dump, to: folder.appendingPathComponent("d"))
            try await fixture.decrypt(globals, to: folder.appendingPathComponent("s"))
            let sets = fixture.store.appendingPathComponent("redis/aof")
            let set = try #require(
                try FileManager.default.contentsOfDirectory(atPath: sets.path).filter { $0.hasSuffix(".tar.enc") }.max())
            try await fixture.decrypt(sets.appendingPathComponent(set), to: folder.appendingPathComponent("a"))
            try await Program.require([
                "sh", "-ec",
                """
                cd '\(folder.path)'; umask 077
                age-keygen -o id 2>/dev/null; R=$(age-keygen -y id)
                age -r $R -o own/shop-1.dump.age d; age -r $R -o own/shop-1.globals.sql.age s
                openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=x -days 9 -keyout key -out crt 2>/dev/null
                for f in 'd own/shop-2.dump.cms' 's own/shop-2.globals.sql.cms' 'a own/set.tar.cms'; do
                set -- $f; openssl cms -encrypt -binary -stream -outform DER -aes-256-gcm -in $1 -out $2 crt; done
                touch -d '2020-01-01' own/shop-2.dump.cms
                """,
            ])
            try Data(
                """
                version: 1
                estate: formats
                stores: {own: {type: file, path: own}}
                keys: {age: {file: id}, cms: {file: key}}
                services:
                  postgres:
                    engine: postgres
                    backups:
                      age: {kind: pg_dump, store: own, match: "*.dump.age", globals: "*.globals.sql.age", encryption: {format: age, key: age}}
                      cms: {kind: pg_dump, store: own, match: "*.dump.cms", globals: "*.globals.sql.cms", encryption: {format: cms, key: cms}}
                  redis:
                    engine: redis
                    backups:
                      aof: {kind: aof, store: own, match: "*.tar.cms", encryption: {format: cms, key: cms}}

                """.utf8
            ).write(to: folder.appendingPathComponent("estate.yaml"))
            for from in ["age", "cms"] {
                let drill = folder.appendingPathComponent("drill.yaml")
                try Data(
                    """
                    version: 1
                    drill: own
                    estate: estate.yaml
                    scenario: database-corruption
                    profile: fast
                    recover: {postgres: {from: \(from), select: latest}, redis: {from: aof, select: latest}}
                    checks:
                      postgres: [{sql: {name: tables, query: "select count(*) from pg_tables", expect: "> 0"}}]
                      redis: [{keys: {pattern: "*", at-least: 1}}]

                    """.utf8
                ).write(to: drill)
                let (outcome, report) = try await fixture.drill(drill)
                #expect(outcome.code == 0, "\(outcome.text)")
                let cases = try #require(report.drills.first).cases
                #expect(!cases.contains { $0.name == "the globals file is there" && $0.verdict != "passed" })
                // A CMS envelope's head is opened for the dump's own time; age would take a run of its program for each.
                let guessed = report.drills.flatMap(\.findings).filter { $0.rule == "time-is-mtime" && $0.object.contains("dump") }
                #expect(guessed.isEmpty == (from == "cms"), "\(guessed)")
                fixture.expectNothingLeft()
            }
        }
    }

    /// On no command line, in no environment, in no report.
    @Test(arguments: FormatCase.all)
    func theKeyIsNowhereToBeSeen(format: FormatCase) async throws {
        try await Fixture.with { fixture in
            let folder = try await format.make(on: fixture)
            let key = String(decoding: try Data(contentsOf: folder.appendingPathComponent("right")), as: UTF8.self)
            // The longest line is of the secret itself, whatever stands around it.
            let line = try #require(
                key.split(separator: "\n").filter { !$0.hasPrefix("#") && !$0.hasPrefix("-") }.max { $0.count < $1.count })
            let words = [String(line)]
            // Programs that live long enough to be looked at, whatever else the machine does.
            let bin = fixture.folder.appendingPathComponent("slow")
            try FileManager.default.createDirectory(at: bin, withIntermediateDirectories: true)
            for program in ["age", "gpg", "redis-server"] {
                try writeProgram(
                    "#!/bin/sh\nsleep 0.3\nPATH=${PATH#*:}\nexec \(program) \"$@\"\n", to: bin.appendingPathComponent(program))
            }
            let path = "\(bin.path):\(ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin")"
            for round in 1...6 {
                let output = fixture.reports.appendingPathComponent("watched-\(round)")
                let running = try fixture.start(
                    ["run", folder.appendingPathComponent("drill.yaml").path, "--output", output.path], environment: ["PATH": path])
                let watch = Watch(for: words, of: running, below: fixture.scratch.path)
                let outcome = await running.outcome()
                let seen = await watch.end()
                #expect(outcome.code == 0, "\(outcome.text)")
                #expect(seen.inArguments.isEmpty && seen.inEnvironments.isEmpty, "\(seen)")
                let run = try Fixture.runFolder(in: output, outcome)
                let files = try FileManager.default.contentsOfDirectory(atPath: run.url.path)
                for text in try files.map({ try run.text($0) }) + [outcome.out, outcome.err] {
                    #expect(!text.contains(words[0]))
                }
                if seen.processes > 0 { break }
                #expect(round < 6, "nothing was looked at")
            }
        }
    }

    /// A machine without the program can't tell: an error that names the package, and never a bad backup.
    @Test(arguments: [("age", "age"), ("gpg", "gnupg")])
    func aMissingProgramIsTheMachinesFault(program: String, package: String) async throws {
        try await Fixture.with { fixture in
            let format = try #require(FormatCase.all.first { $0.format == program })
            let folder = try await format.make(on: fixture)
            // Every program but that one.
            let bin = fixture.folder.appendingPathComponent("bin")
            try await Program.require([
                "sh", "-c",
                "mkdir '\(bin.path)'; for d in $(echo $PATH | tr : ' '); do ln -s $d/* '\(bin.path)/' 2>/dev/null; done; rm '\(bin.path)/\(program)'",
            ])
            let drill = try await fixture.expect(
                folder.appendingPathComponent("drill.yaml"), code: 2, rule: ["program-missing"], environment: ["PATH": bin.path])
            #expect(drill.findings.contains { $0.hint.contains("apt-get install \(package)") })
            let doctor = try await fixture.run(
                ["doctor", folder.appendingPathComponent("estate.yaml").path], environment: ["PATH": bin.path])
            #expect(
                doctor.code == 2 && doctor.out.contains("✗ \(program)") && doctor.out.contains("apt-get install \(package)"),
                "\(doctor.text)")
        }
    }
}
