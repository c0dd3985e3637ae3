// The forms of dumps that people have: each is drilled whole, or named as what it is.

import Foundation
import ServerVersions
import Testing

@Suite(.enabled(if: PostgresVersion.areHere(.system), "PostgreSQL 15 is not here"))
struct DumpFormsTests {
    private static let counted = "{rows: {table: public.orders, exactly: 20}}"
    private static let table = "CREATE TABLE orders (id int); INSERT INTO orders SELECT generate_series(1, 20);"

    /// The seal says so: a warning at both ends, and no verdict against the backup.
    @Test func anEmptyDatabaseThatIsSealed() async throws {
        try await PostgresSource.with(.system) { source in
            let sealed = try await source.seal(bins: [source.bin])
            #expect(sealed.code == 0 && sealed.err.contains("warning: the database shop holds no tables"), "\(sealed.text)")
            let drill = try await source.expectGreen(bins: [source.bin], noticed: ["nothing-sealed"])
            #expect(drill.findings.first { $0.rule == "nothing-sealed" }?.severity == "warning")
            // Of one without a seal nobody knows.
            try await source.dump("\(source.bin)/pg_dump", [], to: "a.sql")
            let (outcome, red) = try await source.drill("script", bins: [source.bin])
            #expect(outcome.code == 1 && red.findings.contains { $0.rule == "nothing-restored" }, "\(outcome.text)")
        }
    }

    @Test(arguments: [("daily", "a.dump", ["-Fc"]), ("folder", "a.dir", ["-Fd"]), ("script", "a.sql", [])])
    func aDumpBySchema(_ backup: String, _ name: String, _ form: [String]) async throws {
        try await PostgresSource.with(.system) { source in
            try await source.sql(Self.table)
            try await source.dump("\(source.bin)/pg_dump", form + ["-n", "public"], to: name)
            try await source.expectGreen(backup, checks: Self.counted, bins: [source.bin], noticed: ["dump-by-schema"])
        }
    }

    @Test func whatATransferAsTextLeaves() async throws {
        try await PostgresSource.with(.system) { source in
            try await source.sql(Self.table)
            let bins = [source.bin]
            let script = source.fixture.store.appendingPathComponent("a.sql")
            try await source.dump("\(source.bin)/pg_dump", [], to: "a.sql")
            let whole = try String(contentsOf: script, encoding: .utf8)
            try Data(whole.replacing("\n", with: "\r\n").utf8).write(to: script)
            try await source.expectGreen("script", checks: Self.counted, bins: bins, noticed: ["script-line-ends"])
            let deep = try await source.fixture.run(["inspect", source.fixture.estate.path, "--deep"])
            #expect(deep.text.contains("script-line-ends"), "\(deep.text)")
            for (bytes, rule) in [
                (Data(whole.replacing("\n", with: "\r\n").utf8.dropLast(200)), "script-truncated"),
                (try #require(whole.data(using: .utf16)), "artifact-utf-16"),
            ] {
                try bytes.write(to: script)
                let (outcome, red) = try await source.drill("script", checks: Self.counted, bins: bins)
                #expect(outcome.code == 1 && red.findings.contains { $0.rule == rule }, "\(rule): \(outcome.text)")
            }
        }
    }
}
