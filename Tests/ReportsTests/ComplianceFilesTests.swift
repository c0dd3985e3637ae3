// The compliance report's files for machines, for a wiki and for spreadsheets: what they look like, and that strangers can read them.

import DrillModel
import Foundation
import Testing

@testable import Reports

@Suite struct ComplianceFilesTests {
    private static let samples = [
        ("quarter", ComplianceSample.quarter), ("year", ComplianceSample.year), ("green", ComplianceSample.green),
        ("empty", ComplianceSample.empty),
    ]

    @Test func documentsLookAsAgreed() throws {
        for name in ["quarter", "empty"] {
            let report = try #require(Self.samples.first { $0.0 == name }?.1)
            try Golden.expect(String(decoding: ComplianceJSON.render(report), as: UTF8.self), "\(name).compliance.json")
        }
        for (name, report) in Self.samples { try Golden.expect(ComplianceMarkdown.render(report), "\(name).compliance.md") }
        for (name, data) in ComplianceCSV.render(ComplianceSample.quarter) {
            try Golden.expect(String(decoding: data, as: UTF8.self), "quarter.\(name)")
        }
    }

    @Test func itReadsBackAsItWasWritten() throws {
        let report = ComplianceSample.quarter
        let document = try JSONDecoder().decode(ComplianceDocument.self, from: ComplianceJSON.render(report))
        #expect(document == ComplianceDocument(report))
    }

    /// A file for each, and none twice.
    @Test func allFormatsRender() throws {
        let names = ComplianceFormat.all.map(\.fileName)
        #expect(names.prefix(3) == ["compliance.html", "compliance.md", "compliance.json"] && Set(names).count == names.count)
        #expect(names.dropFirst(3) == ["coverage.csv", "runs.csv", "objectives.csv", "actions.csv", "promises.csv"])
        for format in ComplianceFormat.all { #expect(try !format.render(ComplianceSample.empty).isEmpty) }
    }

    // MARK: CSV

    @Test(arguments: [
        ("=1+1", "'=1+1"), ("+1", "'+1"), ("-1", "'-1"), ("@SUM(A1)", "'@SUM(A1)"), ("\tx", "'\tx"), ("\rx", "\"'\rx\""),
        ("=a,\"b\"", "\"'=a,\"\"b\"\"\""), ("a,b", "\"a,b\""), ("a\r\nb", "\"a\r\nb\""), ("a\nb", "\"a\nb\""),
        ("say \"x\"", "\"say \"\"x\"\"\""),
        ("plain", "plain"), ("a=b", "a=b"), ("", ""), ("ü😀", "ü😀"),
    ])
    func noTextIsAFormula(text: String, field: String) {
        #expect(CSVCell.text(text).field == field)
    }

    /// Read as RFC 4180 says, each row has as many fields as the first.
    @Test func tablesAreSquare() throws {
        let nasty = "=cmd|' /C calc'!A0,\"x\"\r\ny"
        for report in Self.samples.map(\.1) + [ComplianceSample.quarter { _ in nasty }] {
            for (name, data) in ComplianceCSV.render(report) {
                let text = String(decoding: data, as: UTF8.self)
                #expect(text.hasSuffix("\r\n"), "\(name)")
                let rows = Self.read(text)
                #expect(rows.allSatisfy { $0.count == rows[0].count }, "\(name)")
                #expect(rows.joined().allSatisfy { !$0.hasPrefix("=") }, "\(name)")
            }
        }
        let runs = try #require(ComplianceCSV.render(ComplianceSample.quarter { _ in nasty }).first { $0.name == "runs.csv" })
        #expect(Self.read(String(decoding: runs.data, as: UTF8.self))[1][0] == "'" + nasty)
    }

    private static func read(_ text: String) -> [[String]] {
        var rows: [[String]] = [[""]]
        var isQuoted = false
        let scalars = Array(text.unicodeScalars)
        var index = 0
        while index < scalars.count {
            let scalar = scalars[index]
            let next = index + 1 < scalars.count ? scalars[index + 1] : nil
            func add(_ scalar: Unicode.Scalar) { rows[rows.count - 1][rows[rows.count - 1].count - 1].unicodeScalars.append(scalar) }
            switch (scalar, isQuoted) {
            case ("\"", true) where next == "\"":
                add("\"")
                index += 1
            case ("\"", _): isQuoted.toggle()
            case (",", false): rows[rows.count - 1].append("")
            case ("\r", false) where next == "\n":
                rows.append([""])
                index += 1
            default: add(scalar)
            }
            index += 1
        }
        return rows.dropLast()
    }

    // MARK: Markdown

    @Test func theLargestIsCounted() {
        let text = ComplianceMarkdown.render(ComplianceLarge.report())
        #expect(text.utf8.count <= MarkdownReport.largest)
        let short = ComplianceMarkdown.render(ComplianceSample.quarter, largest: 1_500)
        #expect(short.utf8.count <= 1_500)
        #expect(short.hasSuffix("**This report was cut here: compliance.html and compliance.json, beside this file, have all of it.**\n"))
    }
}

@Suite(.enabled(if: ReportReaders.canRead, "scripts/setup-tests brings the readers of reports"))
struct ComplianceReadersTests {
    private static let nasty = [
        "<script>alert(1)</script>", "a | b", "`a` ``b``", "```", "back\\slash\\", "*b* _c_ ~~d~~ [e](f) ![g](h) <i@j.k>", "@someone",
        "a\r\nb\tc",
        String(String.UnicodeScalarView((1...0x9F).compactMap { Unicode.Scalar($0) })), "é😀", "&amp;",
        String(repeating: "ü|`", count: 3_000),
    ]

    @Test func theyTakeEveryReport() async throws {
        try await withFolder { folder in
            var files: [URL] = []
            func write(_ name: String, _ report: ComplianceReport) throws {
                for format in ComplianceFormat.all where !format.fileName.hasSuffix(".csv") && !format.fileName.hasSuffix(".html") {
                    let file = folder.appending(path: "\(name).\(format.fileName)")
                    try format.render(report).write(to: file)
                    files.append(file)
                }
            }
            try write("quarter", ComplianceSample.quarter)
            try write("year", ComplianceSample.year)
            try write("green", ComplianceSample.green)
            try write("empty", ComplianceSample.empty)
            for (index, name) in Self.nasty.enumerated() { try write("nasty\(index)", ComplianceSample.quarter { _ in name }) }
            #expect(try ReportReaders.complaints(of: files) == [])
        }
    }

    /// A schema that takes anything proves nothing.
    @Test(arguments: [
        ("\"isDaily\"", "\"isDailyToo\""), ("\"schemaVersion\" : 1", "\"schemaVersion\" : 2"), (".000Z", "Z"),
        ("\"state\" : \"kept\"", "\"state\" : \"done\""),
        ("\"record\" : \"vouched\"", "\"record\" : \"trusted\""), ("\"isOver\" : true", "\"isOver\" : 1"),
        ("\"due\" : \"2026-", "\"due\" : \"26-"),
        ("\"state\" : \"closed\"", "\"state\" : \"open\""), ("\"interval\" : \"monthly\"", "\"interval\" : \"daily\""),
        ("\"perMonth\" : 330", "\"perMonth\" : \"5m\""),
    ])
    func theyRefuseWhatIsWrong(from: String, to: String) async throws {
        try await withFolder { folder in
            let text = String(decoding: try ComplianceJSON.render(ComplianceSample.quarter), as: UTF8.self)
            let other = text.replacing(from, with: to, maxReplacements: 1)
            try #require(other != text, "the sample no longer holds what is to be broken")
            let file = folder.appending(path: "compliance.json")
            try Data(other.utf8).write(to: file)
            #expect(try !ReportReaders.complaints(of: [file]).isEmpty)
        }
    }

    /// The schema's words are the model's, so that a new one can't be forgotten.
    @Test func theWordsAreTheModels() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let data = try Data(contentsOf: root.appending(path: "docs/schema/compliance.schema.json"))
        let schema = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        let definitions = try #require(schema["$defs"] as? [String: [String: Any]])
        func words(_ name: String) -> [String]? { definitions[name]?["enum"] as? [String] }
        #expect(words("verdict") == Verdict.allCases.map(\.rawValue))
        #expect(words("scenario") == Scenario.allCases.map(\.rawValue))
        #expect(words("interval") == Cadence.Interval.allCases.map(\.rawValue))
        // Without a list of all cases: each of them must be known, and no other.
        #expect(try #require(words("state")).compactMap(ComplianceReport.Coverage.State.init).count == 6)
        #expect(try #require(words("record")).compactMap(ComplianceReport.Run.Record.init).count == 6)
        #expect(try #require(words("action-state")).compactMap(ComplianceReport.CorrectiveAction.State.init).count == 3)
    }
}
