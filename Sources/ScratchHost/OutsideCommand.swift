// Runs a command of the user's own outside of the quarantine, with an end that holds for all that it started.

public import Foundation

extension ScratchHost {
    /// Runs a program as Muster's own user, with that user's network and home.
    ///
    /// It carries the scratch mark, so `muster clean` finds it where Muster was killed; and a mark of its own, by which all that it
    /// started is ended with it, in whatever session that hides.
    ///
    /// - Parameters:
    ///   - environment: Added to a bare one. Never holds a secret.
    ///   - log: Takes its standard output; its standard error goes to a file beside it. Both lie inside the scratch folder.
    /// - Returns: nil where it was ended because its time was over.
    /// - Throws: ``ScratchError`` where it could not be started, `CancellationError`.
    public func runOutside(
        _ command: [String], environment: [String: String], workingFolder: URL, log: URL, limit: Duration
    ) async throws -> ToolResult? {
        try Task.checkCancellation()
        let id = UUID().uuidString
        var values = environment.merging(ownership) { $1 }
        values[Self.commandMark] = id
        if let home = ProcessInfo.processInfo.environment["HOME"] { values["HOME"] = home }
        let complete = values
        let result: ToolResult?
        do {
            result = try await TimeLimit.run(limit) {
                try await ToolRunner.spawn(
                    command, environment: complete, workingFolder: workingFolder, output: .scratch(log),
                    errors: .scratch(log.appendingPathExtension("err")))
            }
        } catch {
            await endAll(of: id)
            throw error
        }
        if result == nil || Task.isCancelled { await endAll(of: id) }
        try Task.checkCancellation()
        return result
    }

    private static let commandMark = "MUSTER_COMMAND_ID"

    /// A program that left its process group is still found by its environment.
    private func endAll(of id: String) async {
        let folder = folder
        try? await Self.blocking { () throws(ScratchError) in
            // No folder to go by: others of this host work in the same one.
            ProcessReaper.end { ProcessTable.belonging(toEnvironment: "\(Self.commandMark)=\(id)", orFolder: folder.url.path + "/.none") }
        }
    }
}
