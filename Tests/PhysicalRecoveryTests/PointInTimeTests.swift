// Recoveries to every kind of target, from every form of backup and archive.

import Cryptography
import DrillModel
import Foundation
import PostgresClient
import PostgresRecovery
import ScratchHost
import TestSupport
import Testing

@testable import PhysicalRecovery

@Suite(.enabled(if: TestMachine.hasPostgres, "no postgres server is installed"))
struct PointInTimeTests {
    private func allPass(_ cases: [CaseResult]) -> Bool { cases.allSatisfy { $0.verdict == .passed || $0.verdict == .skipped } }

    @Test func everyKindOfTarget() async throws {
        try await withArchivedCluster { source in
            try await source.recover(to: .time(source.target)) { cluster, copied in
                #expect(copied.findings.isEmpty && copied.files > 900)
                let rows = try await ArchivedCluster.rows(cluster)
                #expect(rows == "before 5")
                #expect(allPass(cluster.cases) && cluster.failure == nil && cluster.segments >= 5)
                #expect(cluster.upTo.time.map { $0 <= source.target } == true && cluster.upTo.lsn != nil)
            }
            try await source.recover(to: .name("mistake")) { cluster, _ in
                let rows = try await ArchivedCluster.rows(cluster)
                #expect(rows == "before 5")
                #expect(allPass(cluster.cases))
            }
            try await source.recover(to: .lsn(source.lsn)) { cluster, _ in
                let rows = try await ArchivedCluster.rows(cluster)
                #expect(rows == "before 5")
            }
            try await source.recover(to: .xid(source.transaction), inclusive: false) { cluster, _ in
                let rows = try await ArchivedCluster.rows(cluster)
                #expect(rows == "before 5")
            }
            try await source.recover(to: .xid(source.transaction)) { cluster, _ in
                let rows = try await ArchivedCluster.rows(cluster)
                #expect(rows == "after 1, before 5")
                #expect(cluster.upTo.transaction == source.transaction)
            }
            try await source.recover(base: "tar", to: .end) { cluster, copied in
                #expect(copied.findings.isEmpty)
                let rows = try await ArchivedCluster.rows(cluster)
                #expect(rows == "after 5, before 5")
                #expect(allPass(cluster.cases))
            }
            // By itself, with the segments that pg_basebackup put into it.
            try await source.recover(base: "tar", wal: nil, to: .end) { cluster, _ in
                #expect(cluster.failure == nil && cluster.segments == 0)
                let rows = try await ArchivedCluster.rows(cluster)
                #expect(rows == "")
            }
        }
    }

    @Test func encryptedAndCompressedArchive() async throws {
        try await withArchivedCluster { source in
            let encryption = ArtifactStream.Encryption(passphrase: Secret(Array("a passphrase".utf8)))
            for form in ["wal.enc", "wal.zst.enc", "wal.lz4", "wal.xz"] {
                let folder = source.url(form)
                try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
                for name in try FileManager.default.contentsOfDirectory(atPath: source.url("wal").path) where !name.hasPrefix(".") {
                    var file = source.url("wal").appendingPathComponent(name)
                    for (suffix, command) in [
                        (".zst", ["zstd", "-qc"]), (".gz", ["gzip", "-1c"]), (".lz4", ["lz4", "-qc"]), (".xz", ["xz", "-qc"]),
                    ]
                    where form.contains(suffix) {
                        let packed = folder.appendingPathComponent(name + suffix)
                        _ = try await ToolRunner.spawn(
                            command, environment: [:], input: file, output: .file(packed), errors: .discard)
                        file = packed
                    }
                    if form.hasSuffix(".enc") {
                        let suffix = file.lastPathComponent + ".enc"
                        _ = try await ArtifactStream.encrypt(
                            from: file, to: folder.appendingPathComponent(suffix), encryption: encryption, flushed: false)
                        if file.path.hasPrefix(folder.path) { try FileManager.default.removeItem(at: file) }
                    }
                }
                try await source.recover(wal: form, to: .end, walEncryption: form.hasSuffix(".enc") ? encryption : nil) { cluster, _ in
                    let rows = try await ArchivedCluster.rows(cluster)
                    #expect(rows == "after 5, before 5", "\(form)")
                    #expect(allPass(cluster.cases), "\(form)")
                }
                // Declared otherwise than it is: told, never guessed.
                if ["wal.zst.enc", "wal.xz"].contains(form) { continue }
                try await source.recover(wal: form, to: .end, walEncryption: form.hasSuffix(".enc") ? nil : encryption) { cluster, _ in
                    #expect(!cluster.cases.flatMap(\.findings).filter { $0.rule.name == "artifact-not-encrypted" }.isEmpty, "\(form)")
                }
            }
        }
    }

    /// A base backup in tars and its archive, all as openssl cms writes them; then one segment of it cut, and one changed.
    @Test(arguments: ["aes-256-gcm", "aes-256-cbc"])
    func cmsEnvelopes(cipher: String) async throws {
        try await withArchivedCluster { source in
            let work = source.url("cms-keys")
            try FileManager.default.createDirectory(at: work, withIntermediateDirectories: true)
            let key = work.appendingPathComponent("key")
            let certificate = work.appendingPathComponent("crt").path
            func openssl(_ words: [String]) async throws {
                let result = try await ToolRunner.spawn(["openssl"] + words, environment: [:], output: .discard, errors: .discard)
                try #require(result.succeeded, "\(words)")
            }
            try await openssl(
                ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x", "-days", "9", "-keyout", key.path, "-out", certificate])
            for (folder, target) in [("tar", "tar.cms"), ("wal", "wal.cms")] {
                try FileManager.default.createDirectory(at: source.url(target), withIntermediateDirectories: true)
                for name in try FileManager.default.contentsOfDirectory(atPath: source.url(folder).path) where !name.hasPrefix(".") {
                    let file = source.url(folder).appendingPathComponent(name).path
                    let stored = source.url(target).appendingPathComponent(name + ".enc").path
                    try await openssl(
                        [
                            "cms", "-encrypt", "-binary", "-stream", "-outform", "DER", "-\(cipher)", "-in", file, "-out", stored,
                            certificate,
                        ])
                }
            }
            let encryption = ArtifactStream.Encryption(.cms, key: Secret(try Data(contentsOf: key)))
            try await source.recover(base: "tar.cms", wal: "wal.cms", to: .end, encryption: encryption, walEncryption: encryption) {
                cluster, copied in
                #expect(copied.findings.isEmpty)
                let rows = try await ArchivedCluster.rows(cluster)
                #expect(rows == "after 5, before 5")
                #expect(allPass(cluster.cases))
            }
            // Declared otherwise than it is.
            let phrase = ArtifactStream.Encryption(passphrase: Secret("a passphrase"))
            try await source.recover(wal: "wal.cms", to: .end, walEncryption: phrase) { cluster, _ in
                #expect(!cluster.cases.flatMap(\.findings).filter { $0.rule.name == "artifact-not-encrypted" }.isEmpty)
            }
        }
    }

    /// The backup carries settings that would destroy its own archive.
    @Test func hostileConfigurationIsNeverRead() async throws {
        try await withArchivedCluster { source in
            try source.copy("base", as: "hostile")
            let loot = source.url("loot")
            try FileManager.default.createDirectory(at: loot, withIntermediateDirectories: true)
            try source.host.folder.own(loot)
            let settings = """
                archive_mode = 'on'
                archive_command = 'rm -rf \(source.url("wal").path); touch \(loot.path)/archived'
                restore_command = 'touch \(loot.path)/restored; false'
                recovery_end_command = 'touch \(loot.path)/ended'
                primary_conninfo = 'host=production password=hunter2'
                shared_preload_libraries = 'pg_cron'
                listen_addresses = '*'

                """
            try Data(settings.utf8).write(to: source.url("hostile/postgresql.auto.conf"))
            try Data().write(to: source.url("hostile/standby.signal"))
            let before = try FileManager.default.contentsOfDirectory(atPath: source.url("wal").path).sorted()
            try await source.recover(base: "hostile", to: .end) { cluster, copied in
                #expect(copied.findings.isEmpty)
                let rows = try await ArchivedCluster.rows(cluster)
                #expect(rows == "after 5, before 5")
                let server = try #require(cluster.server)
                let session = try await PostgresConnection.connect(server.configuration(database: "postgres"))
                try await session.execute("INSERT INTO notes VALUES ('scratch')")
                _ = try await session.value("SELECT pg_switch_wal()")
                try await session.execute("CHECKPOINT")
                #expect(try await session.value("SHOW archive_mode") == "off")
                await session.close()
                try await Task.sleep(for: .milliseconds(300))
                let asked = await PostgresQuarantine.ask(
                    server, service: "postgres", host: source.host, demand: QuarantineDemand(), restoreCommand: cluster.restoreCommand)
                #expect(allPass(asked) && asked.count >= 9)
                // The question is a real one: without being told whose the restore_command is, it is a breach.
                let strict = await PostgresQuarantine.ask(server, service: "postgres", host: source.host, demand: QuarantineDemand())
                #expect(strict.contains { $0.verdict == .failed && $0.findings.contains { $0.object == "restore_command" } })

                let armed = OutboundSettings.cases(aside: copied.asideFolder, service: "postgres").flatMap(\.findings)
                let objects = armed.map { $0.object.split(separator: " ")[0] }
                for name in [
                    "archive_command", "restore_command", "recovery_end_command", "primary_conninfo", "shared_preload_libraries",
                    "standby.signal",
                ] {
                    #expect(objects.contains { $0 == name }, "\(name)")
                }
                #expect(!armed.contains { "\($0)".contains("hunter2") || "\($0)".contains("production ") })
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: source.url("wal").path).sorted() == before)
            #expect(try FileManager.default.contentsOfDirectory(atPath: loot.path).isEmpty)
        }
    }
}
