// The one error of this library.

/// Why a Redis server gave no answer, or a refusal. Never holds a command's arguments.
public struct RedisError: Error, Sendable, Hashable, CustomStringConvertible {
    public enum Kind: Sendable, Hashable {
        /// Nobody listens there, or it may not be reached.
        case cannotConnect
        /// The server did not answer in time. The connection is of no further use: its answers would be out of step.
        case timedOut
        /// The server went away, or the connection was closed here.
        case disconnected
        /// The server answered with an error; its code, such as `ERR`, `NOAUTH`, `LOADING` or `WRONGTYPE`.
        case refused(code: String)
        /// The answer was none that the protocol knows, or not of the kind that was asked for.
        case unexpectedAnswer
        case outOfMemory
        case cancelled
    }

    public var kind: Kind
    /// One sentence, lower case, no full stop.
    public var message: String
    /// What mends it.
    public var hint: String

    public init(_ kind: Kind, message: String, hint: String) {
        self.kind = kind
        self.message = message
        self.hint = hint
    }

    public var description: String { "\(message); \(hint)" }

    /// A server's refusal of a command.
    ///
    /// Only the code and the command's name are kept: a server's text may quote arguments.
    public static func refusal(_ text: String, of command: String) -> RedisError {
        let first = text.prefix { $0 != " " }
        let code = first.allSatisfy { $0.isUppercase || $0 == "_" } && !first.isEmpty ? String(first) : "ERR"
        let hint =
            switch code {
            case "NOAUTH", "WRONGPASS": "check the password in the estate file's `source`"
            case "NOPERM": "the user lacks the permission for this command: see `ACL LIST` on the server"
            case "LOADING": "the server still loads its dataset: wait until INFO shows loading:0"
            case "MASTERDOWN": "the server is a replica with `replica-serve-stale-data no`: set it to yes"
            case "OOM": "the server is at its maxmemory: give the scratch server more"
            case "ERR" where text.contains("DEBUG command not allowed"): "start the server with `enable-debug-command local`"
            case "ERR" where text.contains("unknown command"): "the server is older than this command, or it was renamed"
            default: "see the server's log"
            }
        return RedisError(.refused(code: code), message: "the server refused \(command) with \(code)", hint: hint)
    }
}
