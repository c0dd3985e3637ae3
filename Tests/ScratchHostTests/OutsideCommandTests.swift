// Commands outside of the quarantine: what they are told, and that their end holds for all that they started.

import Foundation
import ScratchHost
import TestSupport
import Testing

@Suite struct OutsideCommandTests {
    private func run(
        _ script: String, limit: Duration = .seconds(300), _ host: ScratchHost
    ) async throws -> (result: ToolResult?, out: String) {
        let log = host.folder.url.appendingPathComponent("hook.log")
        let result = try await host.runOutside(
            ["sh", "-c", script], environment: ["MUSTER_STEP": "stop"], workingFolder: URL(fileURLWithPath: "/"), log: log, limit: limit)
        return (result, (try? String(contentsOf: log, encoding: .utf8)) ?? "")
    }

    private func sleeping(_ mark: String) -> Int {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.filter { name in
            guard Int32(name) != nil, let words = FileManager.default.contents(atPath: "/proc/\(name)/cmdline") else { return false }
            return String(decoding: words, as: UTF8.self).contains(mark)
        }.count
    }

    @Test func theyAreToldLittle() async throws {
        setenv("MUSTER_TEST_SECRET", "hunter2", 1)
        defer { unsetenv("MUSTER_TEST_SECRET") }
        try await withScratchHost { host in
            let (result, out) = try await run("env; pwd; exit 3", host)
            #expect(result?.exitCode == 3)
            #expect(out.contains("MUSTER_STEP=stop\n") && out.contains("MUSTER_SCRATCH_ID=\(host.folder.id)\n") && out.hasSuffix("/\n"))
            #expect(!out.contains("hunter2"))
        }
    }

    /// The child has left the process group, and neither listens to SIGTERM.
    @Test(.timeLimit(.minutes(10))) func aHangingOneIsEndedWithAllThatItStarted() async throws {
        try await withScratchHost { host in
            let (result, _) = try await run("trap '' TERM; setsid sleep 4150.71 & sleep 4150.71", limit: .milliseconds(500), host)
            #expect(result == nil)
            #expect(sleeping("4150.71") == 0)
        }
    }

    @Test(.timeLimit(.minutes(10))) func cancellingEndsItToo() async throws {
        try await withScratchHost { host in
            let task = Task { try await run("setsid sleep 4150.72 & sleep 4150.72", host) }
            while sleeping("4150.72") < 2 { try await Task.sleep(for: .milliseconds(20)) }
            task.cancel()
            await #expect(throws: CancellationError.self) { _ = try await task.value }
            #expect(sleeping("4150.72") == 0)
        }
    }

    @Test func oneThatIsNotThere() async throws {
        try await withScratchHost { host in
            _ = await #expect(throws: ScratchError.self) {
                _ = try await host.runOutside(
                    ["muster-no-such-program"], environment: [:], workingFolder: URL(fileURLWithPath: "/"),
                    log: host.folder.url.appendingPathComponent("log"), limit: .seconds(300))
            }
        }
    }
}
