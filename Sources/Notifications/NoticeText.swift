// A notice in lines for people, the same in every channel but for its markup.

import DrillModel
import Reports

/// Pieces of text that a form puts its own markup around.
struct NoticeText: Sendable {
    enum Piece: Sendable, Hashable {
        case plain(String)
        case strong(String)
        /// A name of something: shown word for word.
        case code(String)
    }
    typealias Line = [Piece]

    var title: String
    /// One for each drill.
    var sections: [[Line]]
    var footer: [Line]

    init(_ notice: Notice) {
        title = Self.title(of: notice)
        sections = notice.drills.map { Self.section($0) }
        if let problem = notice.problem { sections.insert([[.strong(problem)]], at: 0) }
        if notice.isTest {
            sections.append([[.plain("This is a test: the channel works, and nothing was run.")]])
        }
        if notice.moreDrills > 0 { sections.append([[.plain("… and \(Readable.count(notice.moreDrills, "more drill"))")]]) }
        footer = [[.plain("run "), .code(notice.run), .plain(" on "), .code(notice.host)]]
        if let report = notice.report { footer.append([.plain("report "), .code(report)]) }
        if let ledger = notice.ledger { footer.append([.plain("ledger "), .code(ledger)]) }
    }

    /// `✗ failed: database-corruption; recovered: nightly. Estate domainscope`
    private static func title(of notice: Notice) -> String {
        if notice.isTest { return "muster: a test. Estate \(notice.estate)" }
        func names(_ isMeant: (Notice.Drill) -> Bool) -> [String] { notice.drills.filter(isMeant).map(\.name) }
        let groups = [
            ("failed", names { $0.occasions.contains(.red) && $0.verdict == .failed }),
            ("not verified", names { $0.occasions.contains(.red) && $0.verdict != .failed }),
            ("drills overdue", names { $0.occasions.contains(.overdue) }),
            ("recovered", names { $0.occasions.contains(.recovery) }),
        ]
        let told = groups.filter { !$0.1.isEmpty }.map { "\($0.0): \(Readable.list($0.1))" }
        let sign =
            if notice.occasions.isSubset(of: [.recovery]) { "✓" } else if notice.verdict == .error { "!" } else { "✗" }
        let words = (told + (told.isEmpty ? [notice.problem].compactMap { $0 } : [])).joined(separator: "; ")
        return "\(sign) \(words). Estate \(notice.estate)"
    }

    private static func section(_ drill: Notice.Drill) -> [Line] {
        let now = !drill.hasBegun ? "never began" : drill.isInterrupted ? "cut off" : drill.verdict.rawValue
        let before = drill.previous.map { ", \($0.rawValue) before" } ?? ""
        var lines: [Line] = [[.code(drill.name), .plain(": "), .strong(now), .plain(before)]]
        for objective in drill.objectives {
            let achieved = objective.achieved.map(Readable.duration) ?? "none"
            let target = objective.target.map { ", target < \(Readable.duration($0)): \(objective.verdict.rawValue)" } ?? ", no target"
            lines.append([.plain("\(objective.title) \(achieved)\(target)")])
        }
        // What a drill that is well again still warns of is in its report.
        guard !drill.occasions.isSubset(of: [.recovery]) else { return lines }
        for item in drill.findings {
            let rule: Line = item.rule.isEmpty ? [] : [.strong(item.rule), .plain(" ")]
            let service = item.service.map { "\($0) " } ?? ""
            lines.append([.plain("• ")] + rule + [.plain(service), .code(item.object), .plain(": \(item.message)")])
            if !item.hint.isEmpty { lines.append([.plain("hint: \(item.hint)")]) }
        }
        if drill.moreFindings > 0 { lines.append([.plain("… and \(Readable.count(drill.moreFindings, "more finding"))")]) }
        return lines
    }

    /// Without any markup.
    var plain: String {
        let lines = ([[[.plain(title)]]] + sections + [footer]).map { section in
            section.map { line in line.map(\.text).joined() }.joined(separator: "\n")
        }
        return lines.joined(separator: "\n\n") + "\n"
    }
}

extension NoticeText.Piece {
    var text: String {
        switch self {
        case .plain(let text), .strong(let text), .code(let text): text
        }
    }
}
