// A notice for a webhook of Mattermost's: Markdown in which no name is markup, and nobody is called by one.

import Foundation

/// Mattermost takes 16,383 characters, and reads `<!channel>` as Slack does before it looks for Markdown.
struct MattermostBody: Encodable, Sendable {
    var text: String

    private init(_ text: NoticeText) {
        let title: [NoticeText.Line] = [[.strong(text.title)]]
        self.text = ([title] + text.sections + [text.footer]).map { lines in
            // Two blanks at its end break a line.
            lines.map { $0.map(Self.marked).joined() }.joined(separator: "  \n")
        }.joined(separator: "\n\n")
    }

    static func text(_ notice: Notice) throws -> String {
        let body = notice.fitting({ $0.text.utf16.count <= 12_000 }) { MattermostBody(NoticeText($0)) }
        return try NoticeDocument.encoded(body)
    }

    private static func marked(_ piece: NoticeText.Piece) -> String {
        switch piece {
        case .plain(let text): escaped(text)
        case .strong(let text): "**\(escaped(text))**"
        // Nothing is escaped between backticks, but what looks like Slack's is read even there.
        case .code(let text): "`\(apart(text.replacing("`", with: "ˋ")))`"
        }
    }

    /// A backslash before whatever Markdown may read.
    static func escaped(_ text: String) -> String {
        var result = ""
        for character in apart(text) {
            if "\\`*_{}[]()#+!|~<>".contains(character) { result.append("\\") }
            result.append(character)
        }
        return result
    }

    /// An invisible blank behind what calls somebody: `@all`, `<!channel>`.
    private static func apart(_ text: String) -> String {
        text.replacing("@", with: "@\u{200B}").replacing("<", with: "<\u{200B}")
    }
}
