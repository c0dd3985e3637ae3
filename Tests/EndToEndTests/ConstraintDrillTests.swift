// A physical copy whose rows break what their tables promise: no server looks when files come back.

import Foundation
import ServerVersions
import Testing

@Suite struct ConstraintDrillTests {
    private static let checks = "{rows: {table: public.orders, exactly: 20}}"

    /// Newer planners take a NULL in a column that is NOT NULL for impossible, and count none where they are asked plainly.
    @Test(arguments: PostgresVersion.tried) func thePhysicalCopy(_ version: PostgresVersion) async throws {
        try await PostgresSource.with(version) { source in
            try source.fixture.editEstate(", wal: {match: \"wal/*\", encryption: none}", "")
            try await source.sql(
                """
                CREATE TABLE customers (id int PRIMARY KEY); INSERT INTO customers SELECT generate_series(1, 20);
                CREATE TABLE orders (id int PRIMARY KEY, customer int NOT NULL REFERENCES customers, n int CHECK (n > 0),
                  word text UNIQUE DEFERRABLE);
                INSERT INTO orders SELECT i, i, i, 'w' || i FROM generate_series(1, 20) i
                """)
            try await backUp(source, "b1")
            let green = try await source.expectGreen("base", checks: Self.checks, bins: [source.bin])
            #expect(green.cases.contains { $0.name == "constraints of public.orders" && $0.verdict == "passed" })
            try await source.sql(
                """
                SET session_replication_role = replica; DELETE FROM customers WHERE id > 17; UPDATE orders SET word = 'w1' WHERE id = 2;
                UPDATE pg_attribute SET attnotnull = false WHERE attrelid = 'orders'::regclass AND attname = 'customer';
                UPDATE orders SET customer = NULL WHERE id IN (3, 4);
                UPDATE pg_attribute SET attnotnull = true WHERE attrelid = 'orders'::regclass AND attname = 'customer'
                """)
            try await backUp(source, "b2")
            let (outcome, red) = try await source.drill("base", checks: Self.checks, bins: [source.bin])
            let told = red.findings.filter { $0.rule == "constraint-violated" }.map { "\($0.object) \($0.actual)" }
            #expect(
                outcome.code == 1
                    && told == [
                        "public.orders: customer NULL in 2 rows", "public.orders: orders_customer_fkey 3 rows without a match",
                        "public.orders: orders_word_key 1 row too many",
                    ], "\(told) \(outcome.text)")
        }
    }

    private func backUp(_ source: PostgresSource, _ name: String) async throws {
        let base = source.fixture.store.appendingPathComponent("base")
        try FileManager.default.createDirectory(at: base, withIntermediateDirectories: true)
        try await Program.require([
            "\(source.bin)/pg_basebackup", "-h", source.host, "-U", "postgres", "-D", base.appendingPathComponent(name).path, "-c", "fast",
        ])
    }
}
