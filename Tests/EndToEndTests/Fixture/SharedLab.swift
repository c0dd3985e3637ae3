// The one lab that all end-to-end tests copy from: made on first use, gone when the tests end.

import Foundation
import Glibc
import Testing

/// Where this run of the tests keeps its files.
enum Workspace {
    /// Short, since sockets live below it.
    static let root = URL(fileURLWithPath: "/tmp/me2e-\(getpid())", isDirectory: true)
    static let prefix = "me2e-"

    /// Makes it, and removes what a killed run of the tests left.
    static func open() throws {
        let above = root.deletingLastPathComponent()
        for name in try FileManager.default.contentsOfDirectory(atPath: above.path) where name.hasPrefix(prefix) {
            guard let pid = Int32(name.dropFirst(prefix.count)), kill(pid, 0) != 0, errno == ESRCH else { continue }
            try? FileManager.default.removeItem(at: above.appendingPathComponent(name))
        }
        try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
        atexit { try? FileManager.default.removeItem(at: Workspace.root) }
    }
}

struct NoLab: Error {
    var said: String
}

/// The shared lab. Tests never change it: each copies what it needs to a ``Fixture``.
actor SharedLab {
    static let shared = SharedLab()
    static let days = 4
    static let rows = 60

    private var making: Task<URL, any Error>?

    func folder() async throws -> URL {
        if let making { return try await making.value }
        let task = Task {
            try Workspace.open()
            let folder = Workspace.root.appendingPathComponent("lab", isDirectory: true)
            let made = try await Program.run(
                [Program.muster, "lab", "create", folder.path, "--days", String(Self.days), "--rows", String(Self.rows)],
                environment: NewerPostgres.environment.merging(["MUSTER_SCRATCH_ROOT": Workspace.root.path]) { $1 })
            // An error of its own: a failed #require is told once, and every other test that waits for the lab would pass.
            guard made.code == 0 else { throw NoLab(said: made.text) }
            return folder
        }
        making = task
        return try await task.value
    }
}

/// The lab's servers, for the tests that need a living source: started for one body at a time. Who needs a fixture takes that one first.
actor LiveSource {
    static let shared = LiveSource()
    private var isTaken = false

    func with<Value: Sendable>(_ body: @Sendable (_ sockets: String) async throws -> Value) async throws -> Value {
        while isTaken { try await Task.sleep(for: .milliseconds(50)) }
        isTaken = true
        defer { isTaken = false }
        let folder = try await SharedLab.shared.folder()
        let started = try await Program.require([Program.muster, "lab", "start", folder.path])
        let sockets = try #require(started.out.split(separator: "\n").first?.split(separator: " ").last.map(String.init))
        do {
            let value = try await body(sockets)
            try await stop(folder, sockets)
            return value
        } catch {
            try await stop(folder, sockets)
            throw error
        }
    }

    private func stop(_ folder: URL, _ sockets: String) async throws {
        let stopped = try await Program.run([Program.muster, "lab", "stop", folder.path])
        #expect(stopped.code == 0, "\(stopped.text)")
        #expect(!FileManager.default.fileExists(atPath: sockets))
        #expect(ProcessList.mentioning(folder.path + "/source").isEmpty)
    }
}

/// As many tests at once as two cores bear: signals and clocks are tested here.
actor ConcurrencyLimit {
    static let shared = ConcurrencyLimit()
    private var free = 2
    private var waiting: [CheckedContinuation<Void, Never>] = []

    func enter() async {
        if free > 0 {
            free -= 1
        } else {
            await withCheckedContinuation { waiting.append($0) }
        }
    }

    /// Lets a body through when its turn has come.
    nonisolated func pass(_ body: @Sendable () async throws -> Void) async throws {
        await enter()
        do {
            try await body()
        } catch {
            await leave()
            throw error
        }
        await leave()
    }

    func leave() {
        if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() }
    }
}
