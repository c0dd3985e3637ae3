// junit.xml: a suite for each drill and a case for each question, in the dialect that Jenkins, GitLab and Buildkite share.

public import DrillModel
import Foundation

/// Renders `junit.xml`. docs/reports.md says how a drill maps to it.
public struct JUnitReport {
    /// GitLab reads at most 30 MB; texts are shortened until the file stays below this.
    static let largest = 28_000_000

    public static func render(_ report: RunReport) -> String {
        render(report, largest: largest)
    }

    static func render(_ report: RunReport, largest: Int) -> String {
        var document = ""
        for longestText in [65_536, 4_096, 512] {
            document = render(report, longestText: longestText)
            if document.utf8.count <= largest { break }
        }
        return document
    }

    private static func render(_ report: RunReport, longestText: Int) -> String {
        let suites = suites(of: report)
        let counts = VerdictCounts(suites.flatMap { $0.cases.map(\.verdict) })
        // Jenkins' schema knows no `skipped` at this level.
        var document = """
            <?xml version="1.0" encoding="UTF-8"?>
            <testsuites name="muster" tests="\(counts.total)" failures="\(counts.failed)" errors="\(counts.error)" \
            time="\(Seconds(report.duration).text)">\n
            """
        for suite in suites { suite.write(to: &document, longestText: longestText) }
        document += "</testsuites>\n"
        return document
    }

    private static func suites(of report: RunReport) -> [JUnitSuite] {
        var names = UniqueNames()
        let run = JUnitProperties(report)
        var suites = report.drills.map { drill in
            JUnitSuite(drill, name: names.unique(JUnitText.filled(drill.info.name, or: "drill")), in: report, runProperties: run)
        }
        if let reason = report.reasonAgainstTheRun {
            let question = CaseResult.telling(
                .error, report.interrupted ? .interrupted : .noDrills, of: "the run", name: "all drills ran to their end", reason)
            let name = names.unique("run")
            suites.append(
                JUnitSuite(
                    name: name, host: report.info?.host, started: report.started, duration: report.duration, properties: run,
                    cases: [JUnitCase(question, suite: name, name: JUnitCase.name(of: question))]))
        }
        return suites
    }
}

extension RunReport {
    /// Why the run as a whole proves nothing, which no drill's suite could show.
    fileprivate var reasonAgainstTheRun: String? {
        if interrupted {
            let unfinished = max(drills.count, info?.drills ?? 0) - drills.count { !$0.interrupted }
            return unfinished > 0
                ? "\(RunReport.interruption): \(Readable.count(unfinished, "drill")) not finished" : RunReport.interruption
        }
        return drills.isEmpty ? "no drill ran" : nil
    }
}

/// One `testsuite`.
struct JUnitSuite {
    var name: String
    var host: String?
    var started: Date?
    var duration: Duration
    var properties: JUnitProperties
    var cases: [JUnitCase]

    func write(to document: inout String, longestText: Int) {
        let counts = VerdictCounts(cases.map(\.verdict))
        document += "  <testsuite name=\"\(XMLText.attribute(name))\" tests=\"\(counts.total)\" failures=\"\(counts.failed)\""
        document += " errors=\"\(counts.error)\" skipped=\"\(counts.skipped)\" time=\"\(Seconds(duration).text)\""
        // The dialect's time stamp carries no zone. It is UTC.
        if let started { document += " timestamp=\"\(Timestamp.iso(started, fraction: false).dropLast())\"" }
        if let host, !host.allSatisfy(\.isWhitespace) { document += " hostname=\"\(XMLText.attribute(host))\"" }
        document += ">\n"
        properties.write(to: &document)
        for result in cases { result.write(to: &document, longestText: longestText) }
        document += "  </testsuite>\n"
    }
}

extension JUnitSuite {
    init(_ drill: DrillReport, name: String, in report: RunReport, runProperties: JUnitProperties) {
        var results = drill.cases
        if let missing = drill.verdictWithoutCase { results.append(missing) }
        var names = UniqueNames()
        let duration = report.duration(of: drill)
        let times = JUnitTimes(of: results, in: drill, lasting: duration).times
        self.init(
            name: name, host: report.info?.host, started: drill.started, duration: duration, properties: runProperties.adding(drill),
            cases: zip(results, times).map { JUnitCase($0, suite: name, name: names.unique(JUnitCase.name(of: $0)), time: $1) })
    }
}

extension DrillReport {
    /// A CI server looks at cases only: a red drill without a red case, or without any, would read as green there.
    fileprivate var verdictWithoutCase: CaseResult? {
        let name = "the drill has a verdict"
        if interrupted { return .telling(.error, .interrupted, name: name, RunReport.interruption) }
        let counts = counts
        guard counts.failed + counts.error == 0 else { return nil }
        if cases.isEmpty { return .telling(.error, .nothingAsked, name: name, "the drill asked nothing") }
        guard conclusion == .failed || conclusion == .error else { return nil }
        let why = outcome?.unproven.joined(separator: " ") ?? ""
        return .telling(conclusion, .verdictAlone, name: name, why.isEmpty ? "the drill's verdict is \(conclusion.rawValue)" : why)
    }
}

extension CaseResult {
    /// A case that no check emitted, for what only the end of a run can show.
    fileprivate static func telling(
        _ verdict: Verdict, _ rule: Rule, of object: String = "the drill", name: String, _ message: String
    ) -> CaseResult {
        let hint =
            rule == .noDrills ? "name at least one drill, or loosen --filter" : "read events.jsonl for what was known, and run it again"
        return CaseResult(
            .step, name: name, verdict: verdict, findings: [Finding(rule, object: object, message: message, hint: hint)])
    }
}

extension Rule {
    /// The run was cut off before this could end.
    static let interrupted = Rule("interrupted")
    /// A drill ended without having asked anything.
    static let nothingAsked = Rule("nothing-asked")
    /// A run of no drills.
    static let noDrills = Rule("no-drills")
    /// A drill is red, but none of its cases says why.
    static let verdictAlone = Rule("verdict-without-case")
}
