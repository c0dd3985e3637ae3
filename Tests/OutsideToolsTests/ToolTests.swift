// What outside tools are told, and what their ends and words mean: each asked without a server.

import ArtifactFormats
import Foundation
import ScratchHost
import Testing

@testable import OutsideTools

private func ended(_ code: Int32?, signal: Int32? = nil, _ output: String = "") -> ToolResult {
    ToolResult(exitCode: code, signal: signal, output: output)
}

@Suite struct CommandLineTests {
    private let file = URL(fileURLWithPath: "/b/a.dump")

    /// In parallel only where more than one job is wanted; the database is made only where that is asked for.
    @Test func pgRestore() {
        let tool = PgRestore(program: "/pg/pg_restore")
        #expect(
            tool.restore(file, into: "shop", creating: false, jobs: 1)
                == ["/pg/pg_restore", "--no-password", "--no-tablespaces", "-d", "shop", "/b/a.dump"])
        #expect(
            tool.restore(file, into: "template1", creating: true, jobs: 4)
                == ["/pg/pg_restore", "--no-password", "--no-tablespaces", "-j", "4", "-C", "-d", "template1", "/b/a.dump"])
        #expect(
            tool.script(file, .preData, .postData, creatingDatabase: true)
                == ["/pg/pg_restore", "--section=pre-data", "--section=post-data", "-C", "-f", "-", "/b/a.dump"])
    }

    /// A sign of equality in a path parts the two in a mapping, unless it is escaped.
    @Test func pgBasebackup() {
        let command = PgBasebackup(program: "pg_basebackup").copy(
            into: URL(fileURLWithPath: "/s/data"), tablespaces: [("/ts/a=b", URL(fileURLWithPath: "/s/ts1"))], isSynced: false)
        #expect(command.contains("--tablespace-mapping=/ts/a\\=b=/s/ts1") && command.contains("--no-sync"))
        #expect(command.contains("--no-password") && command.contains("--no-slot"))
    }

    @Test func pgCombinebackup() {
        let command = PgCombinebackup(program: "pg_combinebackup").combine(
            [URL(fileURLWithPath: "/f"), URL(fileURLWithPath: "/i")], into: URL(fileURLWithPath: "/d"),
            tablespaces: [(URL(fileURLWithPath: "/o"), URL(fileURLWithPath: "/n"))], isSynced: true)
        #expect(command == ["pg_combinebackup", "--no-manifest", "--output=/d", "--tablespace-mapping=/o=/n", "/f", "/i"])
    }

    /// No tool asks for a password, and none has one among its words.
    @Test func noneWaitsForAPassword() {
        for call in [PgDump.archive(["--jobs=2"]), PgDump.definition(ofTable: "a.t"), PgDump.globals(passwords: true)] {
            #expect(call.arguments.first == "--no-password")
        }
        #expect(PgDump.globals(passwords: false).arguments.last == "--no-role-passwords")
        #expect(!PgDump.globals(passwords: true).arguments.contains("--no-role-passwords"))
    }

    @Test func extractionTakesNoOwners() {
        let command = Tar.extraction(of: file, into: URL(fileURLWithPath: "/t"))
        #expect(command.contains("--no-same-owner") && command.contains("--no-same-permissions"))
    }
}

@Suite struct DecompressorTests {
    /// Each on a real file of its own program's, also broken off after a few bytes.
    @Test(arguments: [ArtifactFormat.gzip, .zstd, .xz, .bzip2, .lz4])
    func takesOffWhatItsProgramPutOn(_ format: ArtifactFormat) async throws {
        let decompressor = try #require(Decompressor.of(format))
        try #require(ScratchHost.locate(decompressor.program) != nil, "\(decompressor.package) brings it")
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("mt-\(UUID().uuidString)", isDirectory: true)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (plain, packed) = (folder.appendingPathComponent("plain"), folder.appendingPathComponent("packed"))
        try Data(String(repeating: "one line\n", count: 50_000).utf8).write(to: plain)
        _ = try await ToolRunner.spawn(
            ["sh", "-c", "exec \(decompressor.program) -qc < \(plain.path)"], environment: [:], output: .file(packed), errors: .discard)
        #expect(ArtifactFormat(head: Array(try Data(contentsOf: packed).prefix(4096))) == format)
        for (command, size) in [(decompressor.command, 450_000), (decompressor.beginning(1000), 1000)] {
            let back = folder.appendingPathComponent("back")
            let words = command.map { "'\($0)'" }.joined(separator: " ")
            let result = try await ToolRunner.spawn(
                ["sh", "-c", "exec \(words) < \(packed.path)"], environment: [:], output: .file(back), errors: .discard)
            #expect(result.succeeded)
            #expect(try Data(contentsOf: back).count == size)
        }
        // Cut short, it says so.
        try Data(try Data(contentsOf: packed).dropLast(9)).write(to: packed)
        let log = folder.appendingPathComponent("log")
        let result = try await ToolRunner.spawn(
            ["sh", "-c", "exec \(decompressor.command.joined(separator: " ")) < \(packed.path)"], environment: [:], output: .discard,
            errors: .file(log))
        #expect(!result.succeeded)
        #expect(Decompressor.saysCut(String(decoding: try Data(contentsOf: log), as: UTF8.self)), "\(format)")
    }

    @Test func damageIsNoCut() {
        #expect(!Decompressor.saysCut("gzip: stdin: invalid compressed data--crc error"))
    }
}

@Suite struct EndingTests {
    @Test(arguments: [
        (Int32(0), "", PgWaldump.Reading.whole),
        (
            1, "error in WAL record at 0/6000078: incorrect checksum in record at 1/60000A8\n",
            .broken(at: 0x1_0600_00A8, findsNoRecord: false)
        ),
        (1, "could not find a valid record after 0/3000000", .broken(at: 0x300_0000, findsNoRecord: true)),
        (
            1, "pg_waldump: error: error in WAL record at 0/1B059BF0: invalid record length at 0/1B059C28: wanted 24, got 0\n",
            .ended(at: 0x1B05_9C28)
        ),
        (
            1, "pg_waldump: error: error in WAL record at 0/1B059BF0: unexpected pageaddr 0/19000000 in log segment 0, offset 8192\n",
            .ended(at: 0x1B05_9BF0)
        ),
        // A byte of a record that is there.
        (
            1, "pg_waldump: error: error in WAL record at 0/3000028: record with incorrect prev-link 0/7 at 0/3000060\n",
            .broken(at: 0x300_0060, findsNoRecord: false)
        ),
        (
            1, "pg_waldump: error: error in WAL record at 0/3000028: invalid record length at 0/3000060: wanted 24, got 7\n",
            .broken(at: 0x300_0060, findsNoRecord: false)
        ),
        // Not the log's fault.
        (1, "could not open file", .unread("exit 1")), (127, "error at 0/6000078", .unread("exit 127")),
    ])
    func pgWaldump(_ code: Int32, _ words: String, _ expected: PgWaldump.Reading) {
        #expect(PgWaldump.reading(ended(code), words: words) == expected)
    }

    /// 0 over a cluster of which nothing was read is no proof.
    @Test func pgChecksums() {
        let words = "checksum verification failed in file \"/d/base/5/16384\", block 3: calculated 1 but expected 2\n"
        #expect(
            PgChecksums.reading(ended(1, "Blocks scanned:  9\n"), words: words, dataFolder: "/d")
                == .damaged([PgChecksums.Page(file: "base/5/16384", block: "3")]))
        #expect(PgChecksums.reading(ended(0, "Blocks scanned:  9\n"), words: "", dataFolder: "/d") == .whole)
        #expect(PgChecksums.reading(ended(0, "Blocks scanned:  0\n"), words: "", dataFolder: "/d") == .unread(scanned: 0))
        #expect(PgChecksums.reading(ended(1, "Blocks scanned:  9\n"), words: "", dataFolder: "/d") == .unread(scanned: 9))
    }

    /// It ends with 0 over a damaged record, and warns.
    @Test func pgControldata() {
        #expect(PgControldata.text(ended(0, "Bytes per WAL segment: 1")) == "Bytes per WAL segment: 1")
        #expect(PgControldata.text(ended(0, "WARNING: Calculated CRC checksum does not match")) == nil)
        #expect(PgControldata.text(ended(1, "")) == nil)
    }

    @Test(arguments: [
        (Int32(0), "\\o/ RDB looks OK! \\o/", RedisChecker.Reading.whole),
        // Valkey's ends with 0 on what its server refuses.
        (0, "Foreign RDB version 13", .foreign), (1, "Can't handle RDB format version 80", .foreign),
        (1, "Wrong signature trying to load DB from file", .foreign),
        (1, "Unexpected EOF reading RDB file", .damaged(isCut: true)), (1, "RDB CRC error", .damaged(isCut: false)),
        (126, "", .cannotRun), (127, "", .cannotRun),
    ])
    func redisChecker(_ code: Int32, _ words: String, _ expected: RedisChecker.Reading) {
        #expect(RedisChecker.reading(ended(code, words)) == expected)
    }

    @Test func aKilledCheckerHasReadNothing() {
        #expect(RedisChecker.reading(ended(nil, signal: 9)) == .killed)
    }
}

@Suite struct CurlTests {
    @Test func nothingOfARequestIsOnTheCommandLine() {
        #expect(Curl.command == ["curl", "--disable", "--config", "-"])
        let lines = Curl.configuration(
            url: "https://hooks.example/a{1}", token: "t\"k", body: "@{\"a\":\"b\\\\n\"}", agent: "muster/1", limit: 20, isLocal: false
        ).split(separator: "\n").map(String.init)
        #expect(lines.contains("url = \"https://hooks.example/a{1}\"") && lines.contains("globoff"))
        #expect(
            lines.contains("header = \"Authorization: Bearer t\\\"k\"") && lines.contains("data-raw = \"@{\\\"a\\\":\\\"b\\\\\\\\n\\\"}\""))
        #expect(lines.contains("proto = \"=https\"") && lines.contains("max-redirs = \"0\"") && lines.contains("max-time = \"20\""))
        #expect(!lines.contains { $0.hasPrefix("location") || $0.hasPrefix("insecure") || $0.hasPrefix("noproxy") || $0.hasPrefix("fail") })
        let local = Curl.configuration(url: "http://127.0.0.1/", token: nil, body: "{}", agent: "muster/1", limit: 4, isLocal: true)
        #expect(
            local.contains("proto = \"=http,https\"\nnoproxy = \"*\"\n") && !local.contains("Authorization")
                && local.contains("connect-timeout = \"4\""))
        // What is in quotes begins no line of its own.
        #expect(Curl.quoted("a\nurl = b\r\t\\") == "\"a\\nurl = b\\r\\t\\\\\"")
    }

    @Test func theAnswerCounts() {
        #expect(Curl.answer(ended(0, "HTTP/1.1 200 OK\r\n\r\n\n200")) == .status(200, wait: nil))
        #expect(Curl.answer(ended(28, "HTTP/1.1 200 OK\r\n\r\n\n200")) == .status(200, wait: nil))
        #expect(Curl.answer(ended(0, "HTTP/2 429\r\nretry-after: 30\r\n\r\n\n429")) == .status(429, wait: 30))
        #expect(
            Curl.answer(ended(0, "HTTP/1.1 503 x\r\nRetry-After: Wed, 21 Oct 2026 07:28:00 GMT\r\n\r\n\n503")) == .status(503, wait: nil))
        for code: Int32 in [6, 7, 28, 35, 52, 56] {
            guard case .unanswered(_, true) = Curl.answer(ended(code, "\n000")) else { Issue.record("exit \(code) may pass"); continue }
        }
        for code: Int32 in [1, 3, 60, 77] {
            guard case .unanswered(_, false) = Curl.answer(ended(code, "\n000")) else { Issue.record("exit \(code) won't pass"); continue }
        }
        #expect(Curl.answer(ended(127)) == .cannotRun)
        #expect(Curl.answer(ended(nil, signal: 9)) == .unanswered("no answer (curl ended with signal 9)", mayPass: true))
    }
}

@Suite struct SendmailTests {
    /// Whoever a header names, nobody else than these gets it.
    @Test func theRecipientsAreOnTheCommandLine() {
        let command = Sendmail(program: "/usr/sbin/sendmail").send(to: ["a@example.com", "b@example.com"], from: "m@example.com")
        #expect(command == ["/usr/sbin/sendmail", "-i", "-f", "m@example.com", "--", "a@example.com", "b@example.com"])
    }

    @Test func itsCodesAreThoseOfSysexits() {
        #expect(Sendmail.answer(ended(0)) == .taken && Sendmail.answer(ended(75)) == .later && Sendmail.answer(ended(127)) == .cannotRun)
        #expect(Sendmail.answer(ended(67)) == .refused("it knows no such recipient (exit 67)"))
        #expect(Sendmail.answer(ended(nil, signal: 11)) == .refused("it ended with signal 11"))
    }
}

/// Lines of pg_waldump as 14 to 19 print them.
@Suite struct TransactionLineTests {
    private func line(_ transaction: Int, _ position: String, _ words: String) -> String {
        "rmgr: Transaction len (rec/tot):     34/    34, tx:  \(transaction), lsn: \(position), prev 0/01521B98, desc: \(words)"
    }

    @Test func endsAreRead() {
        let commit = PgWaldump.TransactionEnd(line(735, "0/01521BD8", "COMMIT 2026-12-01 03:00:00.000000 UTC; subxacts: 736 737"))
        #expect(commit == .init(isCommit: true, transaction: 735, position: 0x152_1BD8))
        let prepared = PgWaldump.TransactionEnd(line(0, "1/0A", "COMMIT_PREPARED 740: 2026-12-01 03:00:00.000000 UTC"))
        #expect(prepared == .init(isCommit: true, transaction: 740, position: 1 << 32 + 10))
        #expect(PgWaldump.TransactionEnd(line(741, "0/B0", "ABORT 2026-12-01 03:00:00.000000 UTC"))?.isCommit == false)
        #expect(PgWaldump.TransactionEnd(line(0, "0/B0", "ABORT_PREPARED 742: 2026-12-01 03:00:00.000000 UTC"))?.transaction == 742)
        for words in [
            "PREPARE gid one: 2026-12-01 03:00:00.000000 UTC", "ASSIGNMENT xtop 735: subxacts: 736", "INVALIDATION ; inval msgs:",
        ] {
            #expect(PgWaldump.TransactionEnd(line(735, "0/B0", words)) == nil)
        }
        #expect(PgWaldump.TransactionEnd("rmgr: Transaction, tx: 1, desc: COMMIT") == nil)
    }

    @Test func aSwitchIsRead() {
        let words = "rmgr: XLOG        len (rec/tot):     24/    24, tx:          0, lsn: 0/0300A0B8, prev 0/0300A080, desc: SWITCH"
        #expect(PgWaldump.switched(words) == 0x300_A0B8)
        #expect(PgWaldump.switched(words.replacing("SWITCH", with: "CHECKPOINT_ONLINE redo 0/300A080")) == nil)
    }
}
