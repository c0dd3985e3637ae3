// The one error that this library throws.

/// What went wrong between us and a Postgres server, safe to show: no row value, no password.
public struct PostgresError: Error, Sendable, Hashable {
    public enum Kind: String, Sendable, Hashable {
        /// No session could be opened.
        case connect
        /// The server refused a statement.
        case query
        /// The task that asked was cancelled.
        case cancelled
        /// The session ended before the answer did: the server stopped, crashed or cut the line.
        case connectionLost
        /// The session had been closed, or given up, before.
        case closed
        /// The statement asks for something that this client doesn't do, such as `COPY … FROM STDIN`.
        case unsupported
    }
    public var kind: Kind
    /// The server's five-character code, where the server spoke.
    public var sqlState: String?
    /// The primary message, without what could be data; detail and context never get here.
    public var message: String
    /// What mends it.
    public var hint: String

    public init(_ kind: Kind, sqlState: String? = nil, message: String, hint: String = "") {
        self.kind = kind
        self.sqlState = sqlState
        self.message = message
        self.hint = hint
    }
}

extension PostgresError: CustomStringConvertible {
    public var description: String {
        let code = sqlState.map { " (SQLSTATE \($0))" } ?? ""
        return message + code + (hint.isEmpty ? "" : "; \(hint)")
    }
}
