// What it takes to reach one database of one server.

/// How a database is reached. Printing it never shows the password.
public struct PostgresConfiguration: Sendable {
    /// The absolute path of the folder that holds the server's Unix socket, or a host name.
    public var host: String
    public var port: Int
    public var database: String
    public var user: String
    /// nil: libpq's own sources (a password file, the environment), or none needed.
    public var password: String?
    /// Shown in the server's `pg_stat_activity`.
    public var applicationName: String
    /// Server settings for the whole session, in force before its first statement.
    public var settings: [String: String]
    public var connectTimeout: Duration
    /// How long a server may take no new session while a statement is being waited for; nil: as long as it likes. A server that stands
    /// still answers nobody, and a statement's own limit on its time is the server's to keep.
    public var standstill: Duration?
    /// The one process that may answer at the Unix socket; nil: whoever does. Code of a restored backup can put another server, or a link to
    /// one, in a scratch server's place.
    public var listener: Int32?

    public init(
        host: String, port: Int = 5432, database: String = "postgres", user: String = "postgres", password: String? = nil,
        applicationName: String = "muster", settings: [String: String] = [:], connectTimeout: Duration = .seconds(10),
        standstill: Duration? = nil, listener: Int32? = nil
    ) {
        self.host = host
        self.port = port
        self.database = database
        self.user = user
        self.password = password
        self.applicationName = applicationName
        self.settings = settings
        self.connectTimeout = connectTimeout
        self.standstill = standstill
        self.listener = listener
    }

    /// Whether the server is reached through a Unix socket.
    var isLocal: Bool { host.hasPrefix("/") || host.hasPrefix("@") }

    /// The settings as the start-up packet's command-line options.
    var options: String {
        // Never empty: libpq would then fall back to PGOPTIONS, and a session must not depend on the caller's environment.
        let all = settings.merging(["client_min_messages": "error"]) { chosen, _ in chosen }
        return all.sorted { $0.key < $1.key }.map { name, value in
            "-c " + "\(name)=\(value)".flatMap { $0.isWhitespace || $0 == "\\" ? ["\\", $0] : [$0] }
        }.joined(separator: " ")
    }
}

extension PostgresConfiguration: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "database \(database) at \(host), port \(port), as \(user)" }
    public var debugDescription: String { description }
    public var customMirror: Mirror {
        Mirror(self, children: ["host": host, "port": port, "database": database, "user": user] as KeyValuePairs<String, Any>)
    }
}
