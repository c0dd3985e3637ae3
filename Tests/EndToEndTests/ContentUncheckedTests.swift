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

    /// A bit that changes in a role's password verifier leaves every drill green: that nothing vouches for it is said.
    @Test func theGlobalsAreNamedToo() async throws {
        try await PostgresSource.with(.v16) { source in
            let (fixture, store) = (source.fixture, source.fixture.store.path)
            try await source.sql("CREATE ROLE app LOGIN PASSWORD 'hunter2'; CREATE TABLE t AS SELECT 1 AS i; ALTER TABLE t OWNER TO app")
            let text = try String(contentsOf: fixture.estate, encoding: .utf8)
            func declare(_ match: String, _ globals: String, _ encryption: String) throws {
                let set = "daily: {kind: pg_dump, store: one, match: \"\(match)\", globals: \"\(globals)\", encryption: \(encryption)}"
                let keys = encryption == "none" ? "" : "keys: {own: {file: own.key}}\n"
                let estate = text.replacing("daily: {kind: pg_dump, store: one, match: \"*.dump\", encryption: none}", with: set)
                try Data(estate.replacing("services:\n", with: keys + "services:\n").utf8).write(to: fixture.estate)
            }
            func expect(_ findings: [String], _ location: SourceLocation = #_sourceLocation) async throws {
                let (outcome, drill) = try await source.drill(checks: "{rows: {table: public.t, exactly: 1}}", bins: [source.bin])
                #expect(outcome.code == 0, "\(outcome.text)", sourceLocation: location)
                let found = drill.findings.filter { $0.rule == "content-unchecked" && $0.severity == "warning" }.map(\.object)
                #expect(found == findings, "\(drill.findings)", sourceLocation: location)
            }
            let globals = ["\(source.bin)/pg_dumpall", "-h", source.host, "-U", "postgres", "--globals-only"]
            try await source.dump("\(source.bin)/pg_dump", ["-Fc"], to: "a.dump")
            try await Program.require(globals + ["-f", store + "/a.roles"])
            try declare("*.dump", "*.roles", "none")
            try await expect(["a.roles"])
            try await Program.require(["gzip", store + "/a.roles"])
            try declare("*.dump", "*.roles.gz", "none")
            try await expect([])
            try await Program.require(
                [
                    "sh", "-ec",
                    """
                    cd '\(store)'; printf 'a passphrase of some length' > ../../own.key; chmod 600 ../../own.key; gunzip a.roles.gz
                    for f in a.dump a.roles; do openssl enc -aes-256-cbc -pbkdf2 -pass file:../../own.key -in $f -out $f.enc 2>/dev/null; done
                    """,
                ])
            try declare("*.dump.enc", "*.roles.enc", "{format: openssl, key: own}")
            try await expect(["a.roles.enc"])
            let looked = try await fixture.run(
                ["inspect", fixture.estate.path, "--deep", "--output", fixture.reports.path],
                environment: PostgresSource.environment([source.bin]))
            #expect(looked.out.contains("nothing vouches for the globals file"), "\(looked.text)")
        }
    }
}
