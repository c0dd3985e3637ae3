// Configuration and code, end to end: the recovery set is green; each way of spoiling one is red, and no value ever shows.

import Foundation
import Testing

@Suite(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/git"), "needs git"))
struct FileBackupDrillTests {
    private func configurations(_ fixture: Fixture) -> URL { fixture.store.appendingPathComponent("configuration", isDirectory: true) }
    private func bundles(_ fixture: Fixture) -> URL { fixture.store.appendingPathComponent("code", isDirectory: true) }
    private func live(_ fixture: Fixture) -> URL { fixture.lab.appendingPathComponent("app/.env") }
    private func revision(_ fixture: Fixture) -> URL { fixture.lab.appendingPathComponent("app/REVISION") }

    private func newest(in folder: URL) throws -> URL {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        return folder.appendingPathComponent(try #require(names.last))
    }

    private func text(_ file: URL) throws -> String { String(decoding: try Data(contentsOf: file), as: UTF8.self) }

    /// Puts another text in place of the newest backup, under the lab's key.
    private func replaceConfiguration(_ fixture: Fixture, with text: String) async throws {
        let plain = fixture.folder.appendingPathComponent("plain.env")
        try Data(text.utf8).write(to: plain)
        try await fixture.encrypt(plain, to: try newest(in: configurations(fixture)))
    }

    /// Whatever time of the day it is, last night's backup by itself is older than the target allows.
    private func drill(_ fixture: Fixture, _ service: String) throws -> URL {
        try fixture.drillFile(service, from: service == "code" ? "bundle" : "env", select: "latest", more: "targets: {rpo: 1s}")
    }

    @Test func theRecoverySetIsGreen() async throws {
        try await Fixture.with { fixture in
            let (outcome, report) = try await fixture.drill(fixture.drills.appendingPathComponent("recovery-set.yaml"))
            #expect(outcome.code == 0, "\(outcome.text)")
            let drill = try #require(report.drills.first)
            #expect(drill.verdict == "passed")
            for name in ["the required keys are there", "it is what production runs with"] {
                #expect(drill.cases.contains { $0.service == "configuration" && $0.name == name && $0.verdict == "passed" }, "\(name)")
            }
            for name in ["git fsck finds every object whole", "it holds the commit that production runs", "it can be checked out"] {
                #expect(drill.cases.contains { $0.service == "code" && $0.name == name && $0.verdict == "passed" }, "\(name)")
            }
            let objectives = try #require(drill.objectives)
            for service in ["configuration", "code"] {
                let rpo = try #require(objectives.rpo.first { $0.service == service })
                #expect(rpo.achieved == 0 && rpo.timeSource == "same-as-live" && rpo.verdict == "passed")
            }
            #expect(drill.fact("code.commit") == (try text(revision(fixture)).trimmingCharacters(in: .whitespacesAndNewlines)))
            #expect(drill.unproven.contains { $0.contains("no seal is made of kind env") })
        }
    }

    // MARK: Configuration

    @Test func whatIsWrongWithAConfiguration() async throws {
        try await Fixture.with { fixture in
            let good = try text(live(fixture))
            let file = try drill(fixture, "configuration")
            let lacking = good.replacing(/(?m)^SECRET_KEY=.*\n/, with: "")
            try await replaceConfiguration(fixture, with: lacking)
            let missing = try await fixture.expect(file, code: 1, rule: ["configuration-key-missing"])
            #expect(missing.findings.contains { $0.object == "SECRET_KEY" && $0.message.contains("required") })
            try await replaceConfiguration(fixture, with: good.replacing("SCAN_PORTS=22,80,443", with: "SCAN_PORTS=22"))
            let differs = try await fixture.expect(file, code: 1, rule: ["configuration-value-differs"])
            #expect(differs.findings.first { $0.rule == "configuration-value-differs" }?.object == "SCAN_PORTS")
            try await replaceConfiguration(fixture, with: good + "what is this line\n")
            try await fixture.expect(file, code: 1, rule: ["configuration-line-malformed"])
            // What is declared may differ.
            try await replaceConfiguration(fixture, with: good.replacing(/RELEASE=.*/, with: "RELEASE=9.9"))
            let (declared, _) = try await fixture.drill(file)
            #expect(declared.code == 0, "\(declared.text)")
        }
    }

    @Test func aKeyThatDoesNotOpenIt() async throws {
        try await Fixture.with { fixture in
            let other = fixture.folder.appendingPathComponent("other.key")
            try Data("another passphrase\n".utf8).write(to: other)
            let plain = fixture.folder.appendingPathComponent("plain.env")
            try Data(try text(live(fixture)).utf8).write(to: plain)
            try await fixture.encrypt(plain, to: try newest(in: configurations(fixture)), passphrase: other)
            // One wrong key in 256 looks right to the cipher.
            try await fixture.expect(
                try drill(fixture, "configuration"), code: 1,
                rule: ["decryption-failed", "configuration-unreadable", "artifact-unknown-kind"])
            try Data(try text(live(fixture)).utf8).write(to: try newest(in: configurations(fixture)))
            try await fixture.expect(try drill(fixture, "configuration"), code: 1, rule: ["artifact-not-encrypted"])
        }
    }

    /// What could not be asked is never green: in error where it was wanted, and nothing at all proven where it wasn't.
    @Test func noLiveConfiguration() async throws {
        try await Fixture.with { fixture in
            try FileManager.default.removeItem(at: live(fixture))
            try await fixture.expect(try drill(fixture, "configuration"), code: 2, rule: ["live-configuration-unreadable"])
            try fixture.editEstate("live: {file: app/.env}", "#")
            try fixture.editEstate("may-differ: [RELEASE]", "#")
            let (without, report) = try await fixture.drill(try drill(fixture, "configuration"))
            #expect(without.code == 1, "the RPO is the backup's own then")
            #expect(report.drills.first?.findings.map(\.rule) == ["rpo-missed"])
            #expect(report.drills.first?.unproven.contains { $0.contains("names no live configuration") } == true)
            let lines = try text(fixture.estate).split(separator: "\n", omittingEmptySubsequences: false)
            try Data(lines.filter { !$0.contains("required: [DATABASE_URL") }.joined(separator: "\n").utf8).write(to: fixture.estate)
            try await fixture.expect(try drill(fixture, "configuration"), code: 2, rule: ["nothing-verified"])
        }
    }

    @Test func aCommandTellsWhatIsLive() async throws {
        try await Fixture.with { fixture in
            try fixture.editEstate("live: {file: app/.env}", "live: {command: [cat, \(live(fixture).path)]}")
            try fixture.editEstate("runs: {file: app/REVISION}", "runs: {command: [cat, \(revision(fixture).path)]}")
            for service in ["configuration", "code"] {
                let (outcome, _) = try await fixture.drill(try drill(fixture, service))
                #expect(outcome.code == 0, "\(outcome.text)")
            }
            try fixture.editEstate("runs: {command: [cat,", "runs: {command: [false,")
            try await fixture.expect(try drill(fixture, "code"), code: 2, rule: ["running-commit-unknown"])
        }
    }

    /// Not one value of either side, wherever Muster writes.
    @Test func noValueShows() async throws {
        try await Fixture.with { fixture in
            let good = try text(live(fixture))
            let values = ["s3ntinel-one-", "s3ntinel-two-", "s3ntinel-three-"].map { $0 + String(UInt64.random(in: .min ... .max)) }
            try Data(good.replacing(/(?m)^SECRET_KEY=.*/, with: "SECRET_KEY=\(values[0])").utf8).write(to: live(fixture))
            let spoilt =
                good.replacing(/(?m)^SECRET_KEY=.*/, with: "SECRET_KEY=\"\(values[1])\"")
                + "what \(values[2]) is\n\(values[2])==\nSECRET_KEY=\(values[1])\n"
            try await replaceConfiguration(fixture, with: spoilt)
            let output = fixture.reports.appendingPathComponent("secret", isDirectory: true)
            let file = try drill(fixture, "configuration")
            let running = try fixture.start(["run", file.path, "--output", output.path])
            let watch = Watch(for: values, of: running, below: fixture.folder.path)
            let ran = await running.outcome()
            let seen = await watch.end()
            #expect(seen.inArguments == [] && seen.inEnvironments == [])
            #expect(ran.code == 1 && ran.out.contains("configuration-value-differs") && ran.out.contains("configuration-line-malformed"))
            let inspected = try await fixture.run(["inspect", fixture.estate.path, "--deep", "--output", output.path])
            var texts = [
                ran.text, inspected.text, try await fixture.run(["inspect", fixture.estate.path, "--list", "--format", "json"]).text,
            ]
            texts.append(try await fixture.run(["doctor", fixture.estate.path]).text)
            texts.append(try await fixture.run(["run", file.path, "--dry-run"]).text)
            let walk = try #require(FileManager.default.enumerator(atPath: output.path))
            var files = 0
            while let path = walk.nextObject() as? String {
                guard let data = try? Data(contentsOf: output.appendingPathComponent(path)) else { continue }
                files += 1
                texts.append(String(decoding: data, as: UTF8.self))
            }
            #expect(files >= 6)
            // The lab's own values, too.
            let own = good.matches(of: /(?m)^(?:DATABASE_URL|SECRET_KEY)="?(.*?)"?$/).map { String($0.output.1) }
            #expect(own.count == 2)
            for value in values + own {
                for text in texts { #expect(!text.contains(value)) }
            }
        }
    }

    /// The application gets them in its environment, and nobody else gets them anywhere.
    @Test func theApplicationAloneGetsTheValues() async throws {
        try await Fixture.with { fixture in
            let good = try text(live(fixture))
            let value = "s3ntinel-" + String(UInt64.random(in: .min ... .max))
            let own = good.replacing(/(?m)^SECRET_KEY=.*/, with: "SECRET_KEY=\(value)")
            try Data(own.utf8).write(to: live(fixture))
            try await replaceConfiguration(fixture, with: own)
            let output = fixture.reports.appendingPathComponent("rebuilt", isDirectory: true)
            let file = fixture.drills.appendingPathComponent("server-rebuild.yaml")
            let running = try fixture.start(["run", file.path, "--output", output.path])
            let watch = Watch(for: [value], of: running, below: fixture.folder.path)
            let ran = await running.outcome()
            let seen = await watch.end()
            #expect(ran.code == 0, "\(ran.text)")
            #expect(seen.inArguments == [] && !seen.inEnvironments.isEmpty, "the application itself is given it")
            // What the application starts is its own affair.
            for name in ["postgres", "redis-server", "git", "curl"] {
                #expect(!seen.inEnvironments.contains { $0.hasPrefix(name) }, "\(seen.inEnvironments)")
            }
            #expect(!ran.text.contains(value))
            let walk = try #require(FileManager.default.enumerator(atPath: output.path))
            while let path = walk.nextObject() as? String {
                let data = (try? Data(contentsOf: output.appendingPathComponent(path))) ?? Data()
                #expect(!String(decoding: data, as: UTF8.self).contains(value), "\(path)")
            }
        }
    }

    // MARK: Code

    @Test func whatIsWrongWithABundle() async throws {
        try await Fixture.with { fixture in
            let file = try drill(fixture, "code")
            let bundle = try newest(in: bundles(fixture))
            let plain = fixture.folder.appendingPathComponent("b.bundle")
            try await fixture.decrypt(bundle, to: plain)
            let good = [UInt8](try Data(contentsOf: plain))
            func store(_ bytes: [UInt8]) async throws {
                try Data(bytes).write(to: plain)
                try await fixture.encrypt(plain, to: bundle)
            }
            try await store(Array(good.dropLast(good.count / 3)))
            try await fixture.expect(file, code: 1, rule: ["artifact-truncated"])
            var damaged = good
            damaged[good.count - 60] ^= 0x55
            try await store(damaged)
            try await fixture.expect(file, code: 1, rule: ["code-unreadable"])
            try await store(Array("no bundle at all\n".utf8))
            try await fixture.expect(file, code: 1, rule: ["artifact-unknown-kind"])
            // Whole again, and yet it lacks what production runs.
            try await store(good)
            try Data("\(String(repeating: "ab", count: 20))\n".utf8).write(to: revision(fixture))
            let missing = try await fixture.expect(file, code: 1, rule: ["commit-missing"])
            #expect(missing.findings.first { $0.rule == "commit-missing" }?.object == "abababababab")
            try Data("not a hash\n".utf8).write(to: revision(fixture))
            let unknown = try await fixture.expect(file, code: 2, rule: ["running-commit-unknown"])
            #expect(!unknown.findings.contains { $0.actual.contains("not a hash") })
        }
    }

    @Test func anIncrementalBundle() async throws {
        try await Fixture.with { fixture in
            let bundle = try newest(in: bundles(fixture))
            let plain = fixture.folder.appendingPathComponent("b.bundle")
            try await fixture.decrypt(bundle, to: plain)
            let clone = fixture.folder.appendingPathComponent("clone.git")
            try await Program.require(["git", "clone", "--quiet", "--mirror", plain.path, clone.path])
            try await Program.require(["git", "-C", clone.path, "bundle", "create", "--quiet", plain.path, "main~1..main"])
            try await fixture.encrypt(plain, to: bundle)
            try await fixture.expect(try drill(fixture, "code"), code: 1, rule: ["bundle-incremental"])
            // With the older ones at hand, the drill goes on to one that is whole.
            let older = try fixture.drillFile("code", from: "bundle", select: "latest-healthy")
            let (outcome, report) = try await fixture.drill(older)
            #expect(outcome.code == 1 && report.drills.first?.recoveryPoints.count == 2, "\(outcome.text)")
        }
    }

    @Test func aMirror() async throws {
        try await Fixture.with { fixture in
            let plain = fixture.folder.appendingPathComponent("b.bundle")
            try await fixture.decrypt(try newest(in: bundles(fixture)), to: plain)
            let mirror = fixture.store.appendingPathComponent("mirrors/app.git", isDirectory: true)
            try await Program.require(["git", "clone", "--quiet", "--mirror", plain.path, mirror.path])
            try await Program.require(["git", "-C", mirror.path, "remote", "update"])
            try fixture.editEstate(
                "      bundle:\n",
                "      mirror: {kind: git_mirror, stores: [primary], match: mirrors/app.git, encryption: none, runs: {file: app/REVISION}}\n"
                    + "      bundle:\n")
            let file = try fixture.drillFile("code", from: "mirror", more: "targets: {rpo: 1h}")
            let (good, report) = try await fixture.drill(file)
            #expect(good.code == 0, "\(good.text)")
            #expect(report.drills.first?.objectives?.rpo.first?.achieved == 0)
            // An incident before the fetch: the mirror still holds what was there then.
            try fixture.edit(file, "at: now", "at: \"2026-01-01T00:00:00Z\"")
            let (earlier, _) = try await fixture.drill(file)
            #expect(earlier.code == 0 && earlier.out.contains("fetched into after the incident"), "\(earlier.text)")
            let packs = mirror.appendingPathComponent("objects/pack")
            let pack = try #require(try FileManager.default.contentsOfDirectory(atPath: packs.path).first { $0.hasSuffix(".pack") })
            let place = packs.appendingPathComponent(pack)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: place.path)
            try fixture.change(place) { $0[$0.count - 60] ^= 0x55 }
            try await fixture.expect(file, code: 1, rule: ["code-damaged"])
        }
    }

    @Test func aMachineWithoutGit() async throws {
        try await Fixture.with { fixture in
            let bare = fixture.folder.appendingPathComponent("bin")
            try FileManager.default.createDirectory(at: bare, withIntermediateDirectories: true)
            for tool in ["env", "setpriv", "unshare", "true"] {
                let path = try await Program.require(["sh", "-c", "PATH=/usr/bin:/bin which \(tool)"]).out
                try FileManager.default.createSymbolicLink(
                    atPath: bare.appendingPathComponent(tool).path,
                    withDestinationPath: path.trimmingCharacters(in: .whitespacesAndNewlines))
            }
            try await fixture.expect(try drill(fixture, "code"), code: 2, rule: ["git-missing"], environment: ["PATH": bare.path])
            let looked = try await fixture.run(["doctor", fixture.estate.path], environment: ["PATH": bare.path])
            #expect(looked.code == 2 && looked.out.contains("✗ git") && looked.out.contains("apt-get install git"), "\(looked.text)")
        }
    }

    // MARK: The other commands

    /// Of a host whose clock is wrong.
    @Test func aBackupOfATimeToCome() async throws {
        try await Fixture.with { fixture in
            let early = configurations(fixture).appendingPathComponent("app-20990101T020000+0530.env.enc")
            try FileManager.default.copyItem(at: try newest(in: configurations(fixture)), to: early)
            let date = Date(timeIntervalSince1970: 4_070_900_000)
            try FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: early.path)
            let judged = try await fixture.run(["inspect", fixture.estate.path, "--output", fixture.reports.path])
            #expect(judged.code == 1 && judged.out.contains("time-in-future  primary:configuration/app-20990101"), "\(judged.text)")
            for format in ["text", "json"] {
                let listed = try await fixture.run(["inspect", fixture.estate.path, "--list", "--format", format])
                #expect(listed.code == 1 && listed.out.contains("seems to come from the future"), "\(listed.text)")
            }
        }
    }

    @Test func theOtherCommands() async throws {
        try await Fixture.with { fixture in
            for (service, backup) in [("configuration", "env"), ("code", "bundle")] {
                for more in [[], ["--existing", "latest"]] {
                    let sealed = try await fixture.run(["seal", fixture.estate.path, "--service", service, "--backup", backup] + more)
                    #expect(sealed.code == 64 && sealed.err.contains("aren't sealed"), "\(sealed.text)")
                }
            }
            let sabotaged = try await fixture.run(["sabotage", try drill(fixture, "code").path])
            #expect(sabotaged.code == 64 && sabotaged.err.contains("no damage is made"), "\(sabotaged.text)")
            let listed = try await fixture.run(["inspect", fixture.estate.path, "--list"])
            #expect(listed.out.contains("code/bundle  4 recovery points") && listed.out.contains("configuration/env  4 recovery points"))
            let made = try await fixture.run(["init", fixture.store.path, "--output", fixture.folder.appendingPathComponent("init").path])
            #expect(
                made.code == 0 && made.out.contains("configuration/app-*.env.enc: 4 of kind env (by their names), encrypted"),
                "\(made.text)")
            #expect(made.out.contains("code/app-*.bundle.enc: 4 of kind git_bundle (by their names), encrypted"), "\(made.out)")
            let plain = fixture.folder.appendingPathComponent("plain", isDirectory: true)
            try FileManager.default.createDirectory(at: plain, withIntermediateDirectories: true)
            try await fixture.decrypt(try newest(in: bundles(fixture)), to: plain.appendingPathComponent("shop-1.bundle"))
            try Data("A=1\n".utf8).write(to: plain.appendingPathComponent("shop.env"))
            try await Program.require([
                "git", "clone", "--quiet", "--mirror", plain.appendingPathComponent("shop-1.bundle").path, plain.path + "/shop.git",
            ])
            let told = try await fixture.run(["init", plain.path, "--output", fixture.folder.appendingPathComponent("init2").path])
            for line in ["shop-1.bundle: 1 of kind git_bundle\n", "shop.env: 1 of kind env\n", "shop.git: 1 of kind git_mirror\n"] {
                #expect(told.out.contains(line), "\(line) \(told.text)")
            }
        }
    }
}
