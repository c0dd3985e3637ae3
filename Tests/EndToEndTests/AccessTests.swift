// What this user may not read is neither healthy nor not: an error, and no older backup is taken for it.

import Foundation
import Glibc
import Testing

struct AccessTests {
    private static let isPossible = !Program.isRoot || Program.canRun(behind: Program.asOther)

    private func muster(_ fixture: Fixture, _ words: [String]) async throws -> Outcome {
        try await Program.start(
            (Program.isRoot ? Program.asOther : []) + [Program.muster] + words, environment: ["MUSTER_SCRATCH_ROOT": fixture.scratch.path],
            folder: fixture.folder
        ).outcome()
    }

    /// The artifact, its seal, and a folder on the way to it.
    @Test(.enabled(if: isPossible, "the built program lies where only root may run it"), arguments: ["artifact", "seal", "folder"])
    func aDrillThatMayNotRead(what: String) async throws {
        try await Fixture.with { fixture in
            let newest = try fixture.newest("postgres")
            let file = ["artifact": newest, "seal": fixture.seal(of: newest)][what] ?? fixture.dumps
            let drill = try fixture.drillFile("postgres", select: "latest-healthy")
            if Program.isRoot { try await Program.require(["chown", "-R", "65534:65534", fixture.folder.path]) }
            try await Program.require(["chmod", "000", file.path])
            let output = fixture.reports.appendingPathComponent("denied")
            let outcome = try await muster(fixture, ["run", drill.path, "--output", output.path])
            let run = try #require(try Fixture.runFolder(in: output, outcome).report().drills.first)
            #expect(outcome.code == 2, "\(outcome.text)")
            let finding = try #require(run.findings.first { $0.rule == "access-denied" }, "\(run.findings)")
            #expect(finding.message.contains(file.lastPathComponent) && !finding.hint.isEmpty)
            #expect(!run.findings.contains { $0.rule == "recovery-point-bad" } && !run.cases.contains { $0.verdict == "failed" })
            let looked = try await muster(fixture, ["doctor", fixture.estate.path])
            #expect(looked.code == 2 && looked.out.contains("✗ read access to postgres/daily"), "\(looked.text)")
            let inspected = try await muster(fixture, ["inspect", fixture.estate.path, "--output", fixture.reports.path])
            #expect(inspected.out.contains("access-denied"), "\(inspected.text)")
            #expect(!inspected.out.contains("artifact-unreadable") && !inspected.out.contains("seal-unreadable"))
            try await Program.require(["chmod", "700", file.path])
        }
    }
}
