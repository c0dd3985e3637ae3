// A server that a drill started: alive or not, and how it is ended.

import Foundation
import Glibc
import Subprocess
import Synchronization
import SystemPackage

/// A running child process that is meant to outlive the step that started it.
public final class ServerProcess: Sendable {
    /// Shared between this object and the task that waits for the child.
    private final class Watch: Sendable {
        let ending = Mutex<ToolResult?>(nil)
    }

    /// The server's own, by our number.
    public let pid: Int32
    /// That of the process which put it into the quarantine, and waits for it: in the same network, and of Muster's own user.
    public let keeper: Int32
    /// Whether it may call others' sockets.
    let connects: Bool
    private let watch: Watch
    private let waiter: Task<Void, Never>

    private init(pid: Int32, keeper: Int32, connects: Bool, watch: Watch, waiter: Task<Void, Never>) {
        self.pid = pid
        self.keeper = keeper
        self.connects = connects
        self.watch = watch
        self.waiter = waiter
    }

    /// How it ended; nil while it runs.
    public var ending: ToolResult? { watch.ending.withLock { $0 } }

    /// Starts it and returns as soon as it has a process id.
    ///
    /// - Parameters:
    ///   - command: Its command line inside of the quarantine.
    ///   - pidFile: Where the quarantine's program writes the id of the server itself; removed again.
    static func start(
        _ command: [String], pidFile: URL, connects: Bool, environment: [String: String], workingFolder: URL, log: URL
    ) async throws(ScratchError) -> ServerProcess {
        let configuration = try ToolRunner.configuration(command, environment: environment, workingFolder: workingFolder)
        let watch = Watch()
        let (started, continuation) = AsyncThrowingStream<Int32, any Error>.makeStream()
        // Detached: a cancelled drill must still end its servers in order, so they don't end with the task that started them.
        let waiter = Task.detached {
            do {
                let descriptor = try UnlinkedFile.append(log)
                let result = try await Subprocess.run(
                    configuration, input: .none, output: .fileDescriptor(descriptor, closeAfterSpawningProcess: true),
                    error: .combinedWithOutput
                ) { execution in
                    continuation.yield(execution.processIdentifier.value)
                }
                watch.ending.withLock { $0 = ToolResult(result.terminationStatus, output: "") }
                continuation.finish()
            } catch {
                watch.ending.withLock { $0 = $0 ?? ToolResult(exitCode: nil, signal: nil, output: "") }
                continuation.finish(throwing: error)
            }
        }
        // Detached as well: a stream ends for a cancelled reader, and the server would run on with nobody holding it.
        let pid = await Task.detached { () -> Int32? in
            do {
                for try await pid in started { return pid }
            } catch {}
            return nil
        }.value
        if let pid {
            let own = await Task.detached { await ownID(in: pidFile, watch) }.value
            try? FileManager.default.removeItem(at: pidFile)
            if let ending = watch.ending.withLock({ $0 }), ending.exitCode == ScratchHost.noQuarantine, own == nil {
                throw ScratchError(
                    .refused, "the quarantine for a server could not be set up: \(lastLine(of: log))",
                    hint: "run muster doctor on this machine")
            }
            return ServerProcess(pid: own ?? pid, keeper: pid, connects: connects, watch: watch, waiter: waiter)
        }
        throw ScratchError(
            .toolFailed, "\(command.first ?? "the server") could not be started", hint: "try it by hand: \(command.joined(separator: " "))")
    }

    /// The server's own process id, which is not that of the program that put it into the quarantine; nil where that ended before.
    private static func ownID(in file: URL, _ watch: Watch) async -> Int32? {
        while true {
            let isOver = watch.ending.withLock { $0 != nil }
            if let text = try? String(contentsOf: file, encoding: .utf8), let pid = Int32(text.trimmingCharacters(in: .newlines)) {
                return pid
            }
            if isOver { return nil }
            try? await Task.sleep(for: .milliseconds(1))
        }
    }

    private static func lastLine(of log: URL) -> String {
        let text = UnlinkedFile.data(log).map { String(decoding: $0, as: UTF8.self) } ?? ""
        return text.split(separator: "\n").last.map(String.init) ?? "no word why"
    }

    /// Ends it: each signal with its patience, then SIGKILL. Returns when it is gone, even where the caller was cancelled.
    public func stop(_ sequence: [(signal: Int32, patience: Duration)]) async {
        let waiter = waiter
        await Task.detached { [self] in
            for (signal, patience) in sequence {
                guard ending == nil else { break }
                kill(pid, signal)
                wakeWatchers()
                let deadline = ContinuousClock.now + patience
                while ending == nil, ContinuousClock.now < deadline { try? await Task.sleep(for: .milliseconds(5)) }
                wakeWatchers()
            }
            if ending == nil { kill(pid, SIGKILL) }
            while ending == nil {
                wakeWatchers()
                try? await Task.sleep(for: .milliseconds(20))
            }
            await waiter.value
        }.value
    }

    /// Those that wait for it may have been stopped, and would never say that it is over: the one outside, and the first one inside.
    private func wakeWatchers() {
        guard ending == nil else { return }
        if let first = ProcessTable.child(of: keeper), first != pid { kill(first, SIGCONT) }
        kill(keeper, SIGCONT)
    }
}
