// One testcase of junit.xml.

import DrillModel
import Foundation

/// One `testcase`: a question, with all its findings in one `failure` or `error`.
struct JUnitCase {
    private let result: CaseResult
    private let className: String
    private let name: String
    private let time: Duration

    var verdict: Verdict { result.verdict }

    init(_ result: CaseResult, suite: String, name: String, time: Duration = .zero) {
        self.result = result
        self.time = time
        self.name = name
        className = "muster.\(Self.segment(suite)).\(Self.segment(result.service ?? "drill")).\(result.group.rawValue)"
    }

    /// What tells a case from the others of its suite. GitLab drops the second of two equal names, so the service and the
    /// group are part of it; it depends on nothing else, so that a server can follow a case from run to run.
    static func name(of result: CaseResult) -> String {
        let prefix = result.service.map { "\($0) " } ?? ""
        return JUnitText.shortened("\(prefix)\(result.group.rawValue): \(result.name)", to: 400)
    }

    func write(to document: inout String, longestText: Int) {
        document += "    <testcase name=\"\(XMLText.attribute(name))\" classname=\"\(XMLText.attribute(className))\""
        document += " time=\"\(Seconds(time).text)\""
        switch result.verdict {
        case .passed:
            guard !result.findings.isEmpty else {
                document += "/>\n"
                return
            }
            let text = JUnitText.body(of: result, longest: longestText)
            document += ">\n      <system-out>\(XMLText.body(text))</system-out>\n    </testcase>\n"
        case .skipped:
            let reason = XMLText.attribute(JUnitText.message(of: result))
            document += ">\n      <skipped message=\"\(reason)\"/>\n    </testcase>\n"
        case .failed, .error:
            let tag = result.verdict == .failed ? "failure" : "error"
            let type = JUnitText.leading(result)?.rule.name ?? result.verdict.rawValue
            let text = JUnitText.body(of: result, longest: longestText)
            document += ">\n      <\(tag) type=\"\(XMLText.attribute(type))\""
            document += " message=\"\(XMLText.attribute(JUnitText.message(of: result)))\">\(XMLText.body(text))</\(tag)>\n"
            document += "    </testcase>\n"
        }
    }

    /// A part of a class name: dots would split it, and blanks confuse more than one server.
    private static func segment(_ text: String) -> String {
        JUnitText.filled(String(text.map { $0 == "." || $0 == "/" || $0.isWhitespace ? "-" : $0 }), or: "-")
    }
}

/// What a case says inside junit.xml.
enum JUnitText {
    /// The finding that a case is red for: the first critical one, or simply the first.
    static func leading(_ result: CaseResult) -> Finding? {
        result.findings.first { $0.severity == .critical } ?? result.findings.first
    }

    static func message(of result: CaseResult) -> String {
        guard result.verdict != .skipped, let finding = leading(result) else {
            return shortened(filled(result.reason, or: "no reason was given"), to: 500)
        }
        let others = result.findings.count - 1
        let more = others > 0 ? " (and \(Readable.count(others, "more finding")))" : ""
        return shortened("\(finding.object): \(finding.message)", to: 500) + more
    }

    /// All findings, one after the other, as far as they fit into so many bytes.
    static func body(of result: CaseResult, longest: Int) -> String {
        var text = ""
        if !result.reason.isEmpty, result.reason != result.findings.first?.message { text += shortened(result.reason, to: longest) + "\n" }
        for (index, finding) in result.findings.enumerated() {
            let next = self.text(of: finding)
            if text.utf8.count + next.utf8.count > longest {
                let left = result.findings.count - index
                // The first is always told, if only in part.
                if index == 0 { text += shortened(next, to: longest) + "\n" }
                let untold = index == 0 ? left - 1 : left
                if untold > 0 { text += "… \(Readable.count(untold, "more finding")): see report.json\n" }
                break
            }
            text += next
        }
        return text
    }

    private static func text(of finding: Finding) -> String {
        var lines = ["\(finding.rule) (\(finding.severity.rawValue)): \(finding.object)", "  \(finding.message)"]
        if !finding.expected.isEmpty { lines.append("  expected: \(finding.expected)") }
        if !finding.actual.isEmpty { lines.append("  actual:   \(finding.actual)") }
        lines += finding.diff.map { "  | \($0)" }
        if !finding.hint.isEmpty { lines.append("  hint: \(finding.hint)") }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The text, or another where nobody could see it: an empty name or message hides its case.
    static func filled(_ text: String, or other: String) -> String {
        text.allSatisfy(\.isWhitespace) ? other : text
    }

    /// Cut after so many bytes at most, and marked where it was.
    static func shortened(_ text: String, to bytes: Int) -> String {
        guard text.utf8.count > bytes else { return text }
        var result = ""
        var left = bytes
        for character in text {
            left -= character.utf8.count
            if left < 0 { break }
            result.append(character)
        }
        return result + "…"
    }
}

/// Gives each name once: the second `a` becomes `a (2)`.
struct UniqueNames {
    private var taken: Set<String> = []
    private var next: [String: Int] = [:]

    mutating func unique(_ name: String) -> String {
        // What XML replaces must not make two names equal, so they are compared as they will be written.
        var candidate = name
        while !taken.insert(XMLText.attribute(candidate)).inserted {
            let number = next[name, default: 2]
            next[name] = number + 1
            candidate = "\(name) (\(number))"
        }
        return candidate
    }
}
