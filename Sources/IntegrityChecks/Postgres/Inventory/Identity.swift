// Reads which database it is.

import DrillModel
import PostgresClient

extension PostgresInventory {
    func readIdentity() async throws(PostgresError) -> PostgresIdentity {
        let version = connection.serverVersion
        let provider = version >= 150000 ? "CASE d.datlocprovider WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' ELSE 'libc' END" : "'libc'"
        let locale = version >= 170000 ? "d.datlocale" : version >= 150000 ? "d.daticulocale" : "NULL"
        let rows = try await connection.query(
            """
            SELECT d.datname AS database, pg_encoding_to_char(d.encoding) AS encoding, d.datcollate AS collate, d.datctype AS ctype,
              \(provider) AS provider, \(locale) AS locale, (SELECT rolname FROM pg_roles WHERE oid = 10) AS superuser,
              pg_database_size(d.oid) AS size, (SELECT system_identifier FROM pg_control_system()) AS system,
              CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END AS lsn
            FROM pg_database d WHERE d.datname = current_database()
            """)
        let row = rows.first
        return PostgresIdentity(
            database: row?["database"] ?? "", serverVersion: version, systemIdentifier: row?["system"] ?? "", lsn: row?["lsn"] ?? "",
            encoding: row?["encoding"] ?? "", collate: row?["collate"] ?? "", ctype: row?["ctype"] ?? "",
            localeProvider: row?["provider"] ?? "", locale: row?["locale"], bootstrapSuperuser: row?["superuser"] ?? "",
            size: row?["size"].flatMap(Int64.init) ?? 0)
    }
}
