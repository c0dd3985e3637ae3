// Pages of a recovered cluster: whole, damaged at the source, and without checksums.

import DrillModel
import Foundation
import PostgresClient
import PostgresRecovery
import ScratchHost
import TestSupport
import Testing

@testable import PhysicalRecovery

@Suite(.enabled(if: TestMachine.hasPostgres, "no postgres server is installed"))
struct PageChecksumTests {
    @Test func wholePagesAreGreen() async throws {
        try await withArchivedCluster { source in
            try await source.recover(to: .end) { cluster, _ in
                #expect(cluster.hasPageChecksums)
                let result = try await PageChecksums(cluster: cluster, host: source.host, service: "postgres").ask()
                #expect(result.verdict == .passed, "\(result)")
            }
        }
    }

    /// The damage is older than the backup, so manifest and log are whole: only the page itself tells.
    @Test func aPageThatWasDamagedAtTheSource() async throws {
        try await withArchivedCluster { source in
            try source.copy("base", as: "damaged")
            let folder = try #require(
                try FileManager.default.contentsOfDirectory(atPath: source.url("damaged/base").path).max { (Int($0) ?? 0) < (Int($1) ?? 0) }
            )
            // pg_depend's file: nobody reads it as a session begins.
            let file = source.url("damaged/base/\(folder)/2608")
            var bytes = try Data(contentsOf: file)
            bytes[3 * 8192 + 4000] ^= 0x10
            try bytes.write(to: file)
            try await source.recover(base: "damaged", to: .end) { cluster, copied in
                // This manifest is older than the damage, so it tells; recovery goes on all the same, as with a younger one.
                #expect(copied.findings.map(\.rule) == [.baseFileDamaged])
                let result = try await PageChecksums(cluster: cluster, host: source.host, service: "postgres").ask()
                #expect(result.verdict == .failed && result.findings.map(\.object) == ["base/\(folder)/2608 block 3"], "\(result)")
            }
        }
    }

    @Test func wordsOfTheTool() throws {
        let words = """
            pg_checksums: error: checksum verification failed in file "/s/data/base/5/1255", block 3: calculated checksum 1A but block contains 2B

            """
        let bad = PageChecksums.judge(
            ToolResult(exitCode: 1, signal: nil, output: "Checksum operation completed\nBlocks scanned:  2980\nBad checksums:  1\n"),
            words: words,
            dataFolder: "/s/data", service: "p", name: "pages", took: .zero)
        #expect(bad.verdict == .failed && bad.findings.map(\.object) == ["base/5/1255 block 3"])
        // Nothing was read: that is no green.
        for output in ["", "Blocks scanned:  0\n"] {
            let none = PageChecksums.judge(
                ToolResult(exitCode: 0, signal: nil, output: output), words: "", dataFolder: "/s", service: "p", name: "pages", took: .zero)
            #expect(none.verdict == .error)
        }
    }
}
