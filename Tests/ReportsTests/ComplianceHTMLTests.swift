// compliance.html: nothing of a report can break the page, nothing of the templates is lost, and it stays small and quick.

import DrillModel
import Foundation
import Testing

@testable import Reports

@Suite struct ComplianceHTMLTests {
    private static let controls = String(String.UnicodeScalarView((0...0x9F).compactMap { Unicode.Scalar($0) }))
    private static var samples: [ComplianceReport] {
        [ComplianceSample.quarter, ComplianceSample.year, ComplianceSample.green, ComplianceSample.empty, ComplianceLarge.report()]
    }

    private func page(_ report: ComplianceReport) throws -> String { String(decoding: try ComplianceHTML.render(report), as: UTF8.self) }

    /// Without the style, which changes for other reasons.
    @Test func pagesLookAsAgreed() throws {
        for (name, report) in [("quarter", ComplianceSample.quarter), ("empty", ComplianceSample.empty)] {
            let html = try page(report).replacing(/<style>(?s:.*?)<\/style>/, with: "<style>…</style>")
            try Golden.expect(html, "\(name).compliance.html")
        }
    }

    /// A missing key, and a missing template, would be nothing at all in the page: no error tells.
    @Test func templatesAndViewsKnowEachOther() throws {
        var properties: Set<String> = []
        for report in Self.samples {
            ViewWalk.walk(ComplianceView(report, ComplianceLimits.all[2])) { name, _ in properties.insert(name) }
        }
        var keys: Set<String> = []
        for (name, template) in ComplianceHTML.templates where !name.hasSuffix("style") {
            for match in String(decoding: template, as: UTF8.self).matches(of: /\{\{([#^\/&{>]?) ?\.?([\w.\-]*)\}\}/) {
                #expect(match.1 != "&" && match.1 != "{", "nothing goes unescaped into the page")
                if match.1 == ">" {
                    #expect(ComplianceHTML.templates[String(match.2)] != nil, "\(match.2)")
                } else {
                    keys.formUnion(match.2.split(separator: ".").map(String.init))
                }
            }
        }
        #expect(keys == properties, "only in templates: \(keys.subtracting(properties)); shown nowhere: \(properties.subtracting(keys))")
    }

    /// Nothing is left empty by a key that stands too deep to be found.
    @Test func everyTextOfTheViewIsInThePage() throws {
        for report in Self.samples.prefix(4) {
            let html = try page(report)
            let empty = html.matches(of: /[\w-]+=""/).map { String($0.output) }
            #expect(empty == [])
            var texts: [String: Set<String>] = [:]
            ViewWalk.walk(ComplianceView(report, ComplianceLimits.all[0])) { name, text in
                if let text, !text.isEmpty { texts[name, default: []].insert(text) }
            }
            // What is not drawn has no place; a verdict's word isn't told wherever its sign is.
            for name in ["word", "targetY", "targetWordY"] { texts[name] = nil }
            let lost = texts.flatMap { name, own in own.filter { !html.contains(ViewWalk.escaped($0)) }.map { "\(name): \($0)" } }
            #expect(lost == [])
        }
    }

    /// Whatever something is called, the page has the same elements with the same attributes.
    @Test(arguments: [
        "<script>alert(1)</script>", "</style></pre></title>", "\" onload=\"alert(1)", "' x='", "{{title}} {{{title}}} {{> style}}",
        "{{%CONTENT_TYPE:TEXT}}", "<!--", "]]>", "&lt;b&gt;", ComplianceHTMLTests.controls, "\u{202E}drow", "a\r\nb", "😀 e\u{301}",
        String(repeating: "ü", count: 1_000), String(repeating: "ü", count: 50_000),
    ])
    func noNameBreaksThePage(name: String) throws {
        let html = try page(ComplianceSample.quarter { _ in name })
        let plain = try page(ComplianceSample.quarter { _ in "plain" })
        let (elements, harmless) = (ViewWalk.skeleton(html), ViewWalk.skeleton(plain))
        let different = zip(elements, harmless).first { $0 != $1 }
        #expect(elements.count == harmless.count && different == nil, "\(different.map { "\($0)" } ?? "")")
        let isClean = !html.contains("<script") && !html.contains("\u{202E}")
        #expect(isClean)
        #expect(html.unicodeScalars.allSatisfy { $0 == "\n" || $0 == "\t" || ($0.value >= 0x20 && !(0x7F...0x9F).contains($0.value)) })
        #expect(html.utf8.count < 2_000_000)
    }

    /// A page that needs something else can't be mailed, archived or opened behind a wall.
    @Test func itStandsAlone() throws {
        for report in Self.samples.prefix(4) {
            let html = try page(report)
            #expect(!html.contains("src=") && !html.contains("<script") && !html.contains("@import") && !html.contains("<link"))
            #expect(html.contains("content=\"default-src 'none'; style-src 'unsafe-inline'\""))
            #expect(html.matches(of: /href="([^"]*)"/).allSatisfy { $0.1.hasPrefix("#") })
            #expect(html.matches(of: /url\(([^)]*)\)/).allSatisfy { $0.1.hasPrefix("#") })
            for match in html.matches(of: /(?:href="#|aria-labelledby=")([^"]*)"/) {
                #expect(html.matches(of: try Regex("id=\"\(match.1)\"")).count == 1, "\(match.1)")
            }
            for match in html.matches(of: /<th(?: [^>]*)?>/) { #expect(match.0.contains("scope="), "\(match.0)") }
            for match in html.matches(of: /class="scroll"[^>]*/) {
                #expect(match.0.contains("tabindex=\"0\"") && match.0.contains("role=\"region\""))
            }
            let levels = html.matches(of: /<h([1-6])/).compactMap { Int($0.1) }
            #expect(levels.first == 1 && zip(levels, levels.dropFirst()).allSatisfy { $1 <= $0 + 1 })
        }
    }

    /// What is broken is told by a word and not by its colour alone, and what nobody drilled first of all.
    @Test func aMissingQuarterIsSeen() throws {
        let html = try page(ComplianceSample.year)
        #expect(
            html.contains(
                "<li class=\"window missing\"><span class=\"period\">2026-Q2</span> <strong class=\"state\"><span aria-hidden=\"true\">∅</span> MISSING</strong>"
            ))
        let view = ComplianceView(ComplianceSample.year, ComplianceLimits.all[0])
        #expect(view.figures[0].value == "5 of 9 due" && view.figures[0].note == "2 not kept, 2 still open")
        #expect(view.figures[1].value == "1" && view.figures[1].note == "database-corruption" && view.figures[1].state.name == "failed")
    }

    @Test func theLargestStaySmallAndQuick() throws {
        let report = ComplianceLarge.report()
        let clock = ContinuousClock()
        var html = ""
        let took = try clock.measure { html = try page(report) }
        #expect(html.utf8.count < HTMLReport.largest)
        // A debug build is many times slower than what is shipped, and may share its machine.
        #expect(took < .seconds(60))
        print("the largest compliance page: \(html.utf8.count) bytes in \(took)")
        #expect(html.contains("more of those that passed, or are older: see runs.csv"))
        #expect(html.contains("… and 200 more that are open: see actions.csv"))
        let small = try ComplianceHTML.render(report, largest: 300_000)
        #expect(small.utf8.count < html.utf8.count && small.contains("… and 380 more that are open: see actions.csv"))
    }
}

/// More than any estate has.
enum ComplianceLarge {
    static func report() -> ComplianceReport {
        var report = ComplianceSample.year
        let long = String(repeating: "long name ", count: 200)
        report.runs = (0..<10_000).map { index in
            var run = ComplianceSample.quarter.runs[0]
            run.run = "run-\(index)"
            run.started = ComplianceSample.at(1, 1, index % 8_000)
            run.verdict = index % 50 == 0 ? .failed : .passed
            run.isInspection = index % 2 == 0
            return run
        }
        let action = ComplianceSample.quarter.actions[0]
        report.actions = (0..<500).map { index in
            var action = action
            action.object = "\(long)\(index)"
            if index >= 400 { action.state = .closed }
            return action
        }
        report.coverage = (0..<100).map { index in
            let labels = (1...53).map {
                (label: "2026-W\($0)", month: 5 as Int?, state: index % 9 == $0 % 9 ? ComplianceReport.Coverage.State.missing : .kept)
            }
            return ComplianceSample.coverage("\(long)\(index)", .databaseCorruption, Cadence(.weekly), Targets(rto: .seconds(60)), labels)
        }
        let days = CalendarPeriod(from: CalendarDay(year: 2024, month: 1, day: 1), to: CalendarDay(year: 2024, month: 12, day: 31)).days
        report.calendar = .init(
            days: days.map { .init(day: $0, inspection: .passed) },
            series: (0..<21).map { .init(service: "s\($0)", backup: "b", schedule: nil, isDaily: true, counts: days.map { _ in 1 }) })
        report.trends = (0..<110).map { _ in ComplianceSample.quarter.trends[0] }
        let promise = ComplianceSample.quarter.promises[0]
        report.promises = Array(repeating: promise, count: 450) + Array(repeating: ComplianceSample.quarter.promises[8], count: 450)
        report.participants = Array(repeating: report.participants[0], count: 300)
        report.reasons = Array(repeating: long, count: 300)
        report.controls = Array(repeating: report.controls[0], count: 220)
        return report
    }
}

/// Looking at views and pages.
enum ViewWalk {
    /// Tells every stored property by name, and its text where it is one.
    static func walk(_ value: Any, _ tell: (String, String?) -> Void) {
        for child in Mirror(reflecting: value).children {
            let mirror = Mirror(reflecting: child.value)
            if let label = child.label, label != "some" { tell(label, child.value as? String ?? (child.value as? String?).flatMap(\.self)) }
            if !(child.value is String), mirror.children.count > 0 { walk(child.value, tell) }
        }
    }

    static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;").replacing("\"", with: "&quot;")
            .replacing("'", with: "&#39;")
    }

    /// Elements and the names of their attributes, in order.
    static func skeleton(_ html: String) -> [String] {
        html.matches(of: /<\/?[a-zA-Z!][^>]*>/).map { String($0.output).replacing(/="[^"]*"/, with: "") }
    }
}
