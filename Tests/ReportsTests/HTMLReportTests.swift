// report.html: nothing of a run can break the page, nothing of the templates is lost, and it stays small.

import DrillModel
import Foundation
import Testing

@testable import Reports

@Suite struct HTMLReportTests {
    private static let controls = String(String.UnicodeScalarView((0...0x9F).compactMap { Unicode.Scalar($0) }))

    private func page(_ script: EventScript) throws -> String {
        String(decoding: try HTMLReport.render(script.report), as: UTF8.self)
    }

    /// A missing key, and a missing template, would be nothing at all in the page: no error tells.
    @Test func templatesAndViewsKnowEachOther() throws {
        var properties: Set<String> = []
        for script in [Fixtures.fullRun, Fixtures.interruptedRun, HTMLFixtures.names { $0 }] {
            Self.walk(RunView(script.report, HTMLLimits.all[0])) { name, _ in properties.insert(name) }
        }
        var keys: Set<String> = []
        for (_, template) in HTMLPage.templates {
            for match in String(decoding: template, as: UTF8.self).matches(of: /\{\{([#^\/&{>]?) ?\.?([\w.]*)\}\}/) {
                #expect(match.1 != "&" && match.1 != "{", "nothing goes unescaped into the page")
                if match.1 == ">" {
                    #expect(HTMLPage.templates[String(match.2)] != nil, "\(match.2)")
                } else {
                    keys.formUnion(match.2.split(separator: ".").map(String.init))
                }
            }
        }
        #expect(keys == properties, "only in templates: \(keys.subtracting(properties)); shown nowhere: \(properties.subtracting(keys))")
    }

    /// Nothing is left empty by a key that stands too deep to be found.
    @Test func everyTextOfTheViewIsInThePage() throws {
        for script in [Fixtures.fullRun, Fixtures.interruptedRun, HTMLFixtures.names { $0 }] {
            let html = try page(script)
            let empty = html.matches(of: /[\w-]+=""/).map { String($0.output) }
            #expect(empty == [])
            Self.walk(RunView(script.report, HTMLLimits.all[0])) { name, text in
                // A verdict's word isn't told wherever its sign is.
                let isThere = text.map { name == "word" || $0.isEmpty || html.contains(Self.escaped($0)) } ?? true
                #expect(isThere, "\(name): \(text ?? "")")
            }
        }
    }

    /// Whatever a table is called, the page has the same elements with the same attributes.
    @Test(arguments: [
        "<script>alert(1)</script>", "</style></pre></title>", "\" onload=\"alert(1)", "' x='", "{{title}} {{{title}}} {{> style}}",
        "{{%CONTENT_TYPE:TEXT}}", "<!--", "]]>", "&lt;b&gt;", HTMLReportTests.controls, "\u{202E}drow", "a\r\nb", "😀 e\u{301}",
        String(repeating: "ü", count: 50_000),
    ])
    func noNameBreaksThePage(name: String) throws {
        let html = try page(HTMLFixtures.names { _ in name })
        let plain = try page(HTMLFixtures.names { _ in "plain" })
        let (elements, harmless) = (Self.skeleton(html), Self.skeleton(plain))
        let different = zip(elements, harmless).first { $0 != $1 }
        #expect(elements.count == harmless.count && different == nil, "\(different.map { "\($0)" } ?? "")")
        let isClean = !html.contains("<script") && !html.contains("\u{202E}")
        #expect(isClean)
        #expect(html.unicodeScalars.allSatisfy { $0 == "\n" || $0 == "\t" || ($0.value >= 0x20 && !(0x7F...0x9F).contains($0.value)) })
        #expect(html.utf8.count < 500_000)
    }

    /// The reports are one story: what the page counts and measures is what report.json has.
    @Test func itSaysWhatTheJSONSays() throws {
        for script in [Fixtures.fullRun, Fixtures.interruptedRun, EventScript()] {
            let document = ReportDocument(script.report)
            let view = RunView(script.report, HTMLLimits.all[0])
            #expect(view.verdict.name == document.run.verdict.rawValue)
            #expect(view.drills.map(\.verdict.name) == document.drills.map(\.verdict.rawValue))
            for (drill, own) in zip(document.drills, view.drills) {
                #expect(own.counts == (drill.counts.total == 0 ? "nothing was asked" : drill.counts.words))
                #expect(own.unproven + own.unprovenRest == drill.unproven)
                #expect(own.findings.filter { $0.rule != nil }.count == drill.cases.flatMap(\.findings).count)
                #expect(own.points.count == drill.recoveryPoints.count && own.objectives.count == (drill.objectives?.rpo.count ?? -1) + 1)
                let activities = drill.steps.flatMap(\.activities).count
                #expect((own.timeline?.rows.count ?? 0) == activities)
            }
        }
    }

    @Test func theGravestComesFirst() throws {
        let drill = try #require(RunView(Fixtures.fullRun.report, HTMLLimits.all[0]).drills.dropFirst().first)
        #expect(drill.findings.map(\.severity) == ["failed", "failed", "failed", "failed", "error"])
        #expect(drill.findings.first?.hint == "copy it again from another store, and check the upload's exit code")
        let passed = RunView(Fixtures.fullRun.report, HTMLLimits.all[0]).drills[0]
        #expect(passed.findings.map(\.severity) == ["warning"])
    }

    @Test func whatRanAtOnceLiesAboveOneAnotherAndWaitsAreSeen() throws {
        func activity(_ step: Step, _ service: String?, _ start: Int, _ end: Int, _ verdict: Verdict = .passed) -> StepActivity {
            StepActivity(step: step, service: service, start: .seconds(start), end: .seconds(end), verdict: verdict, detail: "")
        }
        let activities = [
            activity(.identify, "a", 0, 10), activity(.restore, "a", 40, 100, .failed), activity(.identify, "b", 0, 50),
            activity(.verify, nil, 10, 30), activity(.verify, nil, 20, 40), activity(.restart, "a", 100, 100, .skipped),
        ]
        let steps = activities.map { StepResult(step: $0.step, verdict: $0.verdict, duration: $0.end - $0.start, activities: [$0]) }
        let view = try #require(TimelineView(steps, id: "t"))
        #expect(view.lanes.map(\.name) == ["a", "b", "the whole"])
        #expect(view.waits.map(\.title) == ["waited 30.0 s"])
        #expect(view.waits[0].x1 == "10.00%" && view.waits[0].x2 == "40.00%")
        let restore = try #require(view.bars.first { $0.step == "restore" })
        #expect(restore.x == "40.00%" && restore.width == "60.00%" && restore.label?.text == "4 ✗")
        #expect(Set(view.bars.filter { $0.step == "verify" }.map(\.y)).count == 2, "two at once share no line")
        #expect(view.ticks.map(\.label) == ["0", "30.0 s", "1m", "1m 30s"])
        // What was skipped is in the table alone.
        #expect(view.rows.count == 6 && view.bars.count == 5)
        #expect(TimelineView([], id: "t") == nil)
    }

    @Test func aMissedTargetIsSeenBesideItsBar() throws {
        let rto = RecoveryTime(
            measured: .seconds(100), allowances: [Allowance(name: "decide", duration: .seconds(100))], target: .seconds(100),
            profile: .production, accepting: [:])
        let age = RecoveryPointAge.fixture("a", hours: nil, nil, target: .seconds(60))
        let objectives = Objectives(rto: rto, rpo: [age], skew: nil)
        let views = ObjectiveView.views(of: objectives, ObjectiveRow.rows(of: objectives, in: .gmt))
        #expect(views.map(\.verdict.name) == ["failed", "failed"])
        #expect(views[0].bars.map(\.kind) == ["measured", "allowance"] && views[0].bars.map(\.width) == ["47.17%", "47.17%"])
        #expect(views[0].targetX == "47.17%" && !views[0].isTargetLeft)
        #expect(
            views[1].bars.isEmpty
                && views[1].alternative == "RPO a: achieved none, worst case unknown, target < 1m: failed: nothing healthy came back")
    }

    /// The page must not say failed where the drill says that nothing could be verified.
    @Test(arguments: [Verdict.failed, .error])
    func whatCouldNotBeMeasuredReadsAsItsQuestion(verdict: Verdict) throws {
        var script = EventScript()
        script.run(drills: 1)
        script.drill("unverified")
        script.add(.caseFinished(CaseResult(.objective, name: "RTO", verdict: verdict)))
        script.add(.caseFinished(CaseResult(.objective, service: "postgres", name: "RPO", verdict: verdict)))
        let rto = RecoveryTime(measured: nil, allowances: [], target: .seconds(60), profile: .production, accepting: [:])
        let objectives = Objectives(rto: rto, rpo: [.fixture("postgres", hours: nil, nil, target: .seconds(60))], skew: nil)
        script.finish(verdict, [], since: .zero, objectives: objectives)
        let rows = ObjectiveRow.rows(of: try #require(script.report.drills.first))
        #expect(rows.map(\.verdict) == [verdict, verdict])
        #expect(
            rows.map(\.words) == ["\(verdict.rawValue): operation was never verified", "\(verdict.rawValue): nothing healthy came back"])
    }

    @Test func tenThousandCasesStayReadable() throws {
        var script = EventScript()
        script.run(drills: 1)
        script.drill("wide")
        for index in 1...10_000 {
            script.add(.caseFinished(CaseResult(.content, service: "postgres", name: "public.t\(index)", verdict: .passed)))
            let finding = Finding(
                Rule("rows-differ"), object: "public.t\(index)", message: String(repeating: "m", count: 3_000), hint: "h",
                diff: (1...50).map { "-\($0)" })
            script.add(.caseFinished(.judged(.rows, service: "postgres", name: "public.t\(index)", findings: [finding])))
        }
        script.finish(.failed, [], since: .zero)
        script.add(.runFinished(.failed))
        let html = try page(script)
        #expect(html.utf8.count < 2_000_000)
        #expect(html.contains("10,000 passed") && html.contains("10,000 failed"))
        #expect(html.contains("… and 9,800 more that passed: report.json has all of them."))
        #expect(html.contains("… and 9,800 more findings, the lesser ones: report.json has all of them."))
        let small = try HTMLReport.render(script.report, largest: 60_000)
        #expect(small.utf8.count < 60_000 && small.contains("… and 9,990 more findings"))
    }

    /// A page that needs something else can't be mailed, archived or opened behind a wall.
    @Test func itStandsAlone() throws {
        let html = try page(Fixtures.fullRun)
        #expect(!html.contains("src=") && !html.contains("<script") && !html.contains("@import") && !html.contains("<link"))
        #expect(html.matches(of: /href="([^"]*)"/).allSatisfy { $0.1.hasPrefix("#") })
        #expect(html.matches(of: /url\(([^)]*)\)/).allSatisfy { $0.1.hasPrefix("#") })
        for match in html.matches(of: /(?:href="#|aria-labelledby=")([^"]*)"/) {
            #expect(html.matches(of: try Regex("id=\"\(match.1)\"")).count == 1, "\(match.1)")
        }
        for match in html.matches(of: /<th(?: [^>]*)?>/) { #expect(match.0.contains("scope="), "\(match.0)") }
        #expect(html.contains("<html lang=\"en\">"))
        let levels = html.matches(of: /<h([1-6])/).compactMap { Int($0.1) }
        #expect(levels.first == 1 && zip(levels, levels.dropFirst()).allSatisfy { $1 <= $0 + 1 })
    }

    /// WCAG 2.1 AA: 4.5 to 1 for text, 3 to 1 for what a picture is made of.
    @Test(arguments: [0, 1])
    func contrastSuffices(theme: Int) throws {
        let css = String(decoding: PackageResources.style_css, as: UTF8.self)
        let blocks = css.matches(of: /:root \{([^}]*)\}/).filter { $0.1.contains("--ground") }
        try #require(blocks.count == 2)
        var colors: [String: Double] = [:]
        for match in blocks[theme].1.matches(of: /--([\w-]+): #([0-9a-f]{6})/) {
            let value = try #require(Int(match.2, radix: 16))
            let (red, green, blue) = (Self.linear(value >> 16), Self.linear(value >> 8 & 255), Self.linear(value & 255))
            colors[String(match.1)] = 0.2126 * red + 0.7152 * green + 0.0722 * blue
        }
        func contrast(_ one: String, _ other: String) throws -> Double {
            let (a, b) = (try #require(colors[one]), try #require(colors[other]))
            return (Double.maximum(a, b) + 0.05) / (Double.minimum(a, b) + 0.05)
        }
        for ground in ["ground", "panel", "passed-tint", "failed-tint", "error-tint", "skipped-tint"] {
            #expect(try contrast("text", ground) >= 7, "\(ground)")
            for text in ["muted", "link", "passed", "failed", "error", "skipped"] {
                #expect(try contrast(text, ground) >= 4.5, "\(text) on \(ground)")
            }
        }
        for step in Step.allCases {
            #expect(try contrast("on-step", step.rawValue) >= 4.5, "\(step)")
            #expect(try contrast(step.rawValue, "ground") >= 3, "\(step)")
        }
    }

    /// Of a byte of sRGB, how bright it is.
    private static func linear(_ byte: Int) -> Double {
        let value = Double(byte) / 255
        return value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4)
    }

    // MARK: Looking

    /// Tells every stored property by name, and its text where it is one.
    private static func walk(_ value: Any, _ tell: (String, String?) -> Void) {
        for child in Mirror(reflecting: value).children {
            let mirror = Mirror(reflecting: child.value)
            if let label = child.label, label != "some" { tell(label, child.value as? String) }
            if !(child.value is String), mirror.children.count > 0 { walk(child.value, tell) }
        }
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;").replacing("\"", with: "&quot;")
            .replacing("'", with: "&#39;")
    }

    /// Elements and the names of their attributes, in order.
    private static func skeleton(_ html: String) -> [String] {
        html.matches(of: /<\/?[a-zA-Z!][^>]*>/).map { tag in
            String(tag.output).replacing(/="[^"]*"/, with: "")
        }
    }
}

/// Runs that the page's tests need beside those of the golden files.
enum HTMLFixtures {
    /// Every place that a name can come to, filled with what is made of a harmless one.
    static func names(_ make: (String) -> String) -> EventScript {
        var script = EventScript()
        script.run(drills: 2)
        for name in ["first", "second"] {
            script.add(
                .drillStarted(
                    DrillInfo(
                        name: make(name), estate: make("estate"), estateFile: make("/a/estate.yaml"), namedEstateFile: make("b.yaml"),
                        scenario: .databaseCorruption, profile: .production, disaster: EventScript.start, timeZone: EventScript.zone)))
            let start = script.now
            script.add(.fact(Fact(make("fact"), make("value"))))
            script.point(make("service"), hoursBefore: 7, .seal, sealed: .source, path: make("older"))
            script.point(make("service"), hoursBefore: 6, .modificationTime, sealed: nil, rejected: 1, path: make("path"))
            var done = [script.step(.identify, make("service"), takes: .seconds(1), .passed, make("found"))]
            script.wait(.seconds(1))
            done.append(script.step(.restore, make("service"), takes: .seconds(1), .failed, make("detail")))
            for group in [CaseResult.Group.quarantine, .schema] {
                let finding = Finding(
                    Rule("nasty"), object: make("object"), expected: make("expected"), actual: make("actual"), message: make("message"),
                    hint: make("hint"), diff: ["-" + make("old"), "+" + make("new"), " " + make("same")])
                script.add(.caseFinished(.judged(group, service: make("service"), name: make("case"), findings: [finding])))
                script.add(.caseFinished(.skipped(group, service: make("service"), name: make("case"), reason: make("reason"))))
                script.add(.caseFinished(CaseResult(group, service: make("service"), name: make("case"), verdict: .passed)))
                script.add(.caseFinished(CaseResult(group, service: nil, name: make("case"), verdict: .error, reason: make("why"))))
            }
            let objectives = Objectives(
                rto: RecoveryTime(
                    measured: .seconds(3), allowances: [Allowance(name: make("decide"), duration: .seconds(9))], target: .seconds(60),
                    profile: .production, accepting: [make("service"): .seconds(2)]),
                rpo: [.fixture(make("service"), hours: 6, .modificationTime, target: .seconds(9_000))], skew: .seconds(5))
            script.finish(.failed, done, since: start, objectives: objectives, unproven: [make("unproven")])
        }
        script.add(.runFinished(.failed))
        return script
    }
}
