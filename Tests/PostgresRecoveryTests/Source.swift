// A real source database, small and nasty, dumped once in every format by the real tools.

import ArtifactFormats
import DrillModel
import Foundation
import PostgresClient
import PostgresRecovery
import ScratchHost
import TestSupport
import Testing

/// Dumps of one source, in a folder that lasts as long as the tests do.
struct Source: Sendable {
    let folder: URL
    /// Rows by table, as the source had them.
    let rows: [String: String]
    /// Owners by relation.
    let owners: [String: String]

    static let database = "we ird"

    /// Made by the first test that asks, and shared.
    static func made() async throws -> Source { try await maker.value }

    private static let maker = Task { try await make() }

    private static let schema = #"""
        CREATE TYPE mood AS ENUM ('sad', 'ok');
        CREATE SCHEMA "Odd Schema";
        CREATE TABLE people (id int PRIMARY KEY, name text UNIQUE, m mood DEFAULT 'ok', CHECK (id > 0));
        INSERT INTO people SELECT g, 'name ' || g, 'sad' FROM generate_series(1, 5000) g;
        CREATE TABLE "Odd Schema"."T""x; DROP" ("A b" text, "ORDER" int REFERENCES people (id));
        INSERT INTO "Odd Schema"."T""x; DROP" VALUES (E'GRANT a TO nobody_at_all;\n\\.\nx', 1), (NULL, 2), ('', 3);
        CREATE TABLE part (d date, v int) PARTITION BY RANGE (d);
        CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
        INSERT INTO part SELECT date '2024-01-01' + g, g FROM generate_series(0, 99) g;
        CREATE VIEW v AS SELECT count(*) AS c FROM people;
        CREATE MATERIALIZED VIEW mv AS SELECT max(id) AS top FROM people;
        CREATE FUNCTION f(interval day to second) RETURNS int LANGUAGE plpgsql AS $_$
        BEGIN
        ALTER TABLE x OWNER TO not_a_role;
        RETURN 1;
        END $_$;
        CREATE FUNCTION ef() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$;
        CREATE EVENT TRIGGER et ON ddl_command_start EXECUTE FUNCTION ef();
        ALTER TABLE people ENABLE ROW LEVEL SECURITY;
        CREATE POLICY pol ON people TO "Policy Reader" USING (true);
        ALTER TABLE people OWNER TO owner_a;
        ALTER TABLE "Odd Schema"."T""x; DROP" OWNER TO "Owner ""B";
        GRANT SELECT ON people TO reader WITH GRANT OPTION;
        GRANT EXECUTE ON FUNCTION f(interval day to second) TO reader;
        ALTER DEFAULT PRIVILEGES FOR ROLE owner_a GRANT SELECT ON TABLES TO reader;
        SELECT lo_from_bytea(4711, 'large');
        ALTER LARGE OBJECT 4711 OWNER TO lo_owner;
        ALTER EVENT TRIGGER et OWNER TO ev_owner;
        """#

    static let tables = ["people", #""Odd Schema"."T""x; DROP""#, "part_1", "mv"]

    static func counts(_ connection: PostgresConnection) async throws -> [String: String] {
        var counts: [String: String] = [:]
        for table in tables { counts[table] = try await connection.value("SELECT count(*) FROM \(table)") }
        counts["large objects"] = try await connection.value(
            "SELECT string_agg(loid::text || convert_from(data, 'UTF8'), ',') FROM pg_largeobject")
        counts["view"] = try await connection.value("SELECT c FROM v")
        return counts
    }

    static func owners(_ connection: PostgresConnection) async throws -> [String: String] {
        let sql = """
            SELECT relname::text, pg_get_userbyid(relowner)::text FROM pg_class WHERE relnamespace::regnamespace::text IN ('public', '"Odd Schema"')
            UNION ALL SELECT 'lo ' || oid, pg_get_userbyid(lomowner)::text FROM pg_largeobject_metadata
            UNION ALL SELECT 'event trigger ' || evtname, pg_get_userbyid(evtowner)::text FROM pg_event_trigger
            UNION ALL SELECT 'acl of people', relacl::text FROM pg_class WHERE relname = 'people'
            """
        return try await connection.query(sql).reduce(into: [:]) { $0[$1[0] ?? ""] = $1[1] }
    }

    private static func make() async throws -> Source {
        let folder = URL(fileURLWithPath: "/tmp/mt-source-\(ProcessInfo.processInfo.processIdentifier)", isDirectory: true)
        try? FileManager.default.removeItem(at: folder)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        // Removed as the test process ends.
        atexit { try? FileManager.default.removeItem(atPath: "/tmp/mt-source-\(ProcessInfo.processInfo.processIdentifier)") }
        return try await withTestPostgres { server in
            let admin = try await server.connect(database: "template1")
            let roles = """
                CREATE ROLE owner_a; CREATE ROLE "Owner ""B" LOGIN PASSWORD 'hunter2' CONNECTION LIMIT 3; CREATE ROLE reader;
                CREATE ROLE "Policy Reader"; CREATE ROLE lo_owner; CREATE ROLE ev_owner SUPERUSER; CREATE ROLE um; CREATE ROLE db_owner;
                GRANT owner_a TO reader WITH ADMIN OPTION; ALTER ROLE owner_a SET work_mem = '3MB'
                """
            try await admin.execute(roles)
            for name in [database, "postgres"] {
                if name != "postgres" { try await admin.execute("CREATE DATABASE \(SQL.identifier(name)) OWNER db_owner") }
                try await admin.execute("ALTER DATABASE \(SQL.identifier(name)) SET work_mem = '5MB'")
            }
            try await admin.execute("ALTER ROLE um IN DATABASE \(SQL.identifier(database)) SET work_mem = '6MB'")
            await admin.close()
            for name in [database, "postgres"] {
                let connection = try await server.connect(database: name)
                try await connection.execute(schema)
                if name == database {
                    let extensions = try await connection.value("SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_trgm'")
                    if extensions == "1" { try await connection.execute("CREATE EXTENSION pg_trgm") }
                }
                await connection.close()
            }
            let connection = try await server.connect(database: database)
            let rows = try await counts(connection)
            let owners = try await owners(connection)
            await connection.close()
            let dumps: [[String]] = [
                ["-Fc", "c.dump"], ["-Fc", "-Z0", "c0.dump"], ["-Fd", "d"], ["-Fd", "-Z0", "d0"], ["-Ft", "t.tar"], ["-Fp", "p.sql"],
                ["-Fp", "-C", "pc.sql"], ["-Fp", "--clean", "clean.sql"], ["-Fp", "--inserts", "inserts.sql"],
                ["-Fc", "-n", "public", "n.dump"], ["-Fd", "-n", "public", "nd"], ["-Fp", "-n", "public", "n.sql"],
                ["-Fp", "-C", "-n", "public", "nc.sql"],
            ]
            let work = try server.host.folder.privateFolder("w")
            func dump(_ program: String, _ arguments: [String], _ name: String, _ database: String?) async throws {
                let target = work.appendingPathComponent(name)
                let result = try await server.host.run(
                    ["\(server.binFolder)/\(program)"] + arguments + ["-f", target.path],
                    environment: [
                        "PGHOST": server.socketFolder, "PGUSER": "postgres", "PGDATABASE": database ?? "template1",
                    ], errors: work.appendingPathComponent("errors"))
                try #require(result.succeeded, "\(program) \(name)")
                try FileManager.default.copyItem(at: target, to: folder.appendingPathComponent(name))
            }
            for arguments in dumps { try await dump("pg_dump", Array(arguments.dropLast()), arguments[arguments.count - 1], database) }
            try await dump("pg_dump", ["-Fc"], "postgres.dump", "postgres")
            try await dump("pg_dump", ["-Fp", "-C"], "postgres.sql", "postgres")
            try await dump("pg_dumpall", ["--globals-only"], "globals.sql", nil)
            try await dump("pg_dumpall", [], "all.sql", nil)
            try await dump("pg_dumpall", ["--clean", "--if-exists"], "allclean.sql", nil)
            return Source(folder: folder, rows: rows, owners: owners)
        }
    }

    /// A copy of one dump in a scratch folder, changed where asked.
    func artifact(_ name: String, on host: ScratchHost, change: ((inout [UInt8]) -> Void)? = nil) throws -> URL {
        let folder = try host.folder.privateFolder("f")
        let target = folder.appendingPathComponent(name)
        try FileManager.default.copyItem(at: self.folder.appendingPathComponent(name), to: target)
        if let change {
            var bytes = Array(try Data(contentsOf: target))
            change(&bytes)
            try Data(bytes).write(to: target)
        }
        try host.folder.own(target)
        for part in (try? FileManager.default.contentsOfDirectory(atPath: target.path)) ?? [] {
            try host.folder.own(target.appendingPathComponent(part))
        }
        return target
    }

    func dump(_ location: URL, globals: URL? = nil) throws -> DumpSource {
        var isFolder: ObjCBool = false
        _ = FileManager.default.fileExists(atPath: location.path, isDirectory: &isFolder)
        let head = isFolder.boolValue ? [] : Array(try Data(contentsOf: location).prefix(ArtifactFormat.bytesNeeded))
        return try DumpSource(
            location: location, format: ArtifactFormat(head: head), isFolder: isFolder.boolValue, globals: globals, backup: "b")
    }

    /// Restores one dump and looks at what came back; its server ends with the body.
    func restore(
        _ name: String, globals: Bool = false, jobs: Int = 2, change: ((inout [UInt8]) -> Void)? = nil,
        _ body: (RestoredDatabase, ScratchHost) async throws -> Void
    ) async throws {
        try await withScratchHost("restore") { host in
            let location = try artifact(name, on: host, change: change)
            let roles = globals ? try artifact("globals.sql", on: host) : nil
            let restorer = DumpRestorer(
                host: host, folder: try host.folder.privateFolder("p"), profile: .fast, jobs: jobs, service: "shop")
            let restored = try await restorer.restore(try dump(location, globals: roles), identity: nil) { _ in }
            do {
                try await body(restored, host)
            } catch {
                await restored.server.stop()
                throw error
            }
            await restored.server.stop()
        }
    }

    /// What a restore that must not succeed said; nil where it did.
    func failure(_ name: String, change: ((inout [UInt8]) -> Void)? = nil) async throws -> DrillFailure? {
        do {
            try await restore(name, change: change) { _, _ in }
            return nil
        } catch let error as DrillFailure {
            return error
        }
    }
}

/// Replaces the first of one text by another.
func replace(_ old: String, _ new: String) -> (inout [UInt8]) -> Void {
    { bytes in
        let text = String(decoding: bytes, as: UTF8.self)
        guard let range = text.range(of: old) else {
            Issue.record("\(old) is not in the dump")
            return
        }
        bytes = Array(text.replacingCharacters(in: range, with: new).utf8)
    }
}
