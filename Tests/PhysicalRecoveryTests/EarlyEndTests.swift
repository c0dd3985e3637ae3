// What stops a replay before the archive ends, and what only looks so.

import ArtifactFormats
import DrillModel
import Foundation
import PostgresClient
import PostgresRecovery
import ScratchHost
import TestSupport
import Testing

@testable import PhysicalRecovery

/// An archive that somebody did something to.
extension ArchivedCluster {
    func change(_ name: String, in folder: String, _ body: (inout Data) -> Void) throws {
        var bytes = try Data(contentsOf: url("\(folder)/\(name)"))
        body(&bytes)
        try bytes.write(to: url("\(folder)/\(name)"))
    }

    /// As a declared command reads it.
    func recover(
        by command: [String], missing: Set<Int> = [1], target: RecoveryTarget = RecoveryTarget(.end),
        check: (RecoveredCluster) async throws -> Void
    ) async throws {
        let folder = try host.folder.privateFolder("c\(UInt16.random(in: .min ... .max))")
        let backup = try BaseBackup(at: url("base"), name: "base", encryption: nil)
        let copied = try await BaseBackupCopy(host: host, folder: folder).copy(backup, manifest: try await backup.manifest()) { _ in }
        let cluster = try await PointInTimeRecovery(
            host: host, folder: folder, base: copied, backup: "base", service: "postgres", profile: .fast,
            wal: WALSource(tool: WALFetch(.command(command, missing: missing, hidden: []), data: copied.dataFolder)), target: target
        ).run(superusers: ["postgres"]) { _, _ in }
        do {
            try await check(cluster)
        } catch {
            await cluster.server?.stop()
            throw error
        }
        await cluster.server?.stop()
        try FileManager.default.removeItem(at: folder)
    }
}

extension RecoveredCluster {
    var findings: [Finding] { cases.flatMap(\.findings) + [failure?.finding].compactMap { $0 } }
    var end: CaseResult? { cases.first { $0.name == "recovery reached the end of the write-ahead log" } }
    var red: [String] { findings.filter { $0.severity == .critical }.map { "\($0.rule) \($0.object)" } }
}

@Suite(.enabled(if: TestMachine.hasPostgres, "no postgres server is installed"))
struct EarlyEndTests {
    /// By its name, its size and its header each is what it should be.
    @Test func whatStopsTheReplay() async throws {
        try await withArchivedCluster { source in
            let segments = source.segments
            let later = try FileManager.default.contentsOfDirectory(atPath: source.url("wal").path)
                .filter { WALSegmentName($0) != nil && $0 > segments[2] }.count
            // The checksum of a segment's first record stands at 60; no byte of it is padding.
            let damages: [(name: String, change: (inout Data) -> Void)] = [
                ("one bit of a record", { $0[60] ^= 1 }),
                ("zeros behind the first record", { $0.replaceSubrange(120..<$0.count, with: Data(count: $0.count - 120)) }),
            ]
            for damage in damages {
                try source.copy("wal", as: "hurt")
                try source.change(segments[2], in: "hurt", damage.change)
                try await source.recover(wal: "hurt", to: .end) { cluster, _ in
                    #expect(cluster.red == ["recovery-ended-early \(segments[2])"], "\(damage.name): \(cluster.findings)")
                    let finding = try #require(cluster.end?.findings.first)
                    #expect(cluster.end?.verdict == .failed)
                    #expect(finding.message.contains("\(later) later segments of the archive were not replayed"), "\(finding.message)")
                    #expect(finding.actual.contains(#/^it ended at 0/[0-9A-F]+: \w+/#), "\(finding.actual)")
                    let rows = try await ArchivedCluster.rows(cluster)
                    #expect(rows == "before 2")
                }
            }
            // With a target behind it, the reason stands beside the target that was not reached; with one before it, nothing is wrong.
            try await source.recover(wal: "hurt", to: .time(source.target)) { cluster, _ in
                #expect(cluster.failure?.finding.rule == .targetNotReached)
                #expect(cluster.red.contains("recovery-ended-early \(segments[2])"), "\(cluster.findings)")
            }
            try source.copy("wal", as: "hurt")
            try source.change(segments[8], in: "hurt") { $0[60] ^= 1 }
            try await source.recover(wal: "hurt", to: .name("mistake")) { cluster, _ in
                #expect(cluster.red == [] && cluster.failure == nil)
            }
            // The tail of an older segment, as a recycled file has it before it is overwritten.
            try source.copy("wal", as: "hurt")
            let old = try Data(contentsOf: source.url("wal/\(segments[0])"))
            try source.change(segments[3], in: "hurt") { $0.replaceSubrange(48..<$0.count, with: old[48...]) }
            try await source.recover(wal: "hurt", to: .end) { cluster, _ in
                #expect(cluster.red == ["recovery-ended-early \(segments[3])"], "\(cluster.findings)")
            }
        }
    }

    /// The newest segment alone: nothing lies behind it but what stands in it.
    @Test func theNewestSegment() async throws {
        try await withArchivedCluster { source in
            let newest = try #require(source.segments.last)
            // What the server archived as it ended.
            for name in try FileManager.default.contentsOfDirectory(atPath: source.url("wal").path)
            where WALSegmentName(name) != nil && name > newest { try FileManager.default.removeItem(at: source.url("wal/\(name)")) }
            try source.copy("wal", as: "hurt")
            // The message and the switch stand behind the row's records.
            try source.change(newest, in: "hurt") { $0[60] ^= 1 }
            try await source.recover(wal: "hurt", to: .end) { cluster, _ in
                #expect(cluster.red == ["recovery-ended-early \(newest)"], "\(cluster.findings)")
            }
            // Filled in part, as a copy of the running server's last segment is: zeros from a record's end on, and in the middle of one.
            let log = try await ToolRunner.spawn(
                [PostgresBinaries.suitable(forDumpOf: nil).path("pg_waldump"), source.url("wal/\(newest)").path], environment: [:],
                output: .capture(limit: 1 << 20), errors: .discard)
            let records = log.output.matches(of: #/len \(rec/tot\): +[0-9]+/ +([0-9]+), .*?lsn: ([0-9A-F]+/[0-9A-F]+)/#)
            try #require(records.count > 2)
            let second = try #require(WALPosition.parse(records[1].output.2))
            let offset = Int(second % (16 << 20))
            try source.copy("wal", as: "part")
            try source.change(newest, in: "part") {
                $0.replaceSubrange(offset + 16..<$0.count, with: Data(count: $0.count - offset - 16))
            }
            try await source.recover(wal: "part", to: .end) { cluster, _ in
                #expect(cluster.red == [] && cluster.end?.verdict == .passed, "\(cluster.findings)")
            }
            // And behind them an older segment's bytes.
            let old = try Data(contentsOf: source.url("wal/\(source.segments[0])"))
            try source.copy("wal", as: "part")
            try source.change(newest, in: "part") { $0.replaceSubrange(offset..<$0.count, with: old[offset...]) }
            // With a part of the next one, which no recovery reads.
            let next = WALSegmentName(newest).map { WALSegmentName(timeline: 1, number: $0.number(size: 16 << 20) + 1, size: 16 << 20) }
            let partial = try #require(next)
            try await source.recover(wal: "part", partial: [partial, try #require(WALSegmentName(newest))], to: .end) { cluster, _ in
                #expect(cluster.red == [] && cluster.end?.verdict == .passed, "\(cluster.findings)")
                #expect(cluster.findings.map { "\($0.rule) \($0.severity) \($0.object)" } == ["wal-partial note \(partial.text).partial"])
            }
            // An idle source: nothing but the base backup's own segments.
            for name in source.segments.dropFirst() { try FileManager.default.removeItem(at: source.url("part/\(name)")) }
            try await source.recover(wal: "part", to: .end) { cluster, _ in
                #expect(cluster.red == [] && cluster.end?.verdict == .passed, "\(cluster.findings)")
            }
        }
    }

    /// What a declared command doesn't list is asked for.
    @Test func behindADeclaredCommand() async throws {
        try await withArchivedCluster { source in
            let segments = source.segments
            func cp(_ folder: String) -> [String] { ["cp", "\(source.url(folder).path)/{wal}", "{path}"] }
            try await source.recover(by: cp("wal")) { cluster in
                #expect(cluster.red == [] && cluster.end?.verdict == .passed, "\(cluster.findings)")
                let rows = try await ArchivedCluster.rows(cluster)
                #expect(rows == "after 5, before 5")
                #expect(cluster.unproven.contains { $0.contains("only the declared command reads the archive") })
            }
            try source.copy("wal", as: "gap")
            try FileManager.default.removeItem(at: source.url("gap/\(segments[2])"))
            try FileManager.default.removeItem(at: source.url("gap/\(segments[3])"))
            try await source.recover(by: cp("gap")) { cluster in
                #expect(cluster.red == ["wal-gap \(segments[2])"] && cluster.end?.verdict == .failed, "\(cluster.findings)")
                #expect(cluster.end?.findings.first?.message.contains(segments[4]) == true)
            }
            // A target before the gap needs nothing of what follows.
            try await source.recover(by: cp("gap"), target: RecoveryTarget(.time(source.target))) { cluster in
                #expect(cluster.failure?.finding.rule == .targetNotReached && cluster.red.contains("wal-gap \(segments[2])"))
            }
            try source.copy("wal", as: "hurt")
            try source.change(segments[4], in: "hurt") { $0[60] ^= 1 }
            try await source.recover(by: cp("hurt")) { cluster in
                #expect(cluster.red == ["recovery-ended-early \(segments[4])"], "\(cluster.findings)")
            }
            // Nothing at all comes, and the base backup starts by what it bundles: here it can't even do that.
            try await source.recover(by: ["sh", "-c", "exit 1", "{wal}", "{path}"]) { cluster in
                #expect(cluster.failure?.verdict == .failed)
            }
        }
    }

    /// Whatever a declared command ends with, but what the estate says means "not there".
    @Test func whatACommandEndsWith() async throws {
        try await withScratchHost { host in
            let folder = try host.folder.privateFolder("fetched")
            func fetch(_ script: String, missing: Set<Int> = [1]) async throws -> String {
                let tool = WALFetch(.command(["sh", "-c", script, "{wal}", "{path}"], missing: missing, hidden: []), data: folder)
                let target = folder.appendingPathComponent("x")
                defer { try? FileManager.default.removeItem(at: target) }
                do {
                    return try await tool.fetch("000000010000000000000003", to: target, on: host) ? "there" : "not there"
                } catch let failure as DrillFailure {
                    #expect(
                        failure.verdict == .error && failure.finding.rule == .fetchFailed && !failure.finding.actual.contains("hunter2"))
                    return failure.finding.actual
                }
            }
            #expect(try await fetch("echo content > \"$1\"") == "there")
            #expect(try await fetch("exit 1") == "not there")
            #expect(try await fetch("exit 0") == "not there")
            #expect(try await fetch(": > \"$1\"") == "not there", "an empty file is none")
            #expect(try await fetch("cp /nowhere/f \"$1\" || : > \"$1\"") == "not there", "and says so")
            // It ends with 0 whatever came of it, and says what did.
            #expect(try await fetch("echo 'Connection refused' >&2; : > \"$1\"").contains("Connection refused"))
            #expect(try await fetch("echo 'cp: cannot stat x: No such file or directory' >&2; exit 1") == "not there")
            for words in [
                "ERROR: WAL file x not found in server main", "unable to find x in the archive",
                "An error occurred (404): Key x does not exist",
                "CommandException: No URLs matched: gs://a-bucket/wal/x", "cp: cannot stat /mnt/stale/x: No such file or directory",
            ] {
                #expect(try await fetch("echo '\(words)' >&2; exit 1") == "not there")
            }
            let pipe = "openssl enc -d -aes-256-cbc -pass pass:x -in \(folder.path)/none.enc | gzip -dc > \"$1\" && [ -s \"$1\" ]"
            #expect(try await fetch(pipe) == "not there", "the second program's words follow from the first one's")
            for words in [
                "dial tcp 10.0.0.1:443: connect: connection refused", "lookup b: no such host",
                "cp: cannot stat x: Transport endpoint is not connected",
                "No route to host", "An error occurred (403) when calling HeadObject: Forbidden", "Unable to locate credentials",
                "gzip: x: unexpected end of file", "something that nobody knows",
            ] {
                #expect(try await fetch("echo '\(words)' >&2; exit 1") == "exit 1: \(words)")
            }
            #expect(try await fetch("echo part > \"$1\"; exit 1") == "exit 1", "a part of a file is no sign that there is none")
            // Wrong credentials, no connection, no program; and 1 with the words of something else.
            #expect(
                try await fetch("echo 'ERROR: SignatureDoesNotMatch s3://a:hunter2@b secret_key=hunter2' >&2; exit 4")
                    == "exit 4: ERROR: SignatureDoesNotMatch s3://…@b secret_key=…")
            #expect(try await fetch("exit 2") == "exit 2")
            #expect(try await fetch("no-such-tool").hasPrefix("exit 127"))
            #expect(try await fetch("echo 'EXCEPTION: [Errno 13] x'; exit 1") == "exit 1: EXCEPTION: [Errno 13] x")
            #expect(try await fetch("echo 'cp: x: Permission denied' >&2; exit 1").hasPrefix("exit 1: cp"))
            #expect(try await fetch("exit 74", missing: [74]) == "not there")
            #expect(try await fetch("exit 1", missing: [74]) == "exit 1")
        }
    }

    @Test func aCommandThatBreaks() async throws {
        try await withArchivedCluster { source in
            let third = source.segments[2]
            let archive = source.url("wal").path
            func command(_ script: String) -> [String] { ["sh", "-c", script, "{wal}", "{path}"] }
            try await source.recover(by: command("[ \"$0\" = \(third) ] && exit 4; cp \(archive)/\"$0\" \"$1\"")) { cluster in
                let failure = try #require(cluster.failure)
                #expect(failure.verdict == .error && failure.finding.rule == .fetchFailed && failure.finding.object == third, "\(failure)")
            }
            // An empty file, whatever is asked for.
            try await source.recover(by: command("cp \(archive)/\"$0\" \"$1\" || : > \"$1\"")) { cluster in
                #expect(cluster.red == [] && cluster.end?.verdict == .passed, "\(cluster.findings)")
                #expect(cluster.segments < 20)
            }
            // The same segment for another's name, and histories without an end.
            let same = "n=\"$0\"; [ \"$n\" = \(third) ] && n=\(source.segments[1]); cp \(archive)/\"$n\" \"$1\""
            let histories =
                "case \"$0\" in *.history) printf '1\\t0/9000000\\tx\\n' > \"$1\";; *) cp \(archive)/\"$0\" \"$1\";; esac"
            for script in [same, histories] {
                try await source.recover(by: command(script)) { cluster in
                    let failure = try #require(cluster.failure)
                    #expect(failure.verdict == .error && failure.finding.rule == .fetchFailed, "\(failure)")
                }
            }
        }
    }

    /// An archive that stands still hides behind the segment that `-X stream` and `-X fetch` put into the base backup.
    @Test func anArchiveWithoutTheBaseBackup() async throws {
        try await withArchivedCluster { source in
            try FileManager.default.createDirectory(at: source.url("nothing"), withIntermediateDirectories: true)
            try await source.recover(base: "tar", wal: "nothing", to: .end) { cluster, _ in
                #expect(cluster.red.map { $0.prefix(11) } == ["wal-missing"] && cluster.server != nil, "\(cluster.findings)")
            }
            // Older than the base backup.
            try source.copy("wal", as: "old")
            let label = try #require(BackupLabel(String(contentsOf: source.url("base/backup_label"), encoding: .utf8)))
            for name in try FileManager.default.contentsOfDirectory(atPath: source.url("old").path) {
                guard let segment = WALSegmentName(name), segment.number(size: 16 << 20) >= label.start / (16 << 20) else { continue }
                try FileManager.default.removeItem(at: source.url("old/\(name)"))
            }
            try await source.recover(base: "tar", wal: "old", to: .end) { cluster, _ in
                #expect(cluster.red.map { $0.prefix(11) } == ["wal-missing"], "\(cluster.findings)")
            }
        }
    }

    @Test func whatIsShownOfATool() {
        let words = ToolWords(environment: ["PGPASSWORD": "open sesame", "X": "plain", "MY_KEY": "zzzz"], hiding: ["X"])
        #expect(words.tail(of: ["a\nb\nc\nd\n", "the open sesame of plain zzzz\n"]) == "b; c; d; the … of … …")
        #expect(words.tail(of: ["GET https://me:pw@host/x?password=abc"]) == "GET https://…@host/x?password=…")
        #expect(words.tail(of: ["", "\u{1b}[31m"]) == "?[31m")
        #expect(ToolWords(environment: [:]).tail(of: [String(repeating: "x", count: 900)]).count == 300)
    }
}
