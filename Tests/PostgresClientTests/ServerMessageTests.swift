// What the server says must reach the reader without the data in it.

import TestSupport
import Testing

@testable import PostgresClient

@Suite(.enabled(if: TestMachine.hasPostgres, "PostgreSQL is not installed")) struct ServerMessageTests {
    /// Statements whose error carries `secret-4711` somewhere, each under another code.
    static let leaking = [
        "select 'secret-4711'::int",
        "select 'secret-4711'::date",
        "select '{\"a\": secret-4711}'::json",
        "do $$ begin raise exception 'value secret-4711 is bad'; end $$",
        "do $$ begin raise exception 'secret-4711' using errcode = 'unique_violation'; end $$",
        "do $$ begin raise exception 'secret-4711' using errcode = 'ZZ123'; end $$",
        "create temp table a (t text unique, c text check (c <> 'secret-4711')); insert into a values ('secret-4711'), ('secret-4711')",
        "create temp table b (t text check (t is null)); insert into b values ('secret-4711')",
        "create temp table c (t text, u text not null); insert into c values ('secret-4711', null)",
        "select 1 'secret-4711' 'x'",
        "create temp table d (t varchar(3)); insert into d values ('secret-4711')",
        "select convert_from('\\x736563726574e9'::bytea, 'UTF8') || 'secret-4711'",
    ]

    @Test func dataDoesNotLeak() async throws {
        try await withTestPostgres { server in
            let connection = try await server.connect(database: "postgres")
            for statement in Self.leaking {
                let error = await #expect(throws: PostgresError.self) { try await connection.execute(statement) }
                #expect(error?.kind == .query)
                #expect(error?.sqlState?.count == 5)
                #expect(!String(describing: error).contains("4711"))
                #expect(error?.message.isEmpty == false)
                #expect(try await connection.value("select 1") == "1", "the session stays usable")
            }
            await connection.close()
        }
    }

    static let naming = [
        ("select * from nothing_here", "42P01", "nothing_here"),
        ("select nothing_here from pg_class", "42703", "nothing_here"),
        ("select nothing_here(1)", "42883", "nothing_here"),
        ("set role nothing_here", "22023", ""),
        ("select 1/0", "22012", "division by zero"),
        ("selct 1", "42601", "at character 1"),
    ]

    @Test func namesStay() async throws {
        try await withTestPostgres { server in
            let connection = try await server.connect(database: "postgres")
            for (statement, code, part) in Self.naming {
                let error = await #expect(throws: PostgresError.self) { try await connection.query(statement) }
                #expect(error?.sqlState == code)
                #expect(part.isEmpty || error?.message.contains(part) == true)
            }
            await connection.close()
        }
    }

    @Test func quotesOfInternalErrorsAreCut() {
        let message = ServerMessage(sqlState: "XX000", primary: "cannot read \"a\" of \"b\" here", sourceFile: "x.c", position: nil)
        #expect(message.redacted == "cannot read … here")
    }
}
