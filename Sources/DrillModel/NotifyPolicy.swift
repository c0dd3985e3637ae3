// Who is told how a run ended: the channels of an estate, as its file names them.

public import Foundation

/// One way to reach people. The secrets that it takes are named, and never held.
public struct NotifyChannel: Sendable, Hashable {
    /// When somebody is told.
    public enum Occasion: String, Sendable, Hashable, Codable, CaseIterable {
        /// A drill or an inspection failed, or could not be verified; also one that was interrupted.
        case red
        /// It is green, and was not in the run before.
        case recovery
        /// An inspection found a drill that should have been run by now.
        case overdue
    }

    /// What a webhook's body looks like.
    public enum Format: String, Sendable, Hashable, CaseIterable {
        /// Muster's own: docs/schema/notification.schema.json.
        case json
        case slack, teams, mattermost
    }

    public struct Webhook: Sendable, Hashable {
        /// Whoever knows the address may post there: all of it is a secret.
        public var url: KeyReference
        public var format: Format
        /// Sent as a bearer token; nil: none.
        public var token: KeyReference?

        public init(url: KeyReference, format: Format, token: KeyReference?) {
            self.url = url
            self.format = format
            self.token = token
        }
    }

    public struct Mail: Sendable, Hashable {
        /// Addresses alone, without names: `dba@example.com`.
        public var to: [String]
        public var from: String
        /// The program that takes the mail.
        public var sendmail: String

        public init(to: [String], from: String, sendmail: String) {
            self.to = to
            self.from = from
            self.sendmail = sendmail
        }
    }

    public enum Way: Sendable, Hashable {
        case webhook(Webhook)
        case mail(Mail)
        /// A program with its arguments, which gets the JSON on its standard input.
        case command([String])
    }

    public var name: String
    public var way: Way
    /// At least one.
    public var occasions: Set<Occasion>
    /// The folder that a command is run in: that of the file that names it.
    public var folder: URL

    public init(name: String, way: Way, occasions: Set<Occasion>, folder: URL) {
        self.name = name
        self.way = way
        self.occasions = occasions
        self.folder = folder
    }
}

extension NotifyChannel {
    /// What it is, in messages: `webhook of notify.oncall`.
    public var title: String {
        switch way {
        case .webhook: "webhook of notify.\(name)"
        case .mail: "mail of notify.\(name)"
        case .command: "command of notify.\(name)"
        }
    }

    /// For people who ask who would be told: `oncall (webhook, slack)`. No address of a webhook, no word of a command but its program.
    public var summary: String {
        switch way {
        case .webhook(let webhook): "\(name) (webhook, \(webhook.format.rawValue))"
        case .mail(let mail): "\(name) (mail to \(mail.to.joined(separator: ", ")))"
        case .command(let words): "\(name) (command \(words.first ?? ""))"
        }
    }

    /// The occasions in the order of their importance.
    public var occasionNames: [String] { Occasion.allCases.filter(occasions.contains).map(\.rawValue) }

    /// Where its secrets are.
    public var secrets: [KeyReference] {
        if case .webhook(let webhook) = way { [webhook.url] + [webhook.token].compactMap { $0 } } else { [] }
    }

    /// The program that it takes, and Debian's package of it where there is one.
    public var program: (path: String, package: String?) {
        switch way {
        case .webhook: ("curl", "curl")
        case .mail(let mail): (mail.sendmail, nil)
        case .command(let words): (programPath(of: words), nil)
        }
    }

    /// A path starts at the folder of the file that names it; a bare name is looked for on PATH.
    public func programPath(of words: [String]) -> String {
        let word = words.first ?? ""
        guard word.contains("/") else { return word }
        return URL(fileURLWithPath: word, isDirectory: false, relativeTo: folder).standardizedFileURL.path
    }
}
