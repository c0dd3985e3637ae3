// The one command that undoes what a run has changed outside of its scratch folder.

public import Foundation

/// One command that must still be run. It is kept in the scratch folder, which whoever cleans up after a killed run finds.
public struct UndoCommand: PendingCleanup, Hashable {
    public static let fileName = ".muster-undo.json"

    /// For messages, such as `zone dr`.
    public var title: String
    /// Where a person finds the command.
    public var origin: String
    public var command: [String]
    /// Added to a bare one. Never holds a secret.
    public var environment: [String: String]
    public var workingFolder: URL
    public var seconds: Int64

    public init(
        title: String, origin: String, command: [String], environment: [String: String], workingFolder: URL, limit: Duration
    ) {
        self.title = title
        self.origin = origin
        self.command = command
        self.environment = environment
        self.workingFolder = workingFolder
        seconds = max(1, limit.components.seconds)
    }

    /// Runs it as Muster's own user, with that user's home.
    ///
    /// - Returns: nil where it succeeded, otherwise how it ended.
    public func run() async -> String? {
        var values = environment
        if let home = ProcessInfo.processInfo.environment["HOME"] { values["HOME"] = home }
        let complete = values
        do {
            let result = try await TimeLimit.run(.seconds(seconds)) {
                try await ToolRunner.spawn(
                    command, environment: complete, workingFolder: workingFolder, output: .discard, errors: .discard)
            }
            guard let result else { return "it was ended after \(seconds) s" }
            return result.succeeded ? nil : result.ending
        } catch {
            return (error as? ScratchError)?.message ?? "it could not be started"
        }
    }
}
