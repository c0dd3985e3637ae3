// One channel with its secrets at hand, and how a notice goes through it.

import BackupCatalog
import Cryptography
import DrillModel
import Foundation
import OutsideTools
import ScratchHost

/// A channel that a notice can be sent through.
struct ReadyChannel: Sendable {
    var channel: NotifyChannel
    private var address: WebhookAddress?
    private var token: Secret?
    /// What a command of the channel's doesn't get to see.
    private var hidden: Set<String>

    /// - Throws: ``CommandFailure`` (unverified): a secret can't be had or is of no use, or the program isn't there.
    init(_ channel: NotifyChannel, hiding hidden: Set<String>) throws(CommandFailure) {
        self.channel = channel
        self.hidden = hidden
        do {
            if case .webhook(let webhook) = channel.way {
                let name = "notify.\(channel.name).webhook"
                address = try WebhookAddress(Keyring.secret(webhook.url, named: "\(name).url", hiding: hidden), of: channel)
                if let reference = webhook.token {
                    let token = try Keyring.secret(reference, named: "\(name).token", hiding: hidden)
                    try WebhookAddress.check(token: token, of: channel)
                    self.token = token
                }
            }
        } catch let error as DrillFailure {
            throw CommandFailure(.unverified, error.finding.message, hint: error.finding.hint)
        } catch let error as Untold {
            throw error.failure
        } catch {
            throw CommandFailure(.unverified, "\(channel.title) has a secret that can't be had", hint: "")
        }
        let program = channel.program
        guard ScratchHost.locate(program.path) != nil else {
            throw CommandFailure(
                .unverified, "\(channel.title) takes \(program.path), which is not on this machine",
                hint: program.package.map { "apt-get install \($0)" } ?? "install it, or mend its path in the estate file")
        }
    }

    /// Tries until somebody has been told, or the pace allows no more.
    ///
    /// - Throws: ``Untold``, or `CancellationError`.
    func send(_ notice: Notice, at pace: Pace) async throws {
        let attempt = try prepare(notice, pace)
        var tries = 1
        while true {
            try Task.checkCancellation()
            guard case .failed(let untold, let mayPass, let wait) = try await attempt() else { return }
            guard mayPass, tries < pace.tries else {
                guard tries > 1 else { throw untold }
                throw Untold(message: "\(untold.message), \(tries) times", hint: untold.hint)
            }
            try await Task.sleep(for: pace.pause(after: tries, asked: wait))
            tries += 1
        }
    }

    /// The message once, whatever the number of tries.
    private func prepare(_ notice: Notice, _ pace: Pace) throws -> @Sendable () async throws -> Attempt {
        switch channel.way {
        case .webhook(let webhook):
            guard let address else { throw Untold(channel, "has no address", hint: "") }
            let body =
                switch webhook.format {
                case .json: try NoticeDocument.text(notice)
                case .slack: try SlackBody.text(notice)
                case .teams: try TeamsBody.text(notice)
                case .mattermost: try MattermostBody.text(notice)
                }
            let configuration = Curl.configuration(
                url: WebhookAddress.text(address.secret), token: token.map(WebhookAddress.text), body: body,
                agent: "muster/\(notice.musterVersion)", limit: pace.request, isLocal: address.isLocal)
            return {
                // It keeps its own time; what hangs all the same is ended.
                let result = try await run(
                    Curl.command, environment: Self.environmentOfCurl, input: configuration, limit: .seconds(pace.request + 5))
                return attempt(result.map(Curl.answer))
            }
        case .mail(let mail):
            let id = "\(notice.run).\(UUID().uuidString)"
            let message = MailMessage(notice, mail: mail, date: Date(), id: id).text
            let command = Sendmail(program: mail.sendmail).send(to: mail.to, from: mail.from)
            return {
                let result = try await run(
                    command, environment: Self.own(["HOME", "USER", "LOGNAME"]), input: message, limit: pace.program)
                return attempt(result.map(Sendmail.answer), pace)
            }
        case .command(let words):
            let body = try NoticeDocument.text(notice) + "\n"
            let command = [channel.programPath(of: words)] + words.dropFirst()
            let environment = ProcessInfo.processInfo.environment.filter { !hidden.contains($0.key) }
            return {
                attempt(ofCommand: try await run(command, environment: environment, input: body, limit: pace.program), pace)
            }
        }
    }

    /// - Returns: nil where its time was over.
    private func run(_ command: [String], environment: [String: String], input: String, limit: Duration) async throws -> ToolResult? {
        do {
            let input = try MemoryFile(Array(input.utf8))
            let (folder, isCurl) = (channel.folder, command == Curl.command)
            return try await TimeLimit.run(limit) {
                defer { withExtendedLifetime(input) {} }
                // What curl shows is headers alone; what others say may hold anything.
                return try await ToolRunner.spawn(
                    command, environment: environment, workingFolder: folder, input: input.url,
                    output: isCurl ? .capture(limit: 1 << 20) : .discard, errors: .discard)
            }
        } catch {
            try Task.checkCancellation()
            throw Untold(channel, "could not be started", hint: "run `\(channel.program.path)` by hand")
        }
    }

    /// Proxies and authorities are this machine's matter; a `.curlrc` is not read.
    private static var environmentOfCurl: [String: String] {
        own([
            "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR",
            "CURL_CA_BUNDLE",
        ])
    }

    private static func own(_ names: [String]) -> [String: String] {
        ProcessInfo.processInfo.environment.filter { names.contains($0.key) }
    }
}

extension Untold {
    init(message: String, hint: String) {
        self.message = message
        self.hint = hint
    }
}
