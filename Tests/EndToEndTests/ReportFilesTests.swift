// The files that a run leaves for people and machines, from real runs of the built program: green, red, in error, cut off, an inspection.

import Foundation
import Testing

/// Real runs, made once for all that is asked of their files.
struct RealRuns: Sendable {
    var green: RunFolder
    /// One of three drills passes, one fails, one can't be verified.
    var red: RunFolder
    var error: RunFolder
    var interrupted: RunFolder
    var inspection: RunFolder
    var all: [RunFolder] { [green, red, error, interrupted, inspection] }

    /// A name that would break a page, a table of Markdown and a label of a metric.
    static let nasty = "<script>alert(1)</script> | `a` \" \\ *b*"

    init(_ fixture: Fixture) async throws {
        func run(_ words: [String], _ codes: Int32...) async throws -> RunFolder {
            let output = fixture.reports.appendingPathComponent("o\(UUID().uuidString.prefix(8))", isDirectory: true)
            let outcome = try await fixture.run(words + ["--output", output.path])
            #expect(codes.contains(outcome.code), "\(words): \(outcome.text)")
            return try Fixture.runFolder(in: output, outcome)
        }
        let good = fixture.drills.appendingPathComponent("database-corruption.yaml")
        green = try await run(["run", good.path], 0)
        // Red, where the night's backup became due since the lab was made.
        inspection = try await run(["inspect", fixture.estate.path], 0, 1)

        let failing = try fixture.drillFile(
            more:
                "targets: {rpo: 1s}\nchecks: {redis: [{keys: {pattern: \"nothing:*\", at-least: 1}}, {keys: {pattern: \"*\", at-least: 1}}]}"
        )
        let unaskable = try fixture.drillFile(
            "postgres", more: "checks: {postgres: [{sql: {name: '\(Self.nasty)', query: \"select 1/0\", expect: \"> 0\"}}]}")
        for (file, name) in [(failing, "too-old"), (unaskable, "unaskable")] { try fixture.edit(file, "drill: own", "drill: \(name)") }
        error = try await run(["run", unaskable.path], 2)
        red = try await run(["run", good.path, failing.path, unaskable.path], 1)

        let slow = "checks: {postgres: [{sql: {name: slow, query: \"select pg_sleep(600)\", expect: is not null}}]}"
        let output = fixture.reports.appendingPathComponent("stopped")
        let running = try fixture.start(["run", good.path, try fixture.drillFile("postgres", more: slow).path, "--output", output.path])
        try await fixture.wait(in: output, for: "\"step-started\"", "\"verify\"", "\"own\"")
        running.send(SIGTERM)
        let outcome = await running.outcome()
        #expect(outcome.code == 143, "\(outcome.text)")
        interrupted = try Fixture.runFolder(in: output, outcome)
    }
}

@Suite struct ReportFilesTests {
    @Test func everyReaderTakesThem() async throws {
        try await Fixture.with { fixture in
            let runs = try await RealRuns(fixture)
            try keep(runs)
            try expectPages(runs)
            try await expectReaders(runs)
            try await expectMetrics(fixture, runs)
            try await expectBrowser(runs, fixture)
        }
    }

    /// `MUSTER_E2E_KEEP` names a folder for them, to be looked at.
    private func keep(_ runs: RealRuns) throws {
        guard let folder = ProcessInfo.processInfo.environment["MUSTER_E2E_KEEP"] else { return }
        for (name, run) in zip(["green", "red", "error", "interrupted", "inspection"], runs.all) {
            let target = URL(fileURLWithPath: folder).appendingPathComponent(name)
            try? FileManager.default.removeItem(at: target)
            try FileManager.default.createDirectory(at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
            try FileManager.default.copyItem(at: run.url, to: target)
        }
    }

    private func expectPages(_ runs: RealRuns) throws {
        #expect(try runs.all.prefix(4).map { try $0.report(as: Named.self).run.verdict } == ["passed", "failed", "error", "error"])
        for run in runs.all {
            let html = try run.text("report.html")
            let word = try run.report(as: Named.self).run.verdict.uppercased()
            let (isTold, isSafe) = (html.contains("</span> \(word)</h1>"), !html.contains("<script"))
            #expect(isTold && isSafe, "\(word)")
            #expect(html.utf8.count < 500_000)
            let report = try run.report(as: Named.self)
            for drill in report.drills {
                let texts = [drill.name] + drill.findings.map(\.hint).filter { !$0.isEmpty } + drill.unproven
                let lost = texts.filter { !html.contains(Self.escaped($0)) }
                #expect(lost == [])
            }
        }
        for (run, words) in [
            (runs.interrupted, ["the run was interrupted"]), (runs.inspection, ["<h3 id=\"drill-1-checks\">Promises</h3>"]),
            (runs.green, ["class=\"timeline\"", "class=\"bullet\"", "Quarantine"]),
        ] {
            let html = try run.text("report.html")
            let lost = words.filter { !html.contains($0) }
            #expect(lost == [])
        }
    }

    /// JSON Schema, Prometheus' strict parser, and a reader of Markdown.
    private func expectReaders(_ runs: RealRuns) async throws {
        for run in runs.all {
            try await JUnitSchema.expectValid(run)
        }
        let names = ["report.json", "events.jsonl", "metrics.prom", "summary.md"]
        let files = runs.all.flatMap { run in names.map { run.url.appendingPathComponent($0).path } }
        guard
            let packages = ["/opt/muster-test", Self.root.appendingPathComponent(".build/muster-test").path]
                .map({ $0 + "/report-readers" }).first(where: { FileManager.default.fileExists(atPath: $0) })
                ?? (Program.inCI ? "none" : nil)
        else { return }
        let script = Self.root.appendingPathComponent("Tests/ReportsTests/Schema/read-reports.py").path
        let schemas = Self.root.appendingPathComponent("docs/schema").path
        let outcome = try await Program.run(
            ["python3", "-W", "ignore", script, schemas] + files, environment: ["PYTHONPATH": packages, "PYTHONUTF8": "1"])
        #expect(outcome.code == 0 && outcome.out == "read \(files.count)\n", "\(outcome.text)")
    }

    /// The collector's file over several runs: its drills, its last success, and what is no file for it.
    private func expectMetrics(_ fixture: Fixture, _ runs: RealRuns) async throws {
        let folder = fixture.folder.appendingPathComponent("collector", isDirectory: true)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let file = folder.appendingPathComponent("muster.prom")
        func lines(_ start: String) throws -> [String] {
            try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map(String.init).filter { $0.hasPrefix(start) }
        }
        @discardableResult func run(_ words: [String], _ codes: Int32...) async throws -> Outcome {
            let outcome = try await fixture.run(
                words + ["--metrics", file.path, "--output", fixture.reports.appendingPathComponent("m").path])
            #expect(codes.contains(outcome.code), "\(outcome.text)")
            return outcome
        }
        let drill = try fixture.drillFile(more: "checks: {redis: [{keys: {pattern: \"*\", at-least: 1}}]}")
        try await run(["run", drill.path], 0)
        let green = try lines("muster_last_success_timestamp_seconds{")
        #expect(green.count == 1)
        try await run(["inspect", fixture.estate.path], 0, 1)
        #expect(try lines("muster_newest_backup_timestamp_seconds{").contains { $0.contains("backup=\"redis.rdb\"") })
        try fixture.edit(drill, "at-least: 1}}]}", "at-least: 1000000}}]}")
        try await run(["run", drill.path], 1)
        #expect(try lines("muster_last_success_timestamp_seconds{").contains(green[0]))
        #expect(try lines("muster_last_run_timestamp_seconds{").count == 2)
        #expect(try lines("muster_verdict{").contains { $0.contains("verdict=\"failed\"} 1") })
        if let exporter = NodeExporter.path {
            let text = try await NodeExporter(path: exporter, folder: folder).metrics(in: fixture.folder)
            #expect(text.contains("node_textfile_scrape_error 0\n"))
            for line in green {
                #expect(text.contains(String(line.prefix { $0 != "}" }).replacing("muster_last_success", with: "muster_last_run")))
            }
        } else {
            #expect(!Program.inCI, "scripts/setup-tests brings node_exporter")
        }
        // It is told before anything runs, and what is somebody else's stays.
        try Data("node_x 1\n".utf8).write(to: file)
        let refused = try await run(["run", drill.path], 64)
        #expect(refused.err.contains("is no metrics file of muster's") && refused.err.contains("hint: "), "\(refused.text)")
        #expect(try String(contentsOf: file, encoding: .utf8) == "node_x 1\n")
        try Data("# TYPE muster_verdict gauge\nmuster_ver".utf8).write(to: file)
        let told = try await run(["run", drill.path], 1)
        #expect(told.err.contains("is damaged in line 2"), "\(told.text)")
        #expect(try lines("muster_last_success").isEmpty)
    }

    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private func expectBrowser(_ runs: RealRuns, _ fixture: Fixture) async throws {
        // setup-tests installs it; at a fixture without it the rest still counts.
        guard Chromium.canRun else { return }
        let chromium = Chromium(folder: fixture.folder)
        let page = runs.red.url.appendingPathComponent("report.html")
        for run in [runs.red, runs.inspection] {
            let elements = try await chromium.elements(of: run.url.appendingPathComponent("report.html"))
            let isWhole = elements.contains("</main>") && elements.contains("<h1>") && !elements.contains("<script")
            #expect(isWhole)
        }
        for (name, width, isDark) in [("phone.png", 390, false), ("dark.png", 1280, true)] {
            let picture = try await chromium.screenshot(of: page, name: name, width: width, height: 2_000, isDark: isDark)
            #expect(picture.starts(with: [0x89, 0x50, 0x4E, 0x47]) && picture.count > 20_000)
        }
        let pdf = try await chromium.print(page, name: "report.pdf")
        #expect(pdf.starts(with: Data("%PDF".utf8)) && pdf.count > 20_000)
        // What is folded on a screen is open on paper.
        guard FileManager.default.isExecutableFile(atPath: "/usr/bin/pdftotext") || Program.inCI else { return }
        let text = try await Program.require(["pdftotext", "-layout", fixture.folder.appendingPathComponent("report.pdf").path, "-"]).out
        let folded = try #require(try runs.red.report().drills[0].cases(of: "restore").first { $0.verdict == "passed" })
        #expect(text.contains("FAILED") && text.contains(folded.name) && text.contains("1 of "), "\(text.prefix(2_000))")
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;").replacing("\"", with: "&quot;")
            .replacing("'", with: "&#39;")
    }
}

/// Of drills and inspections, what their pages show in any case.
private struct Named: Decodable {
    struct Drill: Decodable {
        var name: String
        var unproven: [String]
        var cases: [Report.Case]
        var findings: [Report.Finding] { cases.flatMap(\.findings) }
    }
    var run: Report.Run
    var drills: [Drill]
}

extension RunFolder {
    func report<Shape: Decodable>(as shape: Shape.Type) throws -> Shape {
        try JSONDecoder().decode(shape, from: Data(contentsOf: url.appendingPathComponent("report.json")))
    }
}
