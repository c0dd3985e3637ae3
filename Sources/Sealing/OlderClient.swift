// Whether the pg_dump at hand writes what only its server's own minor release restores.

import DrillModel
import Foundation
import OutsideTools
import PostgresClient

/// A pg_dump that is older than its server by a minor release takes an option that the server keeps for itself for one that a user has set, and writes it into
/// the table's own entry: a server without that option then refuses the whole table. Versions don't tell, since distributions carry mends over; so the client itself is asked.
struct OlderClient: Sendable {
    var tool: DumpTool

    /// - Returns: What is wrong; nil where the dump will be sound.
    func finding(_ connection: PostgresConnection) async throws -> SealingError? {
        let options = ServersOwnOption.all.sorted().joined(separator: "|")
        let table = try await connection.value(
            """
            SELECT c.oid::pg_catalog.regclass::text FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND n.nspname <> ALL ('{pg_catalog,information_schema}')
              AND n.nspname !~ '^pg_(toast|temp)'
              AND EXISTS (SELECT FROM pg_catalog.pg_attribute a, pg_catalog.unnest(a.attoptions) o
                WHERE a.attrelid = c.oid AND NOT a.attisdropped AND o ~ '^(\(options))=')
            ORDER BY c.oid LIMIT 1
            """)
        guard let table else { return nil }
        let file = tool.folder.appendingPathComponent("muster-older-client-\(UUID().uuidString).sql")
        defer { try? FileManager.default.removeItem(at: file) }
        do throws(SealingError) {
            _ = try await tool.write(
                PgDump.definition(ofTable: table), database: tool.source.database, to: file, encryption: nil, flushed: false)
        } catch {
            if error.kind == .cancelled { throw error }
            // The dump itself will fail alike, and say so.
            return nil
        }
        let text = String(decoding: try Data(contentsOf: file), as: UTF8.self)
        guard let option = ServersOwnOption.all.first(where: { text.contains(" SET (\($0)=") }) else { return nil }
        return SealingError(
            .tool,
            "pg_dump is older than its server by a minor release: it writes \(option), an option of the server's own, into the dump, and servers without it refuse the whole table",
            hint: """
                update postgresql-client here to the server's own minor release, or name the bin folder of a newer one in MUSTER_PG_BIN; \
                --allow-older-pg-dump seals all the same
                """)
    }
}
