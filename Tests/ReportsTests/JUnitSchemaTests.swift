// junit.xml against the schema that Muster promises, by an independent validator.

import DrillModel
import Foundation
import Testing

@testable import Reports

private let xmllint = "/usr/bin/xmllint"
private let canValidate = FileManager.default.isExecutableFile(atPath: xmllint) || ProcessInfo.processInfo.environment["CI"] != nil

@Suite(.enabled(if: canValidate, "xmllint is missing: install libxml2-utils"))
struct JUnitSchemaTests {
    @Test func theFixturesHold() async throws {
        for script in [Fixtures.fullRun, Fixtures.interruptedRun, EventScript()] {
            #expect(try await validate(JUnitReport.render(script.report)) == "")
        }
    }

    /// Every group of questions is one that the schema knows.
    @Test(arguments: CaseResult.Group.allCases) func everyGroupHolds(_ group: CaseResult.Group) async throws {
        var script = EventScript()
        script.run(drills: 1)
        script.drill("d")
        script.add(.caseFinished(CaseResult(group, service: "s", name: "n", verdict: .passed, duration: .seconds(1))))
        script.finish(.passed, [], since: .zero)
        script.add(.runFinished(.passed))
        #expect(try await validate(JUnitReport.render(script.report)) == "")
    }

    @Test func nastyNamesHold() async throws {
        let controls = String(String.UnicodeScalarView((0...0x9F).compactMap { Unicode.Scalar($0) }))
        let names = [
            "", " ", "\n", controls, "\"'<>&]]>", "<!-- -->", "😀👩‍👩‍👧‍👦", "\u{202E}evil", "\u{FFFE}\u{FFFF}", "a\r\nb", "\u{0}", "\u{1}",
            String(repeating: "ü", count: 5_000), "e\u{301}", "é", "&amp;", "x", "x",
        ]
        var script = EventScript()
        script.run(drills: 2)
        for drill in ["a.b <\"c\"> \u{1B}[31m", "."] {
            script.drill(drill)
            script.add(.fact(Fact("nasty.\u{7}", controls)))
            for name in names {
                let finding = Finding(
                    Rule("nasty"), object: name, expected: name, actual: name, message: name, hint: name, diff: ["-\(name)", "+\(name)"])
                script.add(.caseFinished(.judged(.schema, service: name, name: name, findings: [finding])))
                script.add(.caseFinished(CaseResult(.rows, service: "s", name: name, verdict: .failed)))
                script.add(.caseFinished(.skipped(.keys, service: "s", name: name, reason: name)))
                script.add(.caseFinished(CaseResult(.keys, name: name, verdict: .error, reason: name)))
            }
            script.finish(.failed, [], since: .zero, unproven: [controls])
        }
        script.add(.runFinished(.failed))
        let xml = JUnitReport.render(script.report)
        let complaints = try await validate(xml)
        #expect(complaints == "")
        #expect(try await run(["--xpath", "count(//testcase)", "-"], input: xml).output == "\(names.count * 8)\n")
        #expect(try await run(["--xpath", "string(//property[@name='nasty.\u{FFFD}']/@value)", "-"], input: xml).output.contains("~"))
    }

    @Test func tenThousandCasesHold() async throws {
        var script = EventScript()
        script.run(drills: 1)
        script.drill("wide")
        for index in 1...10_000 {
            script.add(.caseFinished(CaseResult(.content, service: "postgres", name: "public.t\(index)", verdict: .passed)))
        }
        script.finish(.passed, [], since: .zero)
        script.add(.runFinished(.passed))
        let xml = JUnitReport.render(script.report)
        #expect(xml.utf8.count < 3_000_000)
        let complaints = try await validate(xml)
        #expect(complaints == "")
    }

    /// The schema must be able to say no, or the tests above prove nothing.
    @Test(arguments: [
        ("a name is missing", " name=\"postgres rows: public.users\"", ""),
        ("two names are equal", "name=\"postgres rows: public.users\"", "name=\"postgres rows: public.scans\""),
        ("a class name is missing", " classname=\"muster.database-corruption.redis.keys\"", ""),
        (
            "an unknown attribute", "classname=\"muster.database-corruption.redis.keys\"",
            "classname=\"muster.database-corruption.redis.keys\" file=\"x\""
        ),
        ("a comma in a time", "time=\"0.023\"", "time=\"0,023\""),
        (
            "properties in a case", "<skipped message=\"nothing was restored\"/>",
            "<properties><property name=\"a\" value=\"b\"/></properties>"
        ),
        ("skipped on the top level", "<testsuites name=\"muster\"", "<testsuites skipped=\"0\" name=\"muster\""),
        (
            "no cases at all", "</testsuites>",
            "<testsuite name=\"none\" tests=\"0\" failures=\"0\" errors=\"0\" skipped=\"0\" time=\"0.000\"/></testsuites>"
        ),
    ])
    func whatBreaksTheSchemaIsRefused(what: String, from: String, to: String) async throws {
        let good = JUnitReport.render(Fixtures.fullRun.report)
        let bad = good.replacing(from, with: to, maxReplacements: 1)
        #expect(bad != good, "\(what): the fixture no longer holds what is to be broken")
        #expect(try await validate(bad) != "", "\(what)")
    }

    /// What the validator complains of; empty where it holds.
    private func validate(_ xml: String) async throws -> String {
        let schema = Bundle.module.bundleURL.appending(path: "Schema/junit.xsd").path
        let (status, _, errors) = try await run(["--noout", "--schema", schema, "-"], input: xml)
        if status == 0 { return "" }
        return errors.isEmpty ? "exit \(status)" : String(errors.prefix(2_000))
    }

    private func run(_ arguments: [String], input: String) async throws -> (status: Int32, output: String, errors: String) {
        try await withFolder { folder in
            // Files rather than pipes: nothing has to be drained while the tool runs.
            let names = ["in", "out", "err"].map { folder.appending(path: $0) }
            for (url, text) in zip(names, [input, "", ""]) { try Data(text.utf8).write(to: url) }
            let process = Process()
            process.executableURL = URL(filePath: xmllint)
            process.arguments = arguments.map { $0 == "-" ? names[0].path : $0 }
            process.standardOutput = try FileHandle(forWritingTo: names[1])
            process.standardError = try FileHandle(forWritingTo: names[2])
            try process.run()
            process.waitUntilExit()
            let texts = try names.dropFirst().map { String(decoding: try Data(contentsOf: $0), as: UTF8.self) }
            return (process.terminationStatus, texts[0], texts[1])
        }
    }
}
