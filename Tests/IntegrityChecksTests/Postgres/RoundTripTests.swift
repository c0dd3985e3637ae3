// The untouched database stays green, whatever is in it and however it is dumped.

import DrillModel
import IntegrityChecks
import PostgresClient
import TestSupport
import Testing

@Suite(.enabled(if: TestMachine.hasPostgres, "PostgreSQL is not installed")) struct RoundTripTests {
    @Test(arguments: DumpFormat.allCases) func aRichDatabaseComesBackGreen(_ format: DumpFormat) async throws {
        try await withTestPostgres { server in
            let admin = try await server.connect(database: "postgres")
            try await admin.execute(RichSchema.roles)
            try await admin.execute("CREATE DATABASE rich TEMPLATE template0")
            try await admin.execute(RichSchema.properties(of: "rich"))
            let source = try await server.connect(database: "rich")
            try await source.execute(RichSchema.schema)
            await source.close()

            let names = try await server.roundTrip("rich", as: format)
            let original = try await server.connect(database: names.source)
            let restored = try await server.connect(database: names.restored)
            let seal = try await PostgresInventory(original).truth()
            let cases = await check(restored, against: seal)
            for result in cases where result.verdict != .passed {
                Issue.record("\(result.group) \(result.name): \(result.verdict) \(result.reason) \(result.findings)")
            }
            #expect(seal.objects.count > 150 && seal.tables.count >= 15)
            #expect(!"\(seal)".contains("secret-4711"), "no secret reaches a seal")
            // Every kind that there is must have been there, or its query was never tried.
            let unseen = Set(SchemaObject.Kind.allCases).subtracting(seal.objects.map(\.kind))
            #expect(unseen == [.language], "\(unseen)")
            await restored.close()
            await original.close()
            await admin.close()
        }
    }

    @Test func theOrderIsTheSameEveryTime() async throws {
        try await withTestPostgres { server in
            let admin = try await server.connect(database: "postgres")
            try await admin.execute(RichSchema.roles)
            await admin.close()
            try await withDatabase(on: server) { connection in
                try await connection.execute(RichSchema.schema)
                let first = try await PostgresInventory(connection).schema()
                let second = try await PostgresInventory(connection).schema()
                #expect(first == second)
                let keys = first.map { "\($0.kind) \($0.name)" }
                #expect(Set(keys).count == keys.count, "names are unique within their kind")
                #expect(first.filter { $0.definition.contains(#/\b16\d{3}\b/#) }.isEmpty, "no object identifiers")
            }
        }
    }
}
