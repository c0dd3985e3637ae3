// One exported snapshot for each database of a cluster, taken as close to each other as the server lets them be.

import DrillModel
import Foundation
import PostgresClient

/// PostgreSQL has no snapshot across databases, and a session can't change its own.
struct ClusterSnapshots: Sendable {
    struct Snapshot: Sendable {
        var database: String
        /// Holds the snapshot for as long as its transaction lasts.
        var connection: PostgresConnection
        var identifier: String
        var time: Date
        var lsn: String
    }
    var all: [Snapshot]
    /// Databases that take no connections: pg_dumpall leaves them out.
    var omitted: [String]

    static let begin = "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"

    /// - Parameters:
    ///   - home: A session that asks which databases there are.
    ///   - prepare: Called with each session before any snapshot is taken.
    /// - Throws: No session is left open then.
    static func take(
        _ home: PostgresConnection, from source: PostgresConfiguration,
        prepare: (PostgresConnection, _ database: String) async throws -> Void
    ) async throws -> ClusterSnapshots {
        let names = try await databases(home, of: source)
        try await requireRoom(for: names.open.count, home)
        var sessions: [(database: String, connection: PostgresConnection)] = []
        do {
            for name in names.open {
                let connection = try await enter(name, source)
                sessions.append((name, connection))
                try await prepare(connection, name)
            }
            // Nothing but this lies between the first snapshot and the last.
            var all: [Snapshot] = []
            for (name, connection) in sessions { all.append(try await export(name, connection)) }
            guard try await databases(home, of: source) == names else {
                throw SealingError(
                    .source, "a database was made, dropped or renamed while the backup of the cluster began", hint: "seal again")
            }
            return ClusterSnapshots(all: all, omitted: names.closed)
        } catch {
            for (_, connection) in sessions { await connection.close() }
            throw error
        }
    }

    func close() async { for snapshot in all { await snapshot.connection.close() } }

    /// Templates first, so that they are free again soon: CREATE DATABASE copies none that somebody is connected to.
    private static func databases(
        _ home: PostgresConnection, of source: PostgresConfiguration
    ) async throws -> (open: [String], closed: [String]) {
        let rows = try await home.query(
            """
            SELECT datname, datallowconn AND datconnlimit <> -2, pg_catalog.has_database_privilege(oid, 'CONNECT')
            FROM pg_catalog.pg_database WHERE datname <> 'template0' ORDER BY datname <> 'template1', NOT datistemplate, datname
            """)
        let refused = rows.filter { $0[1] == "t" && $0[2] != "t" }.compactMap { $0[0] }
        guard refused.isEmpty else {
            throw SealingError(
                .source, "\(source.user) may not connect to \(refused.joined(separator: ", ")), so the cluster can't be backed up whole",
                hint:
                    "GRANT CONNECT ON DATABASE \(SQL.identifier(refused[0])) TO \(SQL.identifier(source.user)), or name a superuser as source"
            )
        }
        return (rows.filter { $0[1] == "t" }.compactMap { $0[0] }, rows.filter { $0[1] != "t" }.compactMap { $0[0] })
    }

    /// Each session stays until its database is dumped; one more is pg_dump's.
    private static func requireRoom(for count: Int, _ home: PostgresConnection) async throws {
        let row = try await home.query(
            """
            SELECT pg_catalog.current_setting('max_connections')::int
                - (SELECT CASE WHEN rolsuper THEN 0 ELSE pg_catalog.current_setting('superuser_reserved_connections')::int
                     + coalesce(pg_catalog.current_setting('reserved_connections', true), '0')::int END
                   FROM pg_catalog.pg_roles WHERE rolname = current_user)
                - (SELECT sum(numbackends) FROM pg_catalog.pg_stat_database)
            """
        ).first
        guard let free = row?[0].flatMap({ Int($0) }), free < count + 1 else { return }
        throw SealingError(
            .source, "the source has room for \(max(0, free)) more sessions, and a seal of its \(count) databases takes \(count + 1)",
            hint: "each database keeps a session until it is dumped: raise max_connections, or seal when fewer are connected")
    }

    private static func enter(_ name: String, _ source: PostgresConfiguration) async throws(SealingError) -> PostgresConnection {
        var source = source
        source.database = name
        do {
            return try await SourceSession.open(source)
        } catch {
            if error.kind == .cancelled { throw SealingError(error, doing: "entering the database \(name)") }
            throw SealingError(
                .source, "the database \(name) can't be entered, so the cluster can't be backed up whole: \(error.message)",
                hint: "seal again if it was dropped meanwhile; otherwise "
                    + (error.hint.isEmpty ? "check pg_hba.conf and the user's rights" : error.hint))
        }
    }

    private static func export(_ name: String, _ connection: PostgresConnection) async throws -> Snapshot {
        do {
            try await connection.execute(begin)
            // The statement's own time, not the clock after it: what was committed later than the snapshot must never be claimed.
            let rows = try await connection.query(
                "SELECT pg_export_snapshot(), extract(epoch FROM statement_timestamp()), pg_current_wal_lsn()")
            guard let identifier = rows.first?[0], let seconds = rows.first?[1].flatMap(Double.init), let lsn = rows.first?[2] else {
                throw SealingError(.source, "the source exported no snapshot of \(name)", hint: "report this as a defect of muster")
            }
            // No later than it was: what is written has milliseconds.
            let time = Date(timeIntervalSince1970: (seconds * 1000).rounded(.down) / 1000)
            return Snapshot(database: name, connection: connection, identifier: identifier, time: time, lsn: lsn)
        } catch let error as PostgresError {
            throw SealingError(error, doing: "taking a snapshot of \(name)")
        }
    }
}
