// Runs programs as a user would: the built muster first of all, never anything in-process.

import Foundation
import Glibc
import Synchronization
import Testing

/// How a program ended and what it said.
struct Outcome: Sendable {
    /// The exit code; 128 and the signal's number where one ended it.
    var code: Int32
    var out: String
    var err: String
    var took: Duration

    var text: String { out + err }
}

/// A program that runs.
final class Running: Sendable {
    let pid: Int32
    private let result: Task<Outcome, Never>

    fileprivate init(pid: Int32, result: Task<Outcome, Never>) {
        self.pid = pid
        self.result = result
    }

    func send(_ signal: Int32) { kill(pid, signal) }

    func outcome() async -> Outcome { await result.value }
}

enum Program {
    /// The muster that was built beside this test bundle; `MUSTER_E2E_BINARY` names another, such as a release build.
    static let muster: String = {
        if let named = ProcessInfo.processInfo.environment["MUSTER_E2E_BINARY"] { return named }
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
        let beside = URL(fileURLWithPath: own).deletingLastPathComponent().appendingPathComponent("muster").path
        if access(beside, X_OK) == 0 { return beside }
        // A runner that loads the bundle names it among its arguments.
        let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") } ?? own
        return URL(fileURLWithPath: bundle).deletingLastPathComponent().appendingPathComponent("muster").path
    }()

    /// Somebody else than root, who may read everything.
    static let asOther = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]

    /// Whether the built program can be run behind these words here.
    static func canRun(behind prefix: [String]) -> Bool {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = prefix + [muster, "--version"]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }

    /// What programs see of our environment: nothing that would change their answers.
    static let environment: [String: String] = {
        let own = ProcessInfo.processInfo.environment
        return own.filter { ["PATH", "MUSTER_PG_BIN", "LD_LIBRARY_PATH"].contains($0.key) }.merging(["HOME": "/tmp", "LC_ALL": "C.UTF-8"]) {
            $1
        }
    }()

    static func start(
        _ words: [String], environment: [String: String] = [:], folder: URL, patience: Duration = .seconds(600)
    ) throws -> Running {
        // Files rather than pipes: nothing has to be drained while the program runs, and a child that lives on can't hold us up.
        let names = ["out", "err"].map { FileManager.default.temporaryDirectory.appendingPathComponent("me2e-\($0)-\(UUID().uuidString)") }
        for name in names { try Data().write(to: name) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["--"] + words
        process.environment = Self.environment.merging(environment) { $1 }
        process.currentDirectoryURL = folder
        process.standardInput = FileHandle.nullDevice
        let outputs = try names.map { try FileHandle(forWritingTo: $0) }
        // A test that asks again and again would otherwise come to thousands of them.
        defer { for output in outputs { try? output.close() } }
        process.standardOutput = outputs[0]
        process.standardError = outputs[1]
        let (ended, continuation) = AsyncStream<Int32>.makeStream()
        process.terminationHandler = { process in
            let code = process.terminationReason == .exit ? process.terminationStatus : 128 + process.terminationStatus
            continuation.yield(code)
            continuation.finish()
        }
        let started = ContinuousClock.now
        try process.run()
        let pid = process.processIdentifier
        let result = Task {
            let watchdog = Task {
                try await Task.sleep(for: patience)
                Issue.record("\(words.joined(separator: " ")) did not end within \(patience)")
                kill(pid, SIGKILL)
            }
            var code: Int32 = -1
            for await value in ended { code = value }
            let took = ContinuousClock.now - started
            watchdog.cancel()
            let texts = names.map { String(decoding: (try? Data(contentsOf: $0)) ?? Data(), as: UTF8.self) }
            for name in names { try? FileManager.default.removeItem(at: name) }
            return Outcome(code: code, out: texts[0], err: texts[1], took: took)
        }
        return Running(pid: pid, result: result)
    }

    static func run(
        _ words: [String], environment: [String: String] = [:], folder: URL = URL(fileURLWithPath: "/"), patience: Duration = .seconds(600)
    ) async throws -> Outcome {
        try await start(words, environment: environment, folder: folder, patience: patience).outcome()
    }

    /// A step that a test rests on, and isn't about.
    @discardableResult
    static func require(_ words: [String], environment: [String: String] = [:], folder: URL = URL(fileURLWithPath: "/")) async throws
        -> Outcome
    {
        let outcome = try await run(words, environment: environment, folder: folder)
        try #require(outcome.code == 0, "\(words.joined(separator: " ")): \(outcome.text)")
        return outcome
    }

    static var isRoot: Bool { geteuid() == 0 }
    static var inCI: Bool { ProcessInfo.processInfo.environment["CI"] != nil }
}
