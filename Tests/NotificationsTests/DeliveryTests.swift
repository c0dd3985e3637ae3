// Channels for real: curl against a web server, a sendmail, a command; what fails is told without a word of the secret.

import DrillModel
import Foundation
import TestPrograms
import Testing

@testable import Notifications

/// On a machine under load `true` alone may take seconds: only what never ends meets these limits.
private let quick = Pace(
    tries: 3, pause: .milliseconds(50), longestPause: .milliseconds(1500), request: 60, program: .seconds(60), whole: .seconds(900))

@Suite struct DeliveryTests {
    private let marker = "secret-marker-\(UInt64.random(in: .min ... .max))"

    /// Secrets come from files, as nobody's environment can be changed in a test.
    private func file(_ text: String, in folder: URL) throws -> KeyReference {
        let url = folder.appendingPathComponent(UUID().uuidString)
        try Data("\(text)\n".utf8).write(to: url)
        return .file(url)
    }

    private func program(_ script: String, in folder: URL) throws -> String {
        let url = folder.appendingPathComponent(UUID().uuidString)
        try writeProgram("#!/bin/sh\n\(script)\n", to: url)
        return url.path
    }

    private func webhook(
        _ address: String, token: String? = nil, format: NotifyChannel.Format = .json, in folder: URL, name: String = "oncall"
    ) throws -> NotifyChannel {
        Fixtures.channel(
            name,
            .webhook(
                NotifyChannel.Webhook(
                    url: try file(address, in: folder), format: format, token: try token.map { try file($0, in: folder) })))
    }

    private func send(_ channels: [NotifyChannel], _ pace: Pace = quick) async throws -> RunNotifications.Outcome {
        let estate = Fixtures.estate("shop", channels)
        let notice = Notice.test(of: estate, host: "h", version: "1")
        return await RunNotifications.send(try channels.map { (try ReadyChannel($0, hiding: []), notice) }, at: pace)
    }

    /// What is worth another try gets one, and nothing else does.
    @Test(
        arguments: [
            ("200", 1, nil), ("202", 1, nil), ("500,503,204", 3, nil), ("429:1,200", 2, nil), ("408,200", 2, nil), ("close,200", 2, nil),
            ("drip", 1, nil), ("hang,200", 2, nil), ("404", 1, "answered 404"), ("400", 1, "answered 400"), ("401", 1, "answered 401"),
            ("302", 1, "answered 302: it leads elsewhere, and is not followed"), ("500", 3, "answered 500, 3 times"),
            ("429:9999", 3, "answered 429, 3 times"),
            ("close", 3, "did not get through: the connection broke off before an answer, 3 times"),
        ] as [(String, Int, String?)])
    func aWebhook(plan: String, requests: Int, said: String?) async throws {
        let server = try WebhookServer()
        try await withFolder { folder in
            var pace = quick
            // Only what never ends is waited for; how long an answer takes is no matter of this test.
            if !["drip", "hang,200"].contains(plan) { (pace.request, pace.whole) = (300, .seconds(900)) }
            let outcome = try await send([try webhook(server.address(plan, marker), token: "\(marker)-token", in: folder)], pace)
            let sent = try server.requests()
            #expect(sent.count == requests, "\(outcome)")
            for request in sent {
                #expect(
                    request.headers["Authorization"] == "Bearer \(marker)-token" && request.headers["Content-Type"] == "application/json")
                #expect(request.shown == [], "no command line and no environment holds them")
                #expect(request.body == sent[0].body && request.body.contains("\"test\":true"))
            }
            if let said {
                let untold = try #require(outcome.untold.first)
                #expect(untold.message == "webhook of notify.oncall \(said)" && !untold.hint.isEmpty)
                #expect(!untold.failure.description.contains(marker) && !untold.failure.description.contains("127.0.0.1"))
            } else {
                #expect(outcome.untold.isEmpty && outcome.told == ["oncall (test)"], "\(outcome)")
            }
            if plan == "429:1,200" { #expect(sent[1].time - sent[0].time > 0.95, "Retry-After is kept to") }
        }
    }

    @Test func nothingListens() async throws {
        try await withFolder { folder in
            let outcome = try await send([try webhook("http://127.0.0.1:1/\(marker)", in: folder)])
            #expect(
                outcome.untold.map(\.message)
                    == ["webhook of notify.oncall did not get through: nothing listens there, or it is out of reach, 3 times"])
        }
    }

    @Test(arguments: [
        ("http://hooks.example/M", "has an address that is not https"),
        ("http://127.0.0.1@hooks.example/M", "has an address that is not https"),
        ("ftp://127.0.0.1/M", "has an address that is not https"), ("M", "has no address in its secret"),
        ("https://hooks.example/M\nurl = x", "has no address in its secret"), ("https://hooks.example/ M", "has no address in its secret"),
    ])
    func anAddressThatIsNone(address: String, said: String) async throws {
        try await withFolder { folder in
            let channel = try webhook(address.replacing("M", with: marker), in: folder)
            let failure = RunNotifications([(Fixtures.estate("shop", [channel]), nil)])?.unready.first?.failure
            #expect(failure?.code == .unverified && failure?.message == "webhook of notify.oncall \(said)")
            #expect(failure?.description.contains(marker) == false && failure?.description.contains("hooks.example") == false)
        }
    }

    /// One that hangs keeps nobody else from hearing, and is given up.
    @Test func allAtOnceAndBounded() async throws {
        let server = try WebhookServer()
        try await withFolder { folder in
            var pace = quick
            pace.whole = .seconds(60)
            pace.request = 500
            let channels = [
                try webhook(server.address("hang", marker), in: folder, name: "a"),
                try webhook(server.address("200", marker), in: folder, name: "b"),
                Fixtures.channel("c", .command([try program("trap '' TERM; sleep 600 & wait; sleep 600", in: folder)])),
            ]
            pace.program = .seconds(500)
            let began = ContinuousClock.now
            let outcome = try await send(channels, pace)
            // Far less than any of the two would take, however busy this machine is.
            #expect(ContinuousClock.now - began < .seconds(300))
            #expect(outcome.told == ["b (test)"])
            #expect(
                outcome.untold.map(\.message) == [
                    "webhook of notify.a was given up after 60 s", "command of notify.c was given up after 60 s",
                ])
        }
    }

    @Test func aCommand() async throws {
        try await withFolder { folder in
            let (told, tries) = (folder.appendingPathComponent("told").path, folder.appendingPathComponent("tries").path)
            let outcome = try await send(
                [
                    Fixtures.channel("a", .command([try program("cat > '\(told)'; echo \"$1\" >> '\(told)'", in: folder), "x y; id"])),
                    Fixtures.channel("b", .command([try program("echo \(marker); echo \(marker) >&2; exit 3", in: folder)])),
                    // It reads nothing, and is believed.
                    Fixtures.channel("c", .command(["true"])),
                    Fixtures.channel(
                        "d", .command([try program("echo >> '\(tries)'; test $(wc -l < '\(tries)') = 3 || exit 75", in: folder)])),
                    Fixtures.channel("e", .command([try program("sleep 900", in: folder)])),
                    Fixtures.channel("f", .command([try program("kill -9 $$", in: folder)])),
                ])
            #expect(outcome.told == ["a (test)", "c (test)", "d (test)"])
            #expect(
                outcome.untold.map(\.message) == [
                    "command of notify.b ended with exit 3", "command of notify.e took longer than 60 s, and was ended",
                    "command of notify.f ended with signal 9",
                ])
            let text = try String(contentsOfFile: told, encoding: .utf8).split(separator: "\n")
            #expect(text.count == 2 && text[0].hasPrefix("{") && text[1] == "x y; id")
        }
    }

    @Test func sendmail() async throws {
        try await withFolder { folder in
            func channel(_ name: String, _ script: String) throws -> NotifyChannel {
                Fixtures.channel(
                    name,
                    .mail(
                        NotifyChannel.Mail(
                            to: ["a@example.com", "b@example.com"], from: "m@example.com", sendmail: try program(script, in: folder))))
            }
            let (mail, tries) = (folder.appendingPathComponent("mail").path, folder.appendingPathComponent("tries").path)
            let outcome = try await send([
                try channel("a", "echo \"$@\" > '\(mail)'; cat >> '\(mail)'"),
                try channel("b", "echo >> '\(tries)'; test $(wc -l < '\(tries)') = 2 || exit 75"), try channel("c", "exit 75"),
                try channel("d", "exit 67"), try channel("e", "echo \(marker) >&2; exit 1"),
            ])
            #expect(outcome.told == ["a (test)", "b (test)"])
            #expect(
                outcome.untold.map(\.message) == [
                    "mail of notify.c was put off by sendmail (exit 75), 3 times",
                    "mail of notify.d was refused by sendmail: it knows no such recipient (exit 67)",
                    "mail of notify.e was refused by sendmail: it ended with exit 1",
                ])
            let text = try String(contentsOfFile: mail, encoding: .utf8)
            #expect(
                text.hasPrefix(
                    "-i -f m@example.com -- a@example.com b@example.com\nFrom: m@example.com\nTo: a@example.com,\n b@example.com\n"))
        }
    }

    /// Nothing is run for hours only to find that nobody can be told.
    @Test func whatIsMissingIsSaidAtTheBeginning() async throws {
        let missing = [
            (NotifyChannel.Way.command(["/nowhere/page"]), "command of notify.x takes /nowhere/page, which is not on this machine"),
            (
                .mail(NotifyChannel.Mail(to: ["a@b"], from: "c@d", sendmail: "/nowhere/sendmail")),
                "mail of notify.x takes /nowhere/sendmail, which is not on this machine"
            ),
            (
                .webhook(NotifyChannel.Webhook(url: .environment("MUSTER_NO_SUCH_VARIABLE"), format: .slack, token: nil)),
                "the key notify.x.webhook.url can't be had: the environment variable MUSTER_NO_SUCH_VARIABLE is not set"
            ),
        ]
        for (way, said) in missing {
            let unready = RunNotifications([(Fixtures.estate("shop", [Fixtures.channel("x", way)]), nil)])?.unready
            #expect(unready?.map(\.message) == [said])
        }
        #expect(RunNotifications([(Fixtures.estate(), nil)]) == nil)
    }
}
