// Quoting, asked of a real server: whatever goes in must come out.

import PostgresClient
import TestSupport
import Testing

@Suite(.enabled(if: TestMachine.hasPostgres, "PostgreSQL is not installed")) struct SQLTests {
    static let odd = [
        "", "plain", "a'b", "a\"b", "back\\slash", "'; drop table x; --", "naïve \u{301}é", "\"\u{301}", "tab\tnew\nline", "😀",
    ]

    @Test func quotesIdentifiers() {
        #expect(SQL.identifier("a\"b") == "\"a\"\"b\"")
        #expect(SQL.identifier("s", "T") == "\"s\".\"T\"")
    }

    @Test func literalsComeBackAsTheyWent() async throws {
        try await withTestPostgres { server in
            for conforming in ["on", "off"] {
                let connection = try await server.connect(database: "postgres")
                try await connection.execute("set standard_conforming_strings = \(conforming)")
                for text in Self.odd {
                    #expect(try await connection.value("select " + SQL.literal(text)) == text)
                    #expect(try await connection.value("select $1", [text]) == text)
                    if !text.isEmpty {
                        let row = try await connection.query("select 1 as " + SQL.identifier(text)).first
                        #expect(row?.columns == [text])
                    }
                }
                await connection.close()
            }
        }
    }
}
