// The lab's live Postgres while its history is made.

import DrillModel
import Foundation
import PostgresClient
import PostgresRecovery
import ScratchHost

/// One server with the database `domainscope` in it, and one session that makes its days.
struct LabDatabase: Sendable {
    static let name = "domainscope"
    let server: ScratchPostgres
    private let session: PostgresConnection
    private let rows: Int

    /// How the database is reached, as the superuser.
    var configuration: PostgresConfiguration { server.configuration(database: Self.name) }

    /// Starts an empty server and makes the schema and the rows that were there before the first night.
    static func open(on host: ScratchHost, binaries: PostgresBinaries, rows: Int, before first: Date) async throws -> LabDatabase {
        let folder = try host.folder.privateFolder("lab-pg")
        let server = try await ScratchPostgres.start(on: host, in: folder, binaries: binaries, profile: .fast, dataChecksums: true)
        let maintenance = try await PostgresConnection.connect(server.configuration(database: "postgres"))
        try await maintenance.execute(LabTypes.roles)
        // A verifier for the globals to hold; nobody knows the password, and nobody needs it.
        let password = (0..<4).map { _ in String(UInt64.random(in: .min ... .max), radix: 16) }.joined()
        try await maintenance.execute("ALTER ROLE domainscope_app PASSWORD \(SQL.literal(password))")
        try await maintenance.execute(
            "CREATE DATABASE \(name) OWNER domainscope TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'")
        await maintenance.close()

        let session = try await PostgresConnection.connect(server.configuration(database: name))
        let database = LabDatabase(server: server, session: session, rows: rows)
        for sql in [LabHistory.session, LabTypes.types, LabTables.sql, LabCode.sql] { try await session.execute(sql) }
        try await database.play(LabHistory.first, night: 0, at: first)
        return database
    }

    /// Makes what happened in the day before a night.
    func play(night: Int, at instant: Date) async throws {
        try await play(LabHistory.day, night: night, at: instant)
        // Nobody vacuums here, and later days would run on the plans of the first.
        if night % 10 == 1 { try await session.execute("ANALYZE") }
    }

    private func play(_ sql: String, night: Int, at instant: Date) async throws {
        try await session.execute("SET domainscope.now = \(SQL.literal(LabCalendar.text(instant)))")
        try await session.execute(
            sql.replacingOccurrences(of: ":rows", with: String(rows)).replacingOccurrences(of: ":day", with: String(night)))
    }

    /// Ends it in order, so that its files can be started again.
    func stop() async {
        await session.close()
        await server.process.stop([(SIGINT, .seconds(60))])
    }

    /// Moves the files of a stopped one.
    func keepData(at target: URL) async throws {
        try await LabServers.move(server.dataFolder, to: target)
    }
}
