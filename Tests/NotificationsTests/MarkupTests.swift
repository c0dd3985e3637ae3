// Names in messages are names: they call nobody, become no markup, and fit.

import DrillModel
import Foundation
import Testing

@testable import Notifications

@Suite struct MarkupTests {
    private static let nasty = [
        "<!channel>", "<!here>", "@all", "@here @channel", "<@U123>", "<https://evil.example|click>", "[click](https://evil.example)",
        "![x](https://evil.example/x.png)", "a & b", "*bold* _it_ ~s~", "`code` ```", "</at><at>everyone</at>", "a\nb\r\nBcc: c",
        "\u{202E}txt.exe",
        "\"}]", "é😀", "# h",
    ]

    private func notice(_ name: String) -> Notice {
        var notice = Notice.test(of: Fixtures.estate(name), host: name, version: "1")
        notice.isTest = false
        notice.problem = name
        let item = Notice.Item(service: name, rule: name, severity: .critical, object: name, message: name, hint: name)
        notice.drills = [
            Notice.Drill(
                name: name, isInspection: false, verdict: .failed, isInterrupted: false, occasions: [.red],
                objectives: [Notice.Objective(service: name, achieved: nil, target: nil, verdict: .failed)], findings: [item])
        ]
        return notice
    }

    private struct Shown: Decodable {
        struct Block: Decodable {
            struct Text: Decodable {
                var type: String
                var text: String
                var verbatim: Bool
            }
            var text: Text
        }
        struct Attachment: Decodable {
            struct Card: Decodable {
                struct Block: Decodable {
                    struct Run: Decodable {
                        var type: String
                        var text: String
                    }
                    var type: String
                    var inlines: [Run]
                }
                var body: [Block]
            }
            var content: Card
        }
        var text: String?
        var blocks: [Block]?
        var attachments: [Attachment]?
    }

    private func read(_ body: String) throws -> Shown { try JSONDecoder().decode(Shown.self, from: Data(body.utf8)) }

    @Test(arguments: nasty) func slack(name: String) throws {
        let body = try read(try SlackBody.text(notice(name)))
        let blocks = try #require(body.blocks)
        for text in blocks.map(\.text.text) + [try #require(body.text)] {
            #expect(!text.contains("<") && !text.contains(">"))
            #expect(!text.contains(/@[a-z]/), "\(text)")
            #expect(!text.replacing(/&(amp|lt|gt);/, with: "").contains("&"), "\(text)")
        }
        for text in blocks.map(\.text) { #expect(text.type == "mrkdwn" && text.verbatim) }
        // Nothing but ours ends a span of code: they come in pairs, line by line.
        for line in blocks.flatMap({ $0.text.text.split(separator: "\n") }) { #expect(line.count { $0 == "`" } % 2 == 0, "\(line)") }
    }

    @Test(arguments: nasty) func mattermost(name: String) throws {
        let text = try #require(try read(try MattermostBody.text(notice(name))).text)
        #expect(!text.contains(/@[a-z]/) && !text.contains("<!") && !text.contains("<@") && !text.contains("<h"), "\(text)")
        // Outside of code every sign that Markdown reads is escaped.
        let outside = text.replacing(/`[^`]*`/, with: "").replacing(/\\./, with: "").replacing("**", with: "")
        #expect(!outside.contains(/[\[\]()*_~<>#!`]/), "\(outside)")
    }

    /// Text runs read no Markdown; a card without entities calls nobody.
    @Test(arguments: nasty) func teams(name: String) throws {
        let text = try TeamsBody.text(notice(name))
        let card = try #require(try read(text).attachments?.first?.content)
        #expect(
            card.body.allSatisfy { $0.type == "RichTextBlock" && !$0.inlines.isEmpty && $0.inlines.allSatisfy { $0.type == "TextRun" } })
        #expect(!text.contains("entities"))
    }

    /// As much as there can be still comes through, in each form.
    @Test(arguments: ["x", "&", "<", "😀", "\"", "é`*"]) func everythingFits(unit: String) throws {
        var many = notice(String(repeating: unit, count: 3000))
        many.drills = Array(repeating: many.drills[0], count: 300)
        for index in many.drills.indices {
            many.drills[index].findings = Array(repeating: many.drills[index].findings[0], count: 500)
            many.drills[index].objectives = Array(repeating: many.drills[index].objectives[0], count: 40)
        }
        many.report = String(repeating: unit, count: 5000)
        let slack = try SlackBody.text(many)
        let blocks = try #require(try read(slack).blocks)
        #expect(
            blocks.count <= 50 && blocks.allSatisfy { (1...3000).contains($0.text.text.utf16.count) }, "\(blocks.map(\.text.text.count))")
        #expect(blocks.reduce(0) { $0 + $1.text.text.utf16.count } <= 13_000)
        #expect(try TeamsBody.text(many).utf8.count <= 28_000)
        let mattermost = try #require(try read(try MattermostBody.text(many)).text)
        #expect(mattermost.utf16.count <= 16_383 && mattermost.contains("more drills"))
        let json = try NoticeDocument.text(many)
        #expect(json.utf8.count <= 32_000 && json.contains("\"moreDrills\":2"))
    }

    @Test func aSmallNoticeIsWhole() throws {
        let text = NoticeText(notice("public.domains").limited(to: NoticeLimits.ladder[0])).plain
        #expect(text.contains("• public.domains public.domains public.domains: public.domains\nhint: public.domains"))
        #expect(!text.contains("more"))
    }
}
