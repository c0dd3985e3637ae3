// Jobs of one pg_restore that come in each other's way: no fault of the backup's, and what one of them gave up comes back all the same.

import Foundation
import TestPrograms
import Testing

@Suite(.enabled(if: ProcessInfo.processInfo.activeProcessorCount > 1, "one job waits for nobody"))
struct RestoreDeadlockTests {
    /// When two jobs meet so is chance; here the first pg_restore says that they did.
    @Test(arguments: [
        ("deadlock detected", "restore-deadlock"),
        ("there is no unique constraint matching given keys for referenced table \"a\"", "foreign-key-too-early"),
    ])
    func everythingIsRestoredAgainByOneJob(_ words: String, _ rule: String) async throws {
        try await PostgresSource.with(.system) { source in
            try await source.sql(
                "CREATE TABLE a (id int PRIMARY KEY, t text); INSERT INTO a SELECT i, 't' || i FROM generate_series(1, 90) i")
            try await source.requireSeal(bins: [source.bin])
            let files = FileManager.default
            let bin = source.fixture.folder.appendingPathComponent("bin")
            try files.createDirectory(at: bin, withIntermediateDirectories: true)
            for name in try files.contentsOfDirectory(atPath: source.bin) where name != "pg_restore" {
                try files.createSymbolicLink(atPath: bin.appendingPathComponent(name).path, withDestinationPath: "\(source.bin)/\(name)")
            }
            let script = """
                #!/bin/sh
                case " $* " in *" -j "*)
                    \(source.bin)/pg_restore "$@" -T a || exit
                    echo 'pg_restore: error: could not execute query: ERROR:  \(words)' >&2
                    echo 'pg_restore: warning: errors ignored on restore: 1' >&2
                    exit 1 ;;
                esac
                exec \(source.bin)/pg_restore "$@"

                """
            try writeProgram(script, to: bin.appendingPathComponent("pg_restore"))
            try await Program.require(["chmod", "-R", "a+rx", source.fixture.folder.path])
            let drill = try await source.expectGreen(bins: [bin.path], noticed: [rule])
            #expect(drill.findings.first { $0.rule == rule }?.severity == "warning")
        }
    }
}
