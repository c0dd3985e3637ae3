// A command of the application's that ends by itself: run where the application lives, with what it is told.

import DrillModel
public import Foundation
public import ScratchHost

/// Runs one command beside an application's files.
public enum ApplicationCommand {
    /// Runs it to its end, as the unprivileged user, without a way out of this machine.
    ///
    /// - Parameters:
    ///   - command: Every place filled in. Never holds a secret.
    ///   - environment: May hold what only the application may know.
    ///   - log: Takes what it says; a file of the application's own corner.
    /// - Returns: nil where it was ended because its time was over.
    /// - Throws: ``DrillFailure``: failed where the application's files lack it, error where this machine does; `CancellationError`.
    public static func run(
        _ command: [String], environment: [String: String], places: ApplicationPlaces, host: ScratchHost, log: URL, limit: Duration
    ) async throws -> ToolResult? {
        let resolved = try StartCommand(host: host, files: places.files).resolve(command)
        let all = ["HOME": places.folder.path, "TMPDIR": places.folder.path].merging(environment) { $1 }
        do {
            return try await TimeLimit.run(limit) {
                try await host.run(
                    resolved, environment: all, workingFolder: places.files, output: log, errors: log.appendingPathExtension("err"),
                    reaching: places.reachable)
            }
        } catch let error as ScratchError {
            throw DrillFailure.error(
                Finding(.applicationToolMissing, object: command.first ?? "", message: error.message, hint: error.hint))
        }
    }
}
