// A notice for a webhook of Slack's: blocks of mrkdwn in which no name is markup, and nobody is called by one.

import Foundation

/// Slack's limits: 3000 characters a text, 50 blocks; and above some 13,000 in all it says `msg_blocks_too_long`, which stands nowhere.
struct SlackBody: Encodable, Sendable {
    struct Text: Encodable, Sendable {
        var type = "mrkdwn"
        var text: String
        /// Nothing becomes a link or a mention by itself.
        var verbatim = true
    }
    struct Block: Encodable, Sendable {
        var type = "section"
        var text: Text
    }
    /// What a notification on a telephone shows.
    var text: String
    var blocks: [Block]

    private init(_ text: NoticeText) {
        self.text = Self.escaped(text.title)
        let title: [NoticeText.Line] = [[.strong(text.title)]]
        blocks = ([title] + text.sections + [text.footer]).map { lines in
            Block(text: Text(text: lines.map { $0.map(Self.marked).joined() }.joined(separator: "\n")))
        }
    }

    static func text(_ notice: Notice) throws -> String {
        let body = notice.fitting({ $0.isFit }) { SlackBody(NoticeText($0)) }
        return try NoticeDocument.encoded(body)
    }

    private var isFit: Bool {
        let lengths = blocks.map(\.text.text.utf16.count)
        return lengths.allSatisfy { $0 <= 3000 } && lengths.reduce(0, +) <= 10_000 && blocks.count <= 50 && text.utf16.count <= 3000
    }

    private static func marked(_ piece: NoticeText.Piece) -> String {
        switch piece {
        case .plain(let text): escaped(text)
        case .strong(let text): "*\(escaped(text.replacing("*", with: "∗")))*"
        case .code(let text): "`\(escaped(text))`"
        }
    }

    /// Slack's three; an invisible blank after what calls somebody where a workspace has names parsed; and a look-alike of what begins and
    /// ends code, for which there is no escape.
    static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;").replacing("@", with: "@\u{200B}")
            .replacing("`", with: "ˋ")
    }
}
