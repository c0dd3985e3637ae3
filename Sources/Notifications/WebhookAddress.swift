// The address of a webhook, once its secret is here: what it may be, without a word of what it is.

import Cryptography
import DrillModel
import Foundation

/// An address that curl may be given.
struct WebhookAddress: Sendable {
    var secret: Secret
    /// This machine's own, where plain http may be spoken.
    var isLocal: Bool

    /// - Throws: ``Untold``: it is none, or would send the message where others can read it.
    init(_ secret: Secret, of channel: NotifyChannel) throws(Untold) {
        let text = Self.text(secret)
        // Also what would end a line of curl's configuration.
        guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }), text.utf8.count <= 8192, let url = URL(string: text),
            let host = url.host, !host.isEmpty
        else {
            throw Untold(channel, "has no address in its secret", hint: "store the whole address there, on one line: https://…")
        }
        isLocal = host == "localhost" || host == "::1" || host.wholeMatch(of: /127\.[0-9]+\.[0-9]+\.[0-9]+/) != nil
        let scheme = url.scheme?.lowercased()
        guard scheme == "https" || (scheme == "http" && isLocal) else {
            throw Untold(
                channel, "has an address that is not https",
                hint: "store one that begins with https://: its path is a secret on the way, too")
        }
        self.secret = secret
    }

    /// - Throws: ``Untold``: it can't stand in a header.
    static func check(token: Secret, of channel: NotifyChannel) throws(Untold) {
        guard text(token).utf8.allSatisfy({ (0x21...0x7E).contains($0) }), token.count <= 8192 else {
            throw Untold(channel, "has a token that can't stand in a header", hint: "store the token alone, on one line")
        }
    }

    static func text(_ secret: Secret) -> String { secret.withBytes { String(decoding: $0, as: UTF8.self) } }
}
