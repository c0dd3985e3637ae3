// The ledger, as the built program writes and verifies it.

import Foundation
import Testing

struct EvidenceCommandTests {
    /// Has the fixture's estate record its runs.
    static func record(on fixture: Fixture) async throws -> URL {
        let key = fixture.lab.appendingPathComponent("keys/evidence.key").path
        let trust = fixture.lab.appendingPathComponent("keys/evidence.pub")
        try await Program.require(["openssl", "genpkey", "-algorithm", "ed25519", "-out", key])
        try await Program.require(["chmod", "600", key])
        try await Program.require(["openssl", "pkey", "-in", key, "-pubout", "-out", trust.path])
        try fixture.editEstate(
            "\nseals:", "\nevidence: {sign-with: {file: keys/evidence.key}, trust: [keys/evidence.pub]}\nseals:")
        return trust
    }

    private func head(_ outcome: Outcome) throws -> String {
        let match = try #require(outcome.out.firstMatch(of: /(?m)^ +ledger ([0-9]+:[0-9a-f]{64})$/), "\(outcome.text)")
        return String(match.1)
    }

    private var script: String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("scripts/verify-evidence").path
    }

    @Test func runsAreRecordedAndDamageIsFound() async throws {
        try await Fixture.with { fixture in
            let trust = try await Self.record(on: fixture)
            let output = ["--output", fixture.reports.path]
            let secrets = [
                "MARKER_SECRET": "marker-4711", "GITLAB_CI": "true", "CI_JOB_URL": "https://git.example/j/1?token=marker-4711",
                "CI_JOB_TOKEN": "marker-4711",
            ]
            // Two at once, and one of a drill.
            async let first = fixture.run(["inspect", fixture.estate.path] + output, environment: secrets)
            async let second = fixture.run(["inspect", fixture.estate.path] + output, environment: secrets)
            let inspections = try await [first, second]
            let heads = try inspections.map(head).sorted()
            #expect(heads[0].hasPrefix("1:") && heads[1].hasPrefix("2:"))
            let drill = try await fixture.run(
                ["run", fixture.drills.appendingPathComponent("quick-look.yaml").path] + output, environment: secrets)
            #expect(drill.code == 0, "\(drill.text)")
            let newest = try head(drill)

            let verify = ["evidence", "verify", "--head", newest] + output
            let whole = try await fixture.run(verify + ["--estate", fixture.estate.path])
            #expect(whole.code == 0 && whole.out.contains("✓ the ledger is whole: 3 entries of 3 runs"), "\(whole.text)")
            #expect(whole.out.contains("head \(newest)"))
            let shell = try await Program.run(["bash", script, fixture.reports.path, trust.path, newest])
            #expect(shell.code == 0, "\(shell.text)")
            let ledger = fixture.reports.appendingPathComponent("ledger.jsonl")
            let text = try Data(contentsOf: ledger)
            let payloads = try String(decoding: text, as: UTF8.self).split(separator: "\n").map { line -> String in
                let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
                return String(decoding: Data(base64Encoded: object["payload"] as? String ?? "") ?? Data(), as: UTF8.self)
            }
            #expect(payloads[2].contains("\"kind\":\"gitlab-ci\"") && payloads[2].contains("quick-look.yaml"))
            #expect(!payloads.joined().contains("marker-4711"))
            // It is no run.
            let history = try await fixture.run(["history"] + output)
            #expect(history.code == 0 && history.out.split(separator: "\n").count == 4, "\(history.text)")

            // A disk that is full for the ledger alone: a long line that a kill left leaves no room for the next.
            let limit = 8 << 20
            let torn = Data(#"{"payload":""#.utf8) + Data(repeating: UInt8(ascii: "A"), count: limit - text.count - 100)
            try (text + torn).write(to: ledger)
            let full = try await Program.run(
                [
                    "bash", "-c", "trap '' XFSZ; ulimit -f \(limit / 1024); exec \"$@\"", "muster", Program.muster, "run",
                    fixture.drills.appendingPathComponent("quick-look.yaml").path,
                ] + output, environment: ["MUSTER_SCRATCH_ROOT": fixture.scratch.path])
            #expect(full.code == 2 && full.err.contains("the disk is full") && full.out.contains("report.json"), "\(full.text)")
            #expect(try Data(contentsOf: ledger) == text + torn)
            try text.write(to: ledger)

            var lines = String(decoding: text, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
            lines.swapAt(0, 1)
            try Data(lines.joined(separator: "\n").utf8).write(to: ledger)
            let swapped = try await fixture.run(verify + ["--trust", trust.path])
            #expect(swapped.code == 1 && swapped.out.contains("line 1: run-") && swapped.out.contains("reordered"), "\(swapped.text)")
            try text.write(to: ledger)
            let run = try #require(payloads[2].firstMatch(of: /"run":"(run-[^"]*)"/)).1
            try fixture.change(fixture.reports.appendingPathComponent("\(run)/report.json")) { $0[$0.count / 2] ^= 1 }
            let altered = try await fixture.run(verify + ["--trust", trust.path])
            #expect(altered.code == 1 && altered.out.contains("line 3: \(run): altered: \(run)/report.json"), "\(altered.text)")
            #expect(try await Program.run(["bash", script, fixture.reports.path, trust.path]).code == 1)

            // What is red stays red where the ledger can't be written.
            try FileManager.default.removeItem(at: ledger)
            try FileManager.default.createDirectory(at: ledger, withIntermediateDirectories: true)
            for artifact in try fixture.artifacts(in: fixture.snapshots) { try Data("no snapshot".utf8).write(to: artifact) }
            let red = try await fixture.run(["inspect", fixture.estate.path] + output)
            #expect(red.code == 1 && red.err.contains("the run is not in the ledger"), "\(red.text)")
        }
    }

    @Test func wrongUsageAndMissingKeys() async throws {
        try await Fixture.with { fixture in
            let output = ["--output", fixture.reports.path]
            #expect(try await fixture.run(["evidence", "verify"] + output).code == 64)
            #expect(try await fixture.run(["evidence", "verify", "--estate", fixture.estate.path] + output).code == 64)
            let trust = try await Self.record(on: fixture)
            #expect(try await fixture.run(["evidence", "verify", "--trust", trust.path, "--head", "x"] + output).code == 64)
            let none = try await fixture.run(["evidence", "verify", "--estate", fixture.estate.path] + output)
            #expect(none.code == 2 && none.err.contains("there is no ledger"), "\(none.text)")
            try FileManager.default.removeItem(at: fixture.lab.appendingPathComponent("keys/evidence.key"))
            let keyless = try await fixture.run(["inspect", fixture.estate.path] + output)
            #expect(keyless.code == 2 && keyless.err.contains("evidence.sign-with") && keyless.err.contains("hint: "), "\(keyless.text)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: fixture.reports.path) == [])
        }
    }
}
