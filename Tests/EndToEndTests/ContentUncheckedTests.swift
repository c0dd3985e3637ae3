// A dump in which nothing tells a changed byte from the right one is told of, whatever pg_restore says of it.

import Foundation
import Testing

@Suite(.enabled(if: PostgresVersion.areHere(.v16), "pg_dump writes zstd and lz4 from PostgreSQL 16 on: scripts/setup-tests brings it"))
struct ContentUncheckedTests {
    @Test func byWhatTheRowsArePackedWith() async throws {
        try await PostgresSource.with(.v16) { source in
            let fixture = source.fixture
            let newer = PostgresSource.environment([source.bin])
            try await source.sql("CREATE TABLE t AS SELECT i, md5(i::text) AS h FROM generate_series(1, 2000) i")
            func expect(_ words: [String], _ name: String, warned: Bool, _ location: SourceLocation = #_sourceLocation) async throws {
                for old in try FileManager.default.contentsOfDirectory(atPath: fixture.store.path) {
                    try FileManager.default.removeItem(at: fixture.store.appendingPathComponent(old))
                }
                try await source.dump("\(source.bin)/pg_dump", words, to: name)
                let backup = name.hasSuffix(".dump") ? "daily" : name.hasSuffix(".sql") ? "script" : "folder"
                let file = try fixture.drillFile(
                    "postgres", from: backup, more: "checks: {postgres: [{rows: {table: public.t, exactly: 2000}}]}")
                let (outcome, report) = try await fixture.drill(file, environment: newer)
                #expect(outcome.code == 0, "\(words) \(outcome.text)", sourceLocation: location)
                let drill = try #require(report.drills.first)
                let found = drill.findings.filter { $0.rule == "content-unchecked" }
                #expect(found.map(\.severity) == [warned ? "warning" : "note"], "\(words)", sourceLocation: location)
                #expect(drill.cases.contains { $0.name == "a damaged artifact would be noticed" }, sourceLocation: location)
            }
            try await expect(["-Fc", "--compress=zstd"], "a.dump", warned: true)
            let looked = try await fixture.run(
                ["inspect", fixture.estate.path, "--deep", "--output", fixture.reports.path], environment: newer)
            #expect(looked.out.contains("content-unchecked"), "\(looked.text)")
            try await expect(["-Fd", "--compress=lz4"], "a.dir", warned: true)
            try await expect(["-Fp"], "a.sql", warned: true)
            try await expect(["-Ft"], "a.dump", warned: true)
            try await expect(["-Fc"], "a.dump", warned: false)
            // A seal vouches for every byte.
            let sealed = try await source.seal(bins: [source.bin])
            #expect(sealed.code == 0, "\(sealed.text)")
        }
    }
}
