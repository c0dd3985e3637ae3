// What keeps a command from doing its work.

/// A command that could not do its work: what is wrong, what mends it, and the exit code that says so.
public struct CommandFailure: Error, CustomStringConvertible {
    public var code: ExitCode
    public var message: String
    public var hint: String

    public init(_ code: ExitCode, _ message: String, hint: String) {
        self.code = code
        self.message = message
        self.hint = hint
    }

    public var description: String { "muster: \(message)" + (hint.isEmpty ? "" : "\nhint: \(hint)") }
}
