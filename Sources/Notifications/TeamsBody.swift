// A notice for a webhook of Teams' Workflows: an Adaptive Card of text runs, in which nothing is markup.

import Foundation

/// The old connectors' MessageCard is gone, and Workflows take Adaptive Cards alone. A TextBlock reads Markdown; a TextRun doesn't. A card
/// calls somebody by its list of entities alone, and this has none. Teams takes 28 kB and says so; senders saw refusals from 21 kB on.
struct TeamsBody: Encodable, Sendable {
    struct Attachment: Encodable, Sendable {
        var contentType = "application/vnd.microsoft.card.adaptive"
        var content: Card
    }
    struct Card: Encodable, Sendable {
        var schema = "http://adaptivecards.io/schemas/adaptive-card.json"
        var type = "AdaptiveCard"
        /// The first with text runs.
        var version = "1.2"
        var body: [Block]

        enum CodingKeys: String, CodingKey {
            case schema = "$schema"
            case type, version, body
        }
    }
    struct Block: Encodable, Sendable {
        var type = "RichTextBlock"
        var separator: Bool?
        var spacing: String?
        var inlines: [Run]
    }
    struct Run: Encodable, Sendable {
        var type = "TextRun"
        var text: String
        var weight: String?
        var size: String?
        var fontType: String?
    }
    var type = "message"
    var attachments: [Attachment]

    private init(_ text: NoticeText) {
        var blocks = [Block(inlines: [Run(text: text.title, weight: "Bolder", size: "Medium")])]
        for lines in text.sections + [text.footer] {
            for (index, line) in lines.enumerated() {
                blocks.append(
                    Block(
                        separator: index == 0 ? true : nil, spacing: index == 0 ? nil : "None",
                        inlines: line.filter { !$0.text.isEmpty }.map(Self.run)))
            }
        }
        attachments = [Attachment(content: Card(body: blocks))]
    }

    private static func run(_ piece: NoticeText.Piece) -> Run {
        switch piece {
        case .plain(let text): Run(text: text)
        case .strong(let text): Run(text: text, weight: "Bolder")
        case .code(let text): Run(text: text, fontType: "Monospace")
        }
    }

    static func text(_ notice: Notice) throws -> String {
        try notice.fitting({ $0.utf8.count <= 20_000 }) { try NoticeDocument.encoded(TeamsBody(NoticeText($0))) }
    }
}
