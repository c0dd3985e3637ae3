// Large objects: what is noticed of them, and what a dump may legitimately do to them.

import DrillModel
import IntegrityChecks
import PostgresClient
import TestSupport
import Testing

@Suite(.enabled(if: TestMachine.hasPostgres, "PostgreSQL is not installed")) struct LargeObjectTests {
    static let changes: [(change: String, shows: Bool)] = [
        ("SELECT lo_put(7001, 3, 'X')", true), ("SELECT lo_unlink(7001)", true), ("SELECT lo_create(7009)", true),
        ("SELECT lo_put(7002, 4999, '\\x00')", true), ("SELECT lo_unlink(7003); SELECT lo_create(7004)", true),
        // Swapped between two objects.
        (
            "SELECT lo_unlink(7001); SELECT lo_unlink(7002); SELECT lo_from_bytea(7001, decode(repeat('ab', 4998), 'hex')); SELECT lo_from_bytea(7002, 'hello')",
            true
        ),
        // Cut short, and grown by zeros.
        ("SELECT lo_truncate(lo_open(7002, 131072), 4000)", true), ("SELECT lo_truncate(lo_open(7002, 131072), 5000)", true),
        // The same bytes, laid out otherwise: a hole that was filled with zeros.
        ("SELECT lo_put(7005, 2048, decode(repeat('00', 2048), 'hex'))", false), ("SELECT lo_put(7001, 0, 'hello')", false),
        ("SELECT 1", false),
    ]

    @Test func noticesChanges() async throws {
        try await withTestPostgres { server in
            for (change, shows) in Self.changes {
                try await withDatabase(on: server) { connection in
                    try await connection.execute(
                        """
                        SELECT lo_from_bytea(7001, 'hello'), lo_from_bytea(7002, decode(repeat('ab', 4998), 'hex')), lo_create(7003), lo_create(7005);
                        SELECT lo_put(7005, 9000, 'end')
                        """)
                    let before = try await PostgresInventory(connection).largeObjects()
                    #expect(before.count == 4)
                    try await connection.execute(change)
                    #expect((try await PostgresInventory(connection).largeObjects() != before) == shows, "\(change)")
                }
            }
        }
    }

    @Test func noneNeedNoRightsAndSomeDo() async throws {
        try await withTestPostgres { server in
            try await withDatabase(on: server) { connection in
                try await connection.execute("DROP ROLE IF EXISTS lo_reader; CREATE ROLE lo_reader; SET ROLE lo_reader")
                #expect(try await PostgresInventory(connection).largeObjects() == LargeObjectFingerprint(count: 0, hash: "0"))
                try await connection.execute("RESET ROLE; SELECT lo_create(1); SET ROLE lo_reader")
                let error = await #expect(throws: PostgresError.self) { try await PostgresInventory(connection).largeObjects() }
                #expect(error?.sqlState == "42501")
            }
        }
    }
}
