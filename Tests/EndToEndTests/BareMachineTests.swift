// Machines and users that lack what Muster takes for granted elsewhere: it starts, and `muster doctor` says what lacks and the mend.

import Foundation
import ServerVersions
import Testing

struct BareMachineTests {
    static let canMount = MachineTroubleTests.canMount

    /// A look at the machine alone: no estate is found.
    private func doctor(
        behind prefix: [String] = [], _ words: [String] = [], environment: [String: String] = [:],
        in folder: URL = URL(fileURLWithPath: "/tmp")
    ) async throws -> Outcome {
        let own = ["HOME": "/nonexistent", "MUSTER_CONFIG_DIRS": "/nonexistent"]
        let outcome = try await Program.run(
            prefix + [Program.muster, "doctor"] + words, environment: own.merging(environment) { $1 }, folder: folder)
        #expect(outcome.code == 0 || outcome.code == 2, "\(outcome.text)")
        #expect(outcome.err == "", "\(outcome.err)")
        return outcome
    }

    /// In mounts of its own.
    private func mounted(_ script: String) -> [String] { ["unshare", "--mount", "sh", "-ec", "\(script); exec \"$@\"", "sh"] }

    private func expectMissing(_ outcome: Outcome, _ parts: String..., location: SourceLocation = #_sourceLocation) {
        #expect(outcome.code == 2, "\(outcome.text)", sourceLocation: location)
        for part in parts { #expect(outcome.out.contains(part), "\(part): \(outcome.text)", sourceLocation: location) }
    }

    @Test func theServersThatThereAre() async throws {
        let looked = try await doctor()
        #expect(looked.out.contains(/✓ postgres \d+/) && looked.out.contains(/✓ (redis|valkey) \d+\.\d+/), "\(looked.text)")
    }

    @Test(.enabled(if: canMount, "what hides programs needs root and a mount")) func noServers() async throws {
        let bare = ["PATH": "/usr/bin:/bin", "MUSTER_PG_BIN": "", "MUSTER_REDIS_BIN": ""]
        let postgres = try await doctor(behind: mounted("mount -t tmpfs none /usr/lib/postgresql"), environment: bare)
        expectMissing(postgres, "✗ postgres: ", "apt-get install postgresql", "MUSTER_PG_BIN")
        let hide = "for f in /usr/bin/redis-server /usr/bin/valkey-server; do [ ! -e $f ] || mount --bind /dev/null $f; done"
        expectMissing(
            try await doctor(behind: mounted(hide), environment: bare), "✗ redis-server or valkey-server: ", "apt-get install redis-server",
            "MUSTER_REDIS_BIN")
    }

    /// Encrypted dumps say nothing of their version, and their seals do.
    @Test(
        .enabled(if: canMount, "what hides programs needs root and a mount"),
        .enabled(if: Installation.postgres14.isHere, "scripts/setup-tests brings PostgreSQL 14"))
    func serversOfAnotherMajorAlone() async throws {
        try await Fixture.with { fixture in
            let older = try Installation.postgres14.requireBin()
            let environment = ["PATH": "/usr/bin:/bin", "MUSTER_PG_BIN": older, "MUSTER_SCRATCH_ROOT": fixture.scratch.path]
            let hidden = mounted("mount -t tmpfs none /usr/lib/postgresql")
            let estate = try await Program.run(hidden + [Program.muster, "doctor", fixture.estate.path], environment: environment)
            #expect(estate.code == 2 && estate.out.contains(/✗ postgres \d+ or newer: postgres\/daily is of postgres/), "\(estate.text)")
            #expect(estate.out.contains("this machine has 14") && estate.out.contains("apt-get install postgresql-"), "\(estate.text)")
            let machine = try await doctor(behind: hidden, environment: environment)
            #expect(machine.out.contains("✓ postgres 14\n"), "\(machine.text)")
        }
    }

    /// Neither is called: what they do is Muster's own.
    @Test(.enabled(if: canMount, "what hides programs needs root and a mount")) func neitherUnshareNorSetpriv() async throws {
        try await Fixture.with { fixture in
            let hidden = mounted("for f in $(command -v unshare setpriv); do mount --bind /dev/null $f; done")
            let environment = ["MUSTER_SCRATCH_ROOT": fixture.scratch.path]
            let words = ["run", try fixture.drillFile().path, "--output", fixture.reports.path]
            let drill = try await Program.run(hidden + [Program.muster] + words, environment: environment)
            #expect(drill.code == 0, "\(drill.text)")
        }
    }

    /// As a container with `--read-only` and without a tmpfs.
    @Test(.enabled(if: canMount, "a read-only root needs root and a mount")) func aReadOnlyRoot() async throws {
        let root = FileManager.default.temporaryDirectory.appendingPathComponent("me2e-root-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
        defer { rmdir(root.path) }
        let script = """
            mount --rbind / \(root.path); mount -o remount,ro,bind \(root.path)
            mount --bind \(root.path)/tmp \(root.path)/tmp; mount -o remount,ro,bind \(root.path)/tmp; set -- chroot \(root.path) "$@"
            """
        expectMissing(try await doctor(behind: mounted(script)), "✗ scratch folder /tmp: ", "read-only file system", "--tmpfs /tmp")
        let run = try await Program.run(mounted(script) + [Program.muster, "inspect", "/nonexistent/estate.yaml"])
        #expect(run.code == 64, "it starts: \(run.text)")
    }

    @Test func aScratchFolderThatWillNotDo() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("me2e-bare-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appendingPathComponent("file")
        try Data().write(to: file)
        expectMissing(try await doctor(["--scratch", file.path]), "not a directory", "MUSTER_SCRATCH_ROOT")
        let unmounted = "/var/tmp/me2e-unmounted-\(UUID().uuidString.prefix(8))"
        expectMissing(try await doctor(["--scratch", unmounted]), "the scratch folder \(unmounted) isn't there", "mount its disk")
        #expect(!FileManager.default.fileExists(atPath: unmounted))
        // Set to nothing, it isn't the working folder.
        let empty = try await doctor(environment: ["MUSTER_SCRATCH_ROOT": ""], in: folder)
        #expect(empty.out.contains("scratch folder /tmp: "), "\(empty.text)")
        guard Program.isRoot, Program.canRun(behind: Program.asOther) else { return }
        let closed = try await doctor(behind: Program.asOther, ["--scratch", folder.path])
        expectMissing(closed, "permission denied", "--scratch or MUSTER_SCRATCH_ROOT")
    }

    /// Nothing that is to be found by name: whatever it would then try seems to be refused.
    @Test func aPathThatLeadsNowhere() async throws {
        let nowhere = try await doctor(environment: ["PATH": "/nonexistent"])
        expectMissing(nowhere, "✗ quarantine: PATH leads to none of the system's own programs", "mend: PATH=")
        #expect(!nowhere.out.contains("quarantine: none"), "\(nowhere.text)")
        // What is set to nothing isn't set.
        let empty = try await doctor(environment: ["PATH": ""])
        let usual = try await doctor(environment: ["PATH": "/usr/local/bin:/usr/bin:/bin"])
        #expect(empty.code == usual.code && empty.out.contains("✓ unprivileged user"), "\(empty.text)")
        try await Fixture.with { fixture in
            let drill = try await fixture.run(
                ["run", try fixture.drillFile().path, "--output", "r"], environment: ["PATH": "/nonexistent"])
            #expect(drill.code == 2 && drill.err.contains("PATH leads to none"), "no drill without a quarantine for that: \(drill.text)")
        }
    }

    /// An id of OpenShift's own choice; and an environment in which somebody says a name that this machine doesn't know.
    @Test(.enabled(if: Program.isRoot && Program.canRun(behind: Program.asOther), "another user's id needs root"))
    func aUserOfNoName() async throws {
        let other = ["setpriv", "--reuid=1000680000", "--regid=0", "--clear-groups", "--"]
        guard Program.canRun(behind: other) else { return }
        for environment in [[:], ["USER": "app", "LOGNAME": "app"]] {
            let looked = try await doctor(behind: other, environment: environment)
            expectMissing(looked, "✗ unprivileged user: user id 1000680000 has no name", "muster:x:1000680000:0::/:/bin/sh")
        }
    }

    @Test func noHomeAndNoEnvironment() async throws {
        let outcome = try await Program.run(["env", "-i", Program.muster, "doctor"], folder: URL(fileURLWithPath: "/tmp"))
        #expect([0, 2].contains(outcome.code) && outcome.out.contains("✓ scratch folder"), "\(outcome.text)")
        #expect(!outcome.out.contains(".config"), "without a home there is no configuration of the user's own: \(outcome.text)")
    }

    /// There every command line reads as an empty one, which is answered by the help and 0.
    @Test(.enabled(if: canMount, "hiding /proc needs root and a mount")) func noProc() async throws {
        for words in [["doctor"], ["run", "/nonexistent"], ["--version"]] {
            let outcome = try await Program.run(mounted("umount -l /proc") + [Program.muster] + words)
            #expect(outcome.code == 2 && outcome.out == "", "\(words) \(outcome.text)")
            #expect(outcome.err.contains("/proc can't be read") && outcome.err.contains("hint: "), "\(outcome.err)")
        }
    }
}
