// How a server of the estate is spoken to.

import BackupCatalog
public import Cryptography
public import DrillModel
public import PostgresClient
public import RedisRecovery

/// Makes connections' parameters of what the estate file says, with the passwords that it names.
public enum SourceAccess {
    /// How a Redis of the estate is spoken to by a drill.
    public static func live(_ connection: SourceConnection, of service: String, in estate: Estate) throws(DrillFailure) -> LiveRedis {
        let password = try connection.password.map { reference throws(DrillFailure) in
            try Keyring.secret(reference, named: "\(service)'s password", hiding: Keyring(estate).secretVariables)
        }
        return LiveRedis(host: connection.host, port: connection.port ?? 6379, user: connection.user, password: password?.text)
    }

    /// How a server of the estate is spoken to by a drill.
    public static func configuration(
        _ connection: SourceConnection, of service: String, database: String?, in estate: Estate
    ) throws(DrillFailure) -> PostgresConfiguration {
        let password = try connection.password.map { reference throws(DrillFailure) in
            try Keyring.secret(reference, named: "\(service)'s password", hiding: Keyring(estate).secretVariables)
        }
        return PostgresConfiguration(
            host: connection.host, port: connection.port ?? 5432, database: database ?? connection.database ?? "postgres",
            user: connection.user ?? "postgres", password: password?.text, applicationName: "muster drill",
            // Whatever the user may do: Muster only reads here. And a standby refuses all that is serializable.
            settings: [
                "default_transaction_isolation": "read committed", "default_transaction_read_only": "on", "statement_timeout": "30s",
            ])
    }
}

extension Secret {
    /// For the one place that wants text: the environment of a child that must log in.
    public var text: String { withBytes { String(decoding: $0, as: UTF8.self) } }
}
