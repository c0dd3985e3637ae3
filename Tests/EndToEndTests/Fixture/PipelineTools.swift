// The tools of others that judge what `muster init pipeline` writes: systemd's own, and packages that scripts/setup-tests brings.

import Foundation
import Testing

enum PipelineTools {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// Where the Python packages are; in CI also where they are missing, so that a test fails by that.
    private static let packages = brought("pipeline-readers")
    private static let linter = brought("workflow-linter")

    private static func brought(_ folder: String) -> String? {
        ["/opt/muster-test", root.appendingPathComponent(".build/muster-test").path].map { "\($0)/\(folder)" }
            .first { FileManager.default.fileExists(atPath: $0) } ?? (Program.inCI ? "missing" : nil)
    }

    static let areHere =
        packages != nil && linter != nil && (FileManager.default.isExecutableFile(atPath: "/usr/bin/systemd-analyze") || Program.inCI)

    private static func python(_ words: [String], in folder: URL) async throws -> Outcome {
        try await Program.run(
            ["python3", "-W", "ignore"] + words, environment: ["PYTHONPATH": try #require(packages), "PYTHONUTF8": "1"], folder: folder)
    }

    /// What gives a workflow's secrets or its runner away: expressions inside of scripts, tokens that stay, rights too many.
    private static func lint(_ workflow: String, in folder: URL) async throws -> Outcome {
        // GitHub's own actions by their version, so that they stay mended.
        let rules = "rules: {unpinned-uses: {config: {policies: {\"actions/*\": ref-pin, \"*\": hash-pin}}}}\n"
        try Data(rules.utf8).write(to: folder.appendingPathComponent("zizmor.yml"))
        return try await Program.run(
            [try #require(linter) + "/bin/zizmor", "--offline", "--no-progress", "--config", "zizmor.yml", workflow], folder: folder)
    }

    /// Judges one file by its name.
    static func judge(_ file: URL) async throws -> Outcome {
        let (name, folder) = (file.lastPathComponent, file.deletingLastPathComponent())
        func schema(_ kind: String) async throws -> Outcome {
            try await python(["-m", "check_jsonschema", "--builtin-schema", kind, name], in: folder)
        }
        switch name {
        case "muster-github.yml":
            let outcome = try await schema("vendor.github-workflows")
            return outcome.code == 0 ? try await lint(name, in: folder) : outcome
        case "muster-gitlab.yml":
            // The schema lets everything pass in a job whose name begins with a dot: so it is judged under another one.
            let text = try String(contentsOf: file, encoding: .utf8)
            try Data(text.replacing("\n.muster:\n", with: "\nshown:\n  script: [\"true\"]\n").utf8).write(to: file)
            return try await schema("vendor.gitlab-ci")
        case "muster-kubernetes.yaml":
            let program = "\(try #require(packages))/bin/kubernetes-validate"
            // Without --strict an unknown key passes.
            for version in ["1.29", "1.33"] {
                let outcome = try await python([program, "-k", version, "--strict", name], in: folder)
                if outcome.code != 0 { return outcome }
            }
            return try await python([program, "-k", "1.37", "--strict", name], in: folder)
        case _ where name.hasSuffix(".Jenkinsfile"):
            let script = "import sys; from groovy_parser.parser import parse_groovy_content as p; p(open(sys.argv[1]).read())"
            return try await python(["-c", script, name], in: folder)
        default:
            // Only so do unknown keys and values that can't be parsed count; and of a timer the service is not looked at.
            return try await Program.run(["systemd-analyze", "verify", "--recursive-errors=no", "./\(name)"], folder: folder)
        }
    }
}
