// Where a user's own limits stand in a drill's way, and not the backup: few open files, and a user id without a name.

import Foundation
import Glibc
import Testing

struct MachineLimitTests {
    private func run(_ fixture: Fixture, behind prefix: [String], _ words: [String]) async throws -> Outcome {
        try await Program.start(
            prefix + [Program.muster] + words, environment: ["MUSTER_SCRATCH_ROOT": fixture.scratch.path], folder: fixture.folder
        ).outcome()
    }

    /// As `ulimit -n`, which sets both, and `ulimit -Sn`, which leaves room.
    private func limited(_ limit: String) -> [String] { ["sh", "-c", "ulimit \(limit) && exec \"$@\"", "sh"] }

    /// It takes what it may have, and the servers with it.
    @Test func fewOpenFilesByHabit() async throws {
        try await Fixture.with { fixture in
            let file = try fixture.drillFile("postgres")
            let outcome = try await run(fixture, behind: limited("-S -n 24"), ["run", file.path, "--output", fixture.reports.path])
            #expect(outcome.code == 0, "\(outcome.text)")
        }
    }

    /// Where it can't have enough, it says so instead of ending or hanging half-way.
    @Test(arguments: [12, 24, 40, 255]) func fewOpenFilesForGood(limit: Int) async throws {
        try await Fixture.with { fixture in
            let file = try fixture.drillFile("postgres")
            for words in [["run", file.path, "--output", fixture.reports.path], ["doctor", fixture.estate.path]] {
                let outcome = try await run(fixture, behind: limited("-n \(limit)"), words)
                #expect(outcome.code == 2, "\(outcome.text)")
                #expect(
                    outcome.err.contains("may have \(limit) files open at once") && outcome.err.contains("hint: raise"), "\(outcome.text)")
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: fixture.reports.path).isEmpty, "nothing was begun")
        }
    }

    /// As `docker run --user 12345` gives.
    @Test(.enabled(if: MachineTroubleTests.canMount, "another user's id and names need root and a mount")) func aUserWithoutAName()
        async throws
    {
        try await Fixture.with { fixture in
            let (user, group) = (Int(getuid()) + 61_234, 61_234)
            try await Program.require(["chown", "-R", "\(user):\(group)", fixture.folder.path])
            let other = ["setpriv", "--reuid=\(user)", "--regid=\(group)", "--clear-groups", "--"]
            guard Program.canRun(behind: other) else { return }
            let doctor = try await run(fixture, behind: other, ["doctor", fixture.estate.path])
            #expect(doctor.code == 2 && doctor.out.contains("✗ unprivileged user: user id \(user) has no name"), "\(doctor.text)")
            #expect(doctor.out.contains("useradd --system --uid \(user)"), "\(doctor.text)")

            let file = try fixture.drillFile("postgres")
            let nameless = try await run(fixture, behind: other, ["run", file.path, "--output", fixture.reports.path])
            #expect(nameless.code == 2 && nameless.out.contains("user id \(user) has no name on this machine"), "\(nameless.text)")
            #expect(nameless.out.contains("-v FILE:/etc/passwd:ro"), "\(nameless.text)")
            let redis = try await run(
                fixture, behind: other, ["run", try fixture.drillFile("redis").path, "--output", fixture.reports.path])
            #expect(redis.code == 0, "a Redis asks for no name: \(redis.text)")

            // The mend that it names.
            let names = fixture.folder.appendingPathComponent("passwd")
            let text = try String(contentsOfFile: "/etc/passwd", encoding: .utf8) + "muster:x:\(user):\(group)::/:/bin/sh\n"
            try Data(text.utf8).write(to: names)
            try await Program.require(["chmod", "644", names.path])
            let shown = ["unshare", "--mount", "sh", "-c", "mount --bind \(names.path) /etc/passwd && exec \"$@\"", "sh"]
            let named = try await run(fixture, behind: shown + other, ["run", file.path, "--output", fixture.reports.path])
            #expect(named.code == 0, "\(named.text)")
            try await Program.require(["chown", "-R", "0:0", fixture.folder.path])
        }
    }
}
