// People are told how runs ended, as the built program does it: once, in time, and without a secret.

import Foundation
import TestPrograms
import Testing

struct NotifyTests {
    private let marker = "s3ntinel-hook-\(UInt64.random(in: .min ... .max))"

    /// A small estate of one `.env` file, with a folder in which its webhook keeps what it is sent.
    private struct Setting: Sendable {
        let fixture: Fixture
        let server: LoopbackServer
        var kept: URL { fixture.folder.appendingPathComponent("kept", isDirectory: true) }
        var backup: URL { fixture.store.appendingPathComponent("a.env") }
        var mail: URL { fixture.folder.appendingPathComponent("mail") }

        static func with(_ body: @Sendable (Setting) async throws -> Void) async throws {
            try await ConcurrencyLimit.shared.pass {
                let folder = Workspace.root.appendingPathComponent("n\(UUID().uuidString.prefix(8))", isDirectory: true)
                let fixture = try Fixture.bare(in: folder)
                defer { try? FileManager.default.removeItem(at: folder) }
                let kept = folder.appendingPathComponent("kept", isDirectory: true)
                try FileManager.default.createDirectory(at: kept, withIntermediateDirectories: true)
                let server = try #require(
                    LoopbackServer(["python3", LoopbackServer.support("webhook-server.py"), kept.path]), "the server comes up")
                defer { server.end() }
                let setting = Setting(fixture: fixture, server: server)
                try setting.write()
                try await body(setting)
                fixture.expectNothingLeft()
            }
        }

        private func write() throws {
            let sendmail = fixture.lab.appendingPathComponent("sendmail")
            try writeProgram("#!/bin/sh\n{ echo \"$@\"; cat; env; } > '\(mail.path)'\n", to: sendmail)
            let estate = """
                version: 1
                estate: tiny
                stores: {one: {type: file, path: backups/primary}}
                services:
                  configuration:
                    engine: configuration
                    backups:
                      env: {kind: env, store: one, match: "*.env", encryption: none}
                notify:
                  oncall: {webhook: {url: {env: ME2E_HOOK}, token: {env: ME2E_TOKEN}}}
                  dba: {mail: {to: [dba@example.com], from: muster@example.com, sendmail: sendmail}, on: [red]}

                """
            try Data(estate.utf8).write(to: fixture.estate)
            let drill = """
                version: 1
                drill: nightly
                estate: ../estate.yaml
                scenario: database-corruption
                recover: {configuration: {from: env}}

                """
            try Data(drill.utf8).write(to: fixture.drills.appendingPathComponent("nightly.yaml"))
        }

        func environment(_ plan: String, _ marker: String) -> [String: String] {
            ["ME2E_HOOK": "http://127.0.0.1:\(server.line)/\(plan)/\(marker)", "ME2E_TOKEN": "\(marker)-token"]
        }

        /// What has come so far, and where its secrets showed.
        func received() throws -> [(body: [String: Any], shown: [String])] {
            let names = try FileManager.default.contentsOfDirectory(atPath: kept.path).filter { $0.hasSuffix(".json") }
            let numbers = names.compactMap { Int($0.dropLast(5)) }.sorted()
            return try numbers.map { number in
                let data = try Data(contentsOf: kept.appendingPathComponent("\(number).json"))
                let object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
                let text = try #require(object["body"] as? String)
                let body = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
                return (body, try #require(object["shown"] as? [String]))
            }
        }
    }

    /// Whoever waits for the news of a run must hear that there are no reports of it.
    @Test func reportsThatCantBeWritten() async throws {
        try await Setting.with { setting in
            let fixture = setting.fixture
            try Data("A=1\n".utf8).write(to: setting.backup)
            let place = fixture.folder.appendingPathComponent("a-file")
            try Data().write(to: place)
            let lost = try await fixture.run(
                ["inspect", fixture.estate.path, "--output", place.path], environment: setting.environment("200", marker))
            #expect(lost.code == 2 && lost.out.contains("told dba (red), oncall (red)"), "\(lost.text)")
            let body = try #require(try setting.received().first?.body)
            let problem = "the run's folder \(place.path)/\(Self.run(body)) can't be made: not a directory (\(place.path))"
            #expect((body["run"] as? [String: Any])?["problem"] as? String == problem)
            #expect(body["verdict"] as? String == "error")
        }
    }

    private static func run(_ body: [String: Any]) -> String {
        ((body["run"] as? [String: Any])?["id"] as? String) ?? "?"
    }

    /// How things were is no news, whatever they were.
    @Test func anInspectionOfThePastIsNoNews() async throws {
        try await Setting.with { setting in
            let fixture = setting.fixture
            let past = try await fixture.run(
                ["inspect", fixture.estate.path, "--output", fixture.reports.path, "--at", "2026-01-01T00:00:00Z"],
                environment: setting.environment("200", marker))
            #expect(past.code == 1 && !past.out.contains("told"), "\(past.text)")
            #expect(try setting.received().isEmpty)
        }
    }

    @Test func redThenGreenAgain() async throws {
        try await Setting.with { setting in
            let fixture = setting.fixture
            func inspect(_ plan: String, _ more: [String] = []) async throws -> Outcome {
                let words = ["inspect", fixture.estate.path, "--output", fixture.reports.path] + more
                let outcome = try await fixture.run(words, environment: setting.environment(plan, marker))
                #expect(!outcome.text.contains(marker))
                return outcome
            }
            let red = try await inspect("200")
            #expect(red.code == 1 && red.out.contains("told dba (red), oncall (red)"), "\(red.text)")
            var received = try setting.received()
            #expect(received.count == 1 && received[0].body["occasions"] as? [String] == ["red"])
            // Its own environment may hold what was given to it there, and so may a child that is not yet another program.
            #expect(received[0].shown.allSatisfy { $0.hasPrefix("environ of ") && !$0.contains("curl") }, "\(received[0].shown)")
            let run = try Fixture.runFolder(in: fixture.reports)
            let report = try #require((received[0].body["run"] as? [String: Any])?["report"] as? String)
            #expect(report == run.url.appendingPathComponent("report.html").path && FileManager.default.fileExists(atPath: report))
            for name in try FileManager.default.contentsOfDirectory(atPath: run.url.path) {
                #expect(try !run.text(name).contains(marker), "\(name)")
            }
            let mail = try String(contentsOf: setting.mail, encoding: .utf8)
            #expect(mail.hasPrefix("-i -f muster@example.com -- dba@example.com\n") && mail.contains("no-recovery-point"))
            #expect(!mail.contains(marker) && !mail.contains("ME2E_"))

            // Who can't be told of red is named, and red stays red.
            let unheard = try await inspect("404")
            #expect(unheard.code == 1 && unheard.err.contains("muster: webhook of notify.oncall answered 404\nhint: "), "\(unheard.text)")

            try Data("A=1\n".utf8).write(to: setting.backup)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: setting.backup.path)
            // Green, and the run before is the red one, also where it is removed right afterwards.
            let green = try await inspect("200", ["--keep-runs", "1"])
            #expect(green.code == 0 && green.out.contains("told oncall (recovery)"), "\(green.text)")
            received = try setting.received()
            let drills = try #require(received.last?.body["drills"] as? [[String: Any]])
            #expect(received.count == 3 && drills.count == 1 && drills[0]["previous"] as? String == "failed")
            // Still green: nobody is told.
            let still = try await inspect("404")
            #expect(still.code == 0 && !still.out.contains("told") && still.err.isEmpty, "\(still.text)")
            #expect(try setting.received().count == 3)

            // Silence must not be taken for good news.
            try FileManager.default.moveItem(at: setting.backup, to: fixture.folder.appendingPathComponent("away"))
            #expect(try await inspect("200").code == 1)
            try FileManager.default.moveItem(at: fixture.folder.appendingPathComponent("away"), to: setting.backup)
            let lost = try await inspect("410")
            #expect(lost.code == 2 && lost.out.contains("✓ PASSED") && lost.err.contains("answered 410"), "\(lost.text)")
        }
    }

    @Test func anEstatesChannelsAreTried() async throws {
        try await Setting.with { setting in
            let fixture = setting.fixture
            func test(_ plan: String, _ more: String...) async throws -> Outcome {
                try await fixture.run(["notify", "test", fixture.estate.path] + more, environment: setting.environment(plan, marker))
            }
            let good = try await test("200")
            #expect(good.code == 0 && good.out == "  told dba (test), oncall (test)\n", "\(good.text)")
            let bad = try await test("302", "--channel", "oncall")
            #expect(bad.code == 2 && bad.err.contains("answered 302") && bad.out.isEmpty, "\(bad.text)")
            #expect(try await test("200", "--channel", "nobody").code == 64)
            #expect(try setting.received().map { $0.body["test"] as? Bool } == [true, true])
            // A secret that isn't there is told at once, and keeps nobody from asking the backups.
            for words in [["inspect", fixture.estate.path], ["notify", "test", fixture.estate.path]] {
                let output = words[0] == "notify" ? [] : ["--output", fixture.reports.path]
                let without = try await fixture.run(words + output)
                #expect(without.code == (words[0] == "notify" ? 2 : 1), "\(without.text)")
                #expect(without.err.contains("ME2E_HOOK is not set"), "\(without.text)")
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: fixture.reports.path).count == 1)
            try Data("A=1\n".utf8).write(to: setting.backup)
            let dry = try await fixture.run(["run", "--dry-run", fixture.drills.path])
            #expect(dry.out.contains("  told       dba (mail to dba@example.com) on red\n"), "\(dry.text)")
            #expect(dry.out.contains("  told       oncall (webhook, json) on red, recovery, overdue\n"), "\(dry.text)")
            let doctor = try await fixture.run(["doctor", fixture.estate.path])
            #expect(
                doctor.code == 2 && doctor.out.contains("✗ url of notify.oncall: the environment variable ME2E_HOOK is not set"),
                "\(doctor.text)")
            #expect(doctor.out.contains("of mail of notify.dba"), "\(doctor.text)")
        }
    }

    @Test func whoStopsARunIsToldOn() async throws {
        try await Setting.with { setting in
            let fixture = setting.fixture
            try Data("A=1\n".utf8).write(to: setting.backup)
            let drill = fixture.drills.appendingPathComponent("nightly.yaml")
            let slow = "hooks: {retrieve: {before: {run: [sleep, \"601\"], timeout: 20m}}}\n"
            try Data((try String(contentsOf: drill, encoding: .utf8) + slow).utf8).write(to: drill)
            try fixture.edit(drill, "drill: nightly", "drill: first")
            let second = try String(contentsOf: drill, encoding: .utf8).replacing("drill: first", with: "drill: second")
            try Data(second.utf8).write(to: fixture.drills.appendingPathComponent("second.yaml"))
            let running = try fixture.start(
                ["run", fixture.drills.path, "--output", fixture.reports.path], environment: setting.environment("200", marker))
            try await fixture.wait(in: fixture.reports, for: "\"point-chosen\"")
            let sent = ContinuousClock.now
            running.send(SIGTERM)
            let outcome = await running.outcome()
            #expect(outcome.code == 143 && ContinuousClock.now - sent < .seconds(60), "\(outcome.text)")
            #expect(outcome.out.contains("told dba (red), oncall (red)"), "\(outcome.text)")
            let body = try #require(try setting.received().first?.body)
            let drills = try #require(body["drills"] as? [[String: Any]])
            #expect(
                drills.map { $0["name"] as? String } == ["first", "second"] && drills.allSatisfy { $0["verdict"] as? String == "error" })
            #expect(drills.last?["interrupted"] as? Bool == true, "it never began")
            #expect((body["run"] as? [String: Any])?["problem"] as? String == "the run was cut off before its end")
        }
    }
}
