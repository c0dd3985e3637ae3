// Runs a program of the quarantine for whoever sits at the terminal: with Muster's own standard files.

import Foundation
import Glibc
import Subprocess
import SystemPackage

extension ScratchHost {
    /// Runs a program inside the quarantine to its end, on the caller's own standard input, output and error.
    ///
    /// In the caller's own session and process group: a Ctrl-C on the terminal reaches the program as well. The terminal is left as it was,
    /// also where the task was cancelled and the program killed.
    ///
    /// - Parameter server: Whose network it runs in.
    /// - Throws: ``ScratchError`` where it could not be started, `CancellationError` where the task was cancelled.
    public func attend(
        _ command: [String], environment: [String: String], inNetworkOf server: ServerProcess
    ) async throws -> ToolResult {
        try Task.checkCancellation()
        let variables = ToolRunner.environment(["HOME": folder.url.path].merging(environment) { $1 }.merging(ownership) { $1 })
        var configuration = try ToolRunner.configuration(
            sandbox.wrapped(command, network: .of(server)), environment: variables, workingFolder: folder.url)
        // Of a program in another session the terminal would take no word.
        configuration.platformOptions.createSession = false
        // It ignores what is sent to the group, and is what everything in there ends with.
        configuration.platformOptions.teardownSequence = []
        var modes = termios()
        let isTerminal = tcgetattr(STDIN_FILENO, &modes) == 0
        do {
            let status = try await Subprocess.run(
                configuration, input: .fileDescriptor(.standardInput, closeAfterSpawningProcess: false),
                output: .fileDescriptor(.standardOutput, closeAfterSpawningProcess: false),
                error: .fileDescriptor(.standardError, closeAfterSpawningProcess: false)
            ).terminationStatus
            // A killed one has not put it back.
            if isTerminal, Task.isCancelled { tcsetattr(STDIN_FILENO, TCSANOW, &modes) }
            try Task.checkCancellation()
            return ToolResult(status, output: "")
        } catch let error as SubprocessError where error.code == .executableNotFound {
            throw ToolRunner.missing(command[0])
        }
    }
}
