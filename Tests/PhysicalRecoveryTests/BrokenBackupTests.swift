// Broken base backups and archives: each gives its finding, and says how far recovery came.

import ArtifactFormats
import DrillModel
import Foundation
import ScratchHost
import TestSupport
import Testing

@testable import PhysicalRecovery

@Suite(.enabled(if: TestMachine.hasPostgres, "no postgres server is installed"))
struct BrokenBackupTests {
    private func rules(_ cluster: RecoveredCluster) -> Set<String> {
        Set((cluster.cases.flatMap(\.findings) + [cluster.failure?.finding].compactMap { $0 }).map(\.rule.name))
    }

    private func overwrite(_ file: URL, at offset: UInt64, _ change: (inout [UInt8]) -> Void, count: Int) throws {
        let handle = try FileHandle(forUpdating: file)
        defer { try? handle.close() }
        try handle.seek(toOffset: offset)
        var bytes = [UInt8](try handle.read(upToCount: count) ?? Data())
        change(&bytes)
        try handle.seek(toOffset: offset)
        try handle.write(contentsOf: Data(bytes))
    }

    @Test func brokenArchives() async throws {
        try await withArchivedCluster { source in
            let third = source.segments[2]
            // Missing: named with its neighbours; recovery comes as far as the gap.
            try source.copy("wal", as: "gap")
            try FileManager.default.removeItem(at: source.url("gap/\(third)"))
            try await source.recover(wal: "gap", to: .time(source.target)) { cluster, _ in
                let gap = try #require(cluster.cases.flatMap(\.findings).first { $0.rule == .walGap })
                #expect(gap.message == "\(third) is missing between \(source.segments[1]) and \(source.segments[3])")
                #expect(cluster.failure?.finding.rule == .targetNotReached && cluster.failure?.verdict == .failed)
                #expect(cluster.failure?.finding.message.contains("recoverable up to: LSN") == true)
                #expect(cluster.upTo.lsn != nil && cluster.upTo.time != nil && cluster.upTo.transaction != nil)
            }
            // Truncated.
            try source.copy("wal", as: "short")
            let handle = try FileHandle(forUpdating: source.url("short/\(third)"))
            try handle.truncate(atOffset: 8 << 20)
            try handle.close()
            try await source.recover(wal: "short", to: .end) { cluster, _ in
                let finding = try #require(cluster.cases.flatMap(\.findings).first { $0.rule == .walSegmentDamaged })
                #expect(finding.object == third && finding.message == "the segment is cut short")
                // It comes up, and without the rest: the finding keeps it from reading as passed.
                let rows = try await ArchivedCluster.rows(cluster)
                #expect(rows == "before 2")
                #expect(cluster.cases.contains { $0.verdict == .failed })
            }
            // Of another cluster.
            try source.copy("wal", as: "foreign")
            try overwrite(source.url("foreign/\(third)"), at: 24, { $0[0] ^= 1 }, count: 8)
            try await source.recover(wal: "foreign", to: .end) { cluster, _ in
                #expect(rules(cluster) == ["wal-segment-foreign"])
            }
            // Renamed.
            try source.copy("wal", as: "renamed")
            try FileManager.default.removeItem(at: source.url("renamed/\(third)"))
            try FileManager.default.copyItem(at: source.url("wal/\(source.segments[3])"), to: source.url("renamed/\(third)"))
            try await source.recover(wal: "renamed", to: .end) { cluster, _ in
                #expect(rules(cluster) == ["wal-segment-damaged"])
            }
            // Empty.
            try FileManager.default.createDirectory(at: source.url("nothing"), withIntermediateDirectories: true)
            try await source.recover(wal: "nothing", to: .end) { cluster, _ in
                #expect(rules(cluster) == ["wal-missing"] && cluster.server == nil && cluster.failure?.verdict == .failed)
            }
        }
    }

    @Test func targetsOutsideOfTheArchive() async throws {
        try await withArchivedCluster { source in
            try await source.recover(to: .time(Date().addingTimeInterval(3600))) { cluster, _ in
                #expect(cluster.server == nil && cluster.failure?.finding.rule == .targetNotReached)
                #expect(cluster.upTo.transaction != nil && cluster.failure?.finding.actual.contains("transaction") == true)
            }
            try await source.recover(to: .name("never set")) { cluster, _ in
                #expect(cluster.failure?.finding.rule == .targetNotReached)
            }
            let label = try #require(BackupLabel(String(contentsOf: source.url("base/backup_label"), encoding: .utf8)))
            try await source.recover(to: .lsn(label.start + 1)) { cluster, _ in
                #expect(cluster.server == nil && cluster.failure?.finding.rule == .targetBeforeBackup)
            }
        }
    }

    /// A tar of a data folder, declared as a base backup: what it is, and not "an empty folder".
    @Test func aFileIsNoBaseBackup() throws {
        let file = URL(fileURLWithPath: "/tmp/mt-base-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data("PG_VERSION".utf8).write(to: file)
        do throws(DrillFailure) {
            _ = try BaseBackup(at: file, name: "pgdata.tar.gz", encryption: nil)
            Issue.record("it was taken")
        } catch {
            #expect(error.verdict == .failed && error.finding.actual == "a file" && error.finding.hint.contains("pg_basebackup"))
        }
    }

    @Test func brokenBaseBackups() async throws {
        try await withArchivedCluster { source in
            func findings(_ name: String) async throws -> [Finding] {
                let folder = try source.host.folder.privateFolder(name)
                let base = try BaseBackup(at: source.url(name), name: name, encryption: nil)
                let copied = try await BaseBackupCopy(host: source.host, folder: folder).copy(base, manifest: try await base.manifest()) {
                    _ in
                }
                try FileManager.default.removeItem(at: folder)
                return copied.findings
            }
            try source.copy("base", as: "bad")
            #expect(try await findings("bad").isEmpty)
            // One bit.
            try overwrite(source.url("bad/global/1260"), at: 5000, { $0[0] ^= 4 }, count: 1)
            // One file less, one more, one shorter.
            try FileManager.default.removeItem(at: source.url("bad/base/1/1249"))
            try Data("x".utf8).write(to: source.url("bad/base/1/99999"))
            let handle = try FileHandle(forUpdating: source.url("bad/base/1/1255"))
            try handle.truncate(atOffset: 8192)
            try handle.close()
            let found = Dictionary(grouping: try await findings("bad"), by: \.rule).mapValues { $0.map(\.object).sorted() }
            #expect(
                found == [
                    .baseFileDamaged: ["bad/base/1/1255", "bad/global/1260"], .baseFileMissing: ["bad/base/1/1249"],
                    .baseFileExtra: ["bad/base/1/99999"],
                ])
            // The manifest itself.
            try source.copy("base", as: "forged")
            let manifest = source.url("forged/backup_manifest")
            let text = try String(contentsOf: manifest, encoding: .utf8).replacing(
                "\"Size\": 8192", with: "\"Size\": 8193", maxReplacements: 1)
            try Data(text.utf8).write(to: manifest)
            await #expect { try await findings("forged") } throws: { ($0 as? DrillFailure)?.finding.rule == .manifestDamaged }
            try FileManager.default.removeItem(at: manifest)
            await #expect { try await findings("forged") } throws: { ($0 as? DrillFailure)?.finding.rule == .manifestMissing }
            // A tar that was cut off.
            try source.copy("tar", as: "cut")
            let tar = try FileHandle(forUpdating: source.url("cut/base.tar.gz"))
            try tar.truncate(atOffset: try tar.seekToEnd() / 2)
            try tar.close()
            await #expect { try await findings("cut") } throws: { ($0 as? DrillFailure)?.verdict == .failed }
        }
    }
}
