// The relations of one database as its catalogue names them, and their files as they lie in the data folder.

import Foundation
import Glibc
import PostgresClient

/// One relation that has a file of its own.
struct StorageRelation: Sendable {
    var oid: String
    /// As it stands in SQL: schema and name, quoted where they need it.
    var name: String
    /// Of a TOAST relation: the table whose long values it holds, as it stands in SQL, and its OID.
    var owner: (name: String, oid: String)?
    /// For people, who know a TOAST relation by its table.
    var title: String { owner.map { "TOAST of \($0.name)" } ?? name }
    /// As pg_class has it: `r`, `i`, `t`, `m` or `S`.
    var kind: String
    /// The heap's or the index's kind: `heap`, `btree`, `gin`.
    var method: String
    /// Below the data folder.
    var path: String
    /// What the last vacuum or analyze counted; a hint, and never more.
    var recordedPages: Int
    var isUnlogged: Bool
    var isShared: Bool
    /// Of an index: its table.
    var table: String
    var isValid: Bool
    var isPartial: Bool
    /// An index over what a function of the database's own computes: to look for its entries would run that function.
    var runsOwnCode: Bool
    /// An index whose texts are known to sort here as where it was built.
    var sortsAlike: Bool
    /// Of all its segments; nil where the first one is missing.
    var bytes: Int?

    var isHeap: Bool { ["r", "t", "m"].contains(kind) && method == "heap" }
    var isTree: Bool { kind == "i" && method == "btree" }

    func pages(_ size: StorageSize) -> Int { (bytes ?? 0) / size.block }

    /// Every relation of a database, but for other sessions' temporary tables, whose files a restart takes away.
    static func all(
        _ connection: PostgresConnection, dataFolder: URL, size: StorageSize
    ) async throws(PostgresError) -> [StorageRelation] {
        try await connection.query(question(connection.serverVersion)).compactMap { row in
            guard let oid = row["oid"], let name = row["name"], let path = row["path"] else { return nil }
            return StorageRelation(
                oid: oid, name: name, owner: row["owner"].flatMap { owner in row["owner_name"].map { ($0, owner) } },
                kind: row["kind"] ?? "", method: row["method"] ?? "", path: path,
                recordedPages: row["pages"].flatMap { Int($0) } ?? 0, isUnlogged: row["unlogged"] == "t", isShared: row["shared"] == "t",
                table: row["table"] ?? "", isValid: row["valid"] == "t", isPartial: row["partial"] == "t", runsOwnCode: row["code"] == "t",
                sortsAlike: row["alike"] == "t", bytes: bytes(dataFolder.appendingPathComponent(path).path, size))
        }
    }

    /// As the server counts: a segment is followed by another only where it is full.
    private static func bytes(_ path: String, _ size: StorageSize) -> Int? {
        guard var last = fileSize(path) else { return nil }
        var total = last
        var number = 1
        while last == size.segment, let next = fileSize("\(path).\(number)") {
            (last, total, number) = (next, total + next, number + 1)
        }
        return total
    }

    static func fileSize(_ path: String) -> Int? {
        var info = stat()
        return stat(path, &info) == 0 ? Int(info.st_size) : nil
    }

    private static func question(_ serverVersion: Int) -> String {
        // Before 15 a database's own collation has no recorded version: then only one that needs none is known to sort alike.
        let ofDatabase =
            serverVersion >= 150_000
            ? "d.datcollversion IS NOT DISTINCT FROM pg_catalog.pg_database_collation_actual_version(d.oid)"
            : "d.datcollate IN ('C', 'POSIX')"
        return """
            SELECT c.oid AS oid, pg_catalog.format('%I.%I', n.nspname, c.relname) AS name, c.relkind AS kind, m.amname AS method,
              pg_catalog.pg_relation_filepath(c.oid) AS path, c.relpages AS pages, c.relpersistence = 'u' AS unlogged,
              c.relisshared AS shared, x.indrelid AS table, x.indisvalid AS valid, x.indpred IS NOT NULL AS partial,
              w.oid AS owner, w.name AS owner_name,
              EXISTS (SELECT FROM pg_catalog.pg_depend p WHERE p.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND p.objid = c.oid
                AND p.refclassid IN ('pg_catalog.pg_proc'::pg_catalog.regclass, 'pg_catalog.pg_operator'::pg_catalog.regclass)
                AND p.refobjid >= 16384) AS code,
              coalesce((SELECT pg_catalog.bool_and(CASE o WHEN 0 THEN true WHEN 100 THEN \(ofDatabase) ELSE coalesce((
                  SELECT l.collversion IS NOT DISTINCT FROM pg_catalog.pg_collation_actual_version(l.oid)
                  FROM pg_catalog.pg_collation l WHERE l.oid = o), false) END)
                FROM pg_catalog.unnest(x.indcollation) o), true) AS alike
            FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
              JOIN pg_catalog.pg_database d ON d.datname = pg_catalog.current_database()
              LEFT JOIN pg_catalog.pg_am m ON m.oid = c.relam LEFT JOIN pg_catalog.pg_index x ON x.indexrelid = c.oid
              LEFT JOIN (SELECT h.oid, h.reltoastrelid, pg_catalog.format('%I.%I', s.nspname, h.relname) AS name
                FROM pg_catalog.pg_class h JOIN pg_catalog.pg_namespace s ON s.oid = h.relnamespace) w
                ON w.reltoastrelid = c.oid AND c.relkind = 't'
            WHERE c.relkind IN ('r', 'i', 't', 'm', 'S') AND c.relpersistence <> 't'
              AND pg_catalog.pg_relation_filepath(c.oid) IS NOT NULL
            ORDER BY c.oid
            """
    }
}

/// How the cluster cuts its relations.
struct StorageSize: Sendable {
    var block: Int
    /// Bytes of a whole segment: a gigabyte, as servers are built.
    var segment: Int

    static func ask(_ connection: PostgresConnection) async throws(PostgresError) -> StorageSize {
        let row = try await connection.query(
            "SELECT database_block_size, blocks_per_segment FROM pg_catalog.pg_control_init()"
        ).first
        guard let block = row?[0].flatMap({ Int($0) }), let blocks = row?[1].flatMap({ Int($0) }), block > 0, blocks > 0 else {
            throw PostgresError(.unsupported, message: "the server doesn't tell its block size", hint: "report this as a defect")
        }
        return StorageSize(block: block, segment: block * blocks)
    }
}

/// Segments behind one that isn't full: the server doesn't see them, and counts what is before.
enum SegmentFiles {
    /// - Returns: Below the data folder, each segment that no server would read.
    static func unreachable(in dataFolder: URL, size: StorageSize) -> [String] {
        let files = FileManager.default
        func children(_ path: String) -> [String] {
            ((try? files.contentsOfDirectory(atPath: dataFolder.appendingPathComponent(path).path)) ?? []).sorted().map { "\(path)/\($0)" }
        }
        let folders = ["global"] + children("base") + children("pg_tblspc").flatMap(children).flatMap(children)
        return folders.flatMap(children).filter { path in
            guard let match = path.wholeMatch(of: /(.*\/[0-9]+)\.([0-9]+)/)?.output, let number = Int(match.2), number > 0 else {
                return false
            }
            // Truncating leaves later segments behind, with nothing in them.
            guard StorageRelation.fileSize(dataFolder.appendingPathComponent(path).path) ?? 0 > 0 else { return false }
            let before = number == 1 ? String(match.1) : "\(match.1).\(number - 1)"
            return StorageRelation.fileSize(dataFolder.appendingPathComponent(before).path) != size.segment
        }
    }
}
