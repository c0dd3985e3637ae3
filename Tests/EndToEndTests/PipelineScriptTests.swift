// The shell lines inside of pipelines, run for real with a stand-in for muster: what is red stays red, and nothing keeps a drill from running.

import Foundation
import TestPrograms
import Testing

@Suite struct PipelineScriptTests {
    /// The samples, which another test holds against the program.
    private static let samples = PipelineTools.root.appendingPathComponent("drills/domainscope/pipelines")

    /// Runs lines with a muster that ends with the code that `codes` has for its command, and a clock that knows one day of the week.
    private func run(
        _ lines: String, codes: [String: Int], weekday: Int = 7, shell: [String] = ["sh", "-e"]
    ) async throws -> (code: Int32, out: String, calls: [String], runs: [String]) {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("me2e-script-\(UUID().uuidString.prefix(8))")
        defer { try? FileManager.default.removeItem(at: folder) }
        let (bin, state) = (folder.appendingPathComponent("bin"), folder.appendingPathComponent("state"))
        for place in [bin, state.appendingPathComponent("reports/earlier")] {
            try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        }
        let cases = codes.map { "\($0.key)) exit \($0.value) ;;" }.joined(separator: " ")
        let muster = """
            #!/bin/sh
            echo "$*" >> "$CALLS"
            echo "muster says $1"
            case $1 in run|inspect) mkdir -p "$MUSTER_REPORTS/new-$1" && echo "# $1" > "$MUSTER_REPORTS/new-$1/summary.md" ;; esac
            case $1 in \(cases) *) exit 0 ;; esac

            """
        let date = "#!/bin/sh\n[ \"$1\" = +%u ] && echo \(weekday)\n"
        for (name, text) in [("muster", muster), ("date", date)] {
            try writeProgram(text, to: bin.appendingPathComponent(name))
        }
        let calls = folder.appendingPathComponent("calls")
        try Data().write(to: calls)
        try Data("DOMAINSCOPE_BACKUP_KEY='k'\n".utf8).write(to: folder.appendingPathComponent("environment"))
        let script = lines.replacing("/var/lib/muster", with: state.path).replacing("/srv/drills", with: folder.path)
            .replacing("/etc/muster/environment", with: folder.appendingPathComponent("environment").path)
        let outcome = try await Program.run(
            shell + ["-c", script],
            environment: [
                "PATH": "\(bin.path):/usr/bin:/bin", "CALLS": calls.path, "MUSTER_REPORTS": state.appendingPathComponent("reports").path,
                "MUSTER_SCRATCH_ROOT": state.appendingPathComponent("scratch").path,
                "GITHUB_OUTPUT": folder.appendingPathComponent("output").path,
                "GITHUB_STEP_SUMMARY": folder.appendingPathComponent("summary").path,
            ], folder: folder)
        let said = try String(contentsOf: calls, encoding: .utf8).split(separator: "\n").map(String.init)
        let written = ["output", "summary"].map {
            (try? String(contentsOf: folder.appendingPathComponent($0), encoding: .utf8)) ?? ""
        }
        let kept = (try? FileManager.default.contentsOfDirectory(atPath: folder.appendingPathComponent("muster-runs").path)) ?? []
        return (outcome.code, outcome.text + written.joined(), said, kept.sorted())
    }

    private func sample(_ name: String) throws -> String {
        try String(contentsOf: Self.samples.appendingPathComponent(name), encoding: .utf8)
    }

    /// The lines of a block that is indented deeper than the line that opens it.
    private func block(after line: String, in text: String, ending end: String? = nil) throws -> String {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let start = try #require(lines.firstIndex { $0.contains(line) })
        let indent = lines[start].prefix { $0 == " " }.count
        return lines[(start + 1)...].prefix {
            $0.isEmpty || $0.prefix { $0 == " " }.count > indent && end.map($0.contains) != true
        }.joined(separator: "\n")
    }

    /// What doctor, inspection and drill end with, and the job.
    struct Ends: Sendable {
        var codes: [Int]
        var expected: Int32
    }

    static let ends = [
        Ends(codes: [0, 0, 0], expected: 0), Ends(codes: [0, 1, 0], expected: 1), Ends(codes: [0, 0, 1], expected: 1),
        Ends(codes: [0, 2, 1], expected: 1), Ends(codes: [2, 1, 2], expected: 1), Ends(codes: [2, 0, 0], expected: 2),
        Ends(codes: [0, 2, 0], expected: 2), Ends(codes: [0, 64, 0], expected: 64), Ends(codes: [0, 0, 143], expected: 143),
    ]

    /// Where the samples lie that run on the runner, and in an image.
    static let forms = ["", "image/"]

    /// The steps of a whole drill.
    private func steps(_ form: String) throws -> [String] {
        let gitlab = try sample("\(form)muster-gitlab.yml")
        let drill = try #require(gitlab.range(of: "muster-drill:\n")).upperBound
        return [
            try block(after: "    - |", in: String(gitlab[drill...])),
            try block(after: "sh '''", in: try sample("\(form)muster-drill.Jenkinsfile"), ending: "'''"),
        ]
    }

    @Test(arguments: ends, forms)
    func theWorstCodeCounts(ends: Ends, form: String) async throws {
        let (codes, expected) = (ends.codes, ends.expected)
        for script in try steps(form) {
            let ended = try await run(script, codes: ["doctor": codes[0], "inspect": codes[1], "run": codes[2]])
            #expect(ended.code == expected, "\(ended.out)")
            #expect(ended.calls.map { $0.prefix { $0 != " " } } == ["doctor", "inspect", "run", "report"], "\(ended.calls)")
            // A missing quarter is red, whatever the drill of today came to.
            let missing = try await run(script, codes: ["doctor": codes[0], "inspect": codes[1], "run": codes[2], "report": 1])
            #expect(missing.code == 1, "\(missing.out)")
        }
    }

    /// Of the seven days, one.
    @Test(arguments: 1...7, forms) func onlyTheSunday(weekday: Int, form: String) async throws {
        let pod = try #require(try sample("muster-kubernetes.yaml").components(separatedBy: "domainscope-drill\"\n").last)
        let gitlab = try #require(try sample("\(form)muster-gitlab.yml").components(separatedBy: "\nmuster-drill:\n").last)
        for script in [try block(after: "- |", in: pod), try block(after: "- |", in: gitlab)] {
            let ended = try await run(script, codes: ["run": 1], weekday: weekday)
            #expect(ended.code == (weekday == 7 ? 1 : 0) && ended.calls.isEmpty == (weekday != 7), "\(ended)")
            // Where a zone is unknown, date tells the day of another one.
            let lost = try await run("TZ=Nowhere/Known\n" + script, codes: [:], weekday: weekday)
            #expect(lost.code == 2 && lost.calls.isEmpty && lost.out.contains("install tzdata"), "\(lost)")
        }
        let step = try block(after: "        run: |", in: try sample("\(form)muster-github.yml"))
        let lost = try await run("TZ=Nowhere/Known SCHEDULE=\n" + step, codes: [:], weekday: weekday, shell: ["bash", "-e"])
        #expect(lost.code == 2 && !lost.out.contains("=true"), "\(lost)")
        let quarterly = try await run("SCHEDULE='17 3 1-7 1,4,7,10 *'\n" + step, codes: [:], weekday: weekday, shell: ["bash", "-e"])
        #expect(quarterly.out == (weekday == 7 ? "inspect=true\ndrill=true\n" : ""), "\(quarterly)")
        let daily = try await run("SCHEDULE='37 6 * * *'\n" + step, codes: [:], weekday: weekday, shell: ["bash", "-e"])
        #expect(daily.out == "inspect=true\n")
        let byHand = try await run("SCHEDULE=\n" + step, codes: [:], weekday: weekday, shell: ["bash", "-e"])
        #expect(byHand.out == "inspect=true\ndrill=true\n")
    }

    /// What came in this job is kept, and what lies there from before is not kept once more.
    @Test(arguments: forms) func theNewRunsAreKept(form: String) async throws {
        let jenkins = try sample("\(form)muster-drill.Jenkinsfile")
        let github = try sample("\(form)muster-github.yml")
        let steps = try block(after: "sh '''", in: jenkins, ending: "'''")
        let post = try #require(jenkins.components(separatedBy: "always {\n").last)
        // The clock of files is coarse; a job takes longer than this.
        let ended = try await run(
            steps.replacing("codes=\n", with: "sleep 0.1; codes=\n") + "\n" + block(after: "sh '''", in: post, ending: "'''"), codes: [:])
        #expect(ended.runs == ["new-inspect", "new-run"] && ended.calls.last == "clean", "\(ended)")
        let summary = try block(after: "        run: |", in: try #require(github.components(separatedBy: "name: Summary\n").last))
        let made = "touch .muster-began; sleep 0.1; muster inspect; muster run\n"
        let told = try await run(made + summary, codes: [:], shell: ["bash", "-e"])
        #expect(told.code == 0 && told.out.hasSuffix("# inspect\n\n# run\n\n"), "\(told)")
        let large =
            "for n in $(seq 30000); do echo \"a line of some forty characters, number $n\"; done > \"$MUSTER_REPORTS/new-run/summary.md\"\n"
        let cut = try await run(made + large + summary, codes: [:], shell: ["bash", "-e"])
        #expect(cut.code == 0 && cut.out.hasSuffix("Cut here: the rest is in the artifact.\n"))
        #expect((1_000_000..<1_048_576).contains(cut.out.utf8.count))
    }

    /// Silent while green; what is mailed is red.
    @Test(arguments: [("inspect", "30 6 * * *"), ("run", "0 3 1-7 1,4,7,10 *")]) func cronMailsWhatIsRed(command: String, time: String)
        async throws
    {
        let line = try #require(try sample("muster.cron").split(separator: "\n").first { $0.hasPrefix("\(time)  muster  ") })
        let entry = line.dropFirst("\(time)  muster  ".count)
        // As cron hands it over: a bare percent sign would end it.
        #expect(!entry.replacing("\\%", with: "").contains("%") && entry.utf8.count < 1000)
        let words = String(entry.replacing("\\%", with: "%"))
        let green = try await run(words, codes: [:], shell: ["sh"])
        #expect(green.code == 0 && green.out.isEmpty && green.calls.count == (command == "run" ? 2 : 1), "\(green)")
        for code in [1, 2, 64] {
            let red = try await run(words, codes: [command: code], shell: ["sh"])
            #expect(red.out == "muster says \(command)\n" + (command == "run" ? "muster says report\n" : ""), "\(red)")
        }
        if command == "run" {
            let missing = try await run(words, codes: ["report": 1], shell: ["sh"])
            #expect(missing.out == "muster says run\nmuster says report\n", "\(missing)")
        }
        let monday = try await run(words, codes: [command: 1], weekday: 1, shell: ["sh"])
        #expect(monday.calls.isEmpty == (command == "run"))
    }
}
