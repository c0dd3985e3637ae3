// Runs git inside the quarantine, on scratch copies alone, with no configuration but Muster's own.

import DrillModel
public import Foundation
public import ScratchHost

/// One place that git works in.
public struct Git: Sendable {
    let host: ScratchHost
    /// Where what it says on standard error is kept for the time of one command.
    let folder: URL
    /// The bare repository; nil: none yet.
    var repository: URL?

    public init(host: ScratchHost, folder: URL) {
        self.host = host
        self.folder = folder
    }

    /// Neither the machine's configuration nor the user's, nobody is asked for a password, and nothing is fetched on the way.
    public static let environment = [
        "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "true",
        "GIT_NO_REPLACE_OBJECTS": "1", "GIT_NO_LAZY_FETCH": "1", "GIT_OPTIONAL_LOCKS": "0", "GIT_ATTR_NOSYSTEM": "1",
    ]

    /// What could start a program, follow a path out of the repository or reach another one is off, whatever a repository says.
    public static let settings = [
        "core.hooksPath=/dev/null", "core.fsmonitor=false", "core.alternateRefsCommand=", "protocol.allow=never",
        "safe.directory=*", "gc.auto=0", "maintenance.auto=false", "core.symlinks=true", "advice.detachedHead=false",
        "init.defaultBranch=main",
    ]

    struct Answer {
        var result: ToolResult
        var output: String
        /// The beginning of what it said on standard error.
        var errors: String

        var succeeded: Bool { result.succeeded }
    }

    /// Runs a command to its end. A non-zero exit is an answer.
    ///
    /// - Throws: ``DrillFailure`` (error) where git isn't here or the scratch disk is full, `CancellationError`.
    func run(_ words: [String], settings more: [String] = [], environment: [String: String] = [:]) async throws -> Answer {
        let place = repository.map { ["--git-dir=\($0.path)"] } ?? []
        let command = ["git"] + place + (Self.settings + more).flatMap { ["-c", $0] } + words
        let log = folder.appendingPathComponent("git.err")
        let result: ToolResult
        do {
            result = try await host.run(
                command, environment: Self.environment.merging(environment) { $1 }, workingFolder: folder, errors: log)
        } catch let error as ScratchError {
            let missing = error.kind == .toolMissing
            throw DrillFailure.error(
                Finding(
                    missing ? .gitMissing : .scratchUnusable, object: "git", message: error.message,
                    hint: missing ? "apt-get install git" : error.hint))
        }
        let errors = String(decoding: (UnlinkedFile.data(log) ?? Data()).prefix(1 << 16), as: UTF8.self)
        if !result.succeeded, errors.contains("No space left") || host.folder.isFull {
            throw DrillFailure.error(
                Finding(
                    .scratchDiskFull, object: host.folder.url.path, expected: "room for the repository", actual: "a full disk",
                    message: "the scratch disk is full", hint: "free some space there, or choose another disk with --scratch"))
        }
        if result.signal != nil {
            throw DrillFailure.error(
                Finding(
                    .gitBroke, object: "git \(words.first ?? "")", expected: "an exit code", actual: result.ending,
                    message: "git was ended by a signal", hint: "check the machine's memory, and run again"))
        }
        return Answer(result: result, output: result.output, errors: errors)
    }

    /// The same, in a repository.
    func at(_ repository: URL) -> Git {
        var git = self
        git.repository = repository
        return git
    }
}

extension Rule {
    static let gitMissing = Rule("git-missing")
    static let gitBroke = Rule("git-broke")
}
