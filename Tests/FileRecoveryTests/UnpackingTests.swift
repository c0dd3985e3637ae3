// Compression, tar, folders, globals: taken off layer by layer, refused where they can't be trusted.

import ArtifactFormats
import Cryptography
import DrillModel
import FileRecovery
import Foundation
import Glibc
import ScratchHost
import Seals
import Testing

@Suite struct UnpackingTests {
    /// As PowerShell's `>` writes it, also where it was compressed then.
    @Test func aScriptInUTF16IsNamed() async throws {
        try await Fixture.with { fixture in
            try fixture.file("a.sql", script())
            try fixture.shell("iconv -f UTF-8 -t UTF-16 a.sql > w.sql && gzip -k w.sql")
            for name in ["w.sql", "w.sql.gz"] {
                let failure = await fixture.failure(of: try await fixture.point(name))
                #expect(failure?.verdict == .failed && failure?.finding.rule.name == "artifact-utf-16", "\(failure?.finding.message ?? "")")
            }
        }
    }

    @Test(arguments: [
        ("gzip -k", "gz"), ("zstd -q", "zst"), ("zstd -q --long=31 --ultra -1", "zst"), ("xz -k", "xz"), ("bzip2 -k", "bz2"),
        ("lz4 -qm", "lz4"),
    ])
    func eachCompressionComesOffAndIsMissedWhereItIsCut(_ command: String, _ ending: String) async throws {
        try await Fixture.with { fixture in
            try fixture.file("a.sql", script(20000))
            try fixture.shell("\(command) a.sql")
            let point = try await fixture.point("a.sql.\(ending)")
            let result = try await fixture.retrieve(point)
            #expect(result.format == .sql)
            #expect(Array(try Data(contentsOf: result.location)) == script(20000))
            #expect(result.plainBytes == Int64(script(20000).count))
            #expect(result.isChecked)
            try fixture.shell("truncate -s -9 a.sql.\(ending)")
            try FileManager.default.removeItem(at: result.location)
            let failure = await fixture.failure(of: point)
            #expect(
                failure?.verdict == .failed && failure?.finding.rule.name == "artifact-truncated", "\(failure?.finding.actual ?? "passed")")
            #expect(!fixture.left.contains("artifact.1"), "nothing half unpacked is left")
        }
    }

    @Test func encryptionAndTwoCompressionsComeOff() async throws {
        try await Fixture.with { fixture in
            try fixture.file("a.sql", script())
            try fixture.shell("gzip a.sql && zstd -q --rm a.sql.gz")
            try fixture.encrypt("a.sql.gz.zst", as: "a.enc")
            let result = try await fixture.retrieve(try await fixture.point("a.enc"), key: Fixture.key)
            #expect(Array(try Data(contentsOf: result.location)) == script())
        }
    }

    @Test func endlessLayersAreRefused() async throws {
        try await Fixture.with { fixture in
            try fixture.file("a", script())
            try fixture.shell("for i in 1 2 3 4 5 6; do gzip a && mv a.gz a; done")
            let failure = await fixture.failure(of: try await fixture.point("a"))
            #expect(failure?.verdict == .failed && failure?.finding.rule.name == "artifact-unreadable")
        }
    }

    @Test func aTarOfAFolderAndATarOfOneFile() async throws {
        try await Fixture.with { fixture in
            try fixture.shell("mkdir -p top/dump && echo 1 > top/dump/toc.dat && echo 2 > top/dump/1.dat")
            // With modes that lock the owner out of the files, and of writing into the folder.
            try fixture.shell("tar czf f.tar.gz --mode=a-rw,u+X top")
            let folder = try await fixture.retrieve(try await fixture.point("f.tar.gz"))
            #expect(folder.isFolder)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.location.path).sorted() == ["1.dat", "toc.dat"])
            #expect(folder.plainBytes == 4)
            var info = stat()
            #expect(stat(folder.location.path, &info) == 0 && info.st_uid == fixture.host.userID)
        }
        try await Fixture.with { fixture in
            try fixture.file("a.sql", script())
            try fixture.shell("gzip a.sql && tar cf f.tar a.sql.gz")
            let file = try await fixture.retrieve(try await fixture.point("f.tar"))
            #expect(file.format == .sql)
            #expect(try Array(Data(contentsOf: file.location)) == script())
        }
    }

    @Test(arguments: [
        "echo x > x; tar -P --transform 's|^|../|' -cf f.tar x", "echo x > x; tar -P --transform 's|^|/tmp/mt-escape/|' -cf f.tar x",
        "ln -s /etc/passwd toc.dat; echo x > y; tar cf f.tar toc.dat y", "mkfifo p; echo x > y; tar cf f.tar p y",
    ])
    func aTarThatLeadsOutIsRefused(_ command: String) async throws {
        try await Fixture.with { fixture in
            try fixture.shell(command)
            let failure = await fixture.failure(of: try await fixture.point("f.tar"))
            #expect(failure?.verdict == .failed && failure?.finding.rule.name == "artifact-unreadable")
            #expect(!FileManager.default.fileExists(atPath: "/tmp/mt-escape"))
            #expect(!FileManager.default.fileExists(atPath: fixture.target.deletingLastPathComponent().appendingPathComponent("x").path))
        }
    }

    @Test func aCutTarFails() async throws {
        try await Fixture.with { fixture in
            try fixture.file("a", script(20000))
            try fixture.file("b", script(20000))
            try fixture.shell("tar cf f.tar a b && truncate -s 30000 f.tar")
            let failure = await fixture.failure(of: try await fixture.point("f.tar"))
            #expect(failure?.verdict == .failed && failure?.finding.rule.name == "artifact-truncated")
        }
    }

    @Test func anythingElseIsNoBackup() async throws {
        try await Fixture.with { fixture in
            try fixture.file("a", Array("hello".utf8))
            let failure = await fixture.failure(of: try await fixture.point("a"))
            #expect(failure?.verdict == .failed && failure?.finding.rule.name == "artifact-unknown-kind")
            // No key can be wrong where none is named.
            #expect(failure?.finding.hint.hasPrefix("the estate says encryption: none; ") == true)
            try fixture.encrypt("a", as: "a.enc")
            let decrypted = await fixture.failure(of: try await fixture.point("a.enc"), key: Fixture.key)
            #expect(decrypted?.finding.hint.hasPrefix("a wrong key can also look like this") == true)
        }
    }

    @Test func whatIsEncryptedBelowItsCompressionIsCalledSo() async throws {
        try await Fixture.with { fixture in
            try fixture.file("a", script())
            try fixture.encrypt("a", as: "a.enc")
            try fixture.shell("gzip a.enc")
            let finding = try #require(await fixture.failure(of: try await fixture.point("a.enc.gz"))?.finding)
            #expect(finding.actual == "an openssl-encrypted file" && finding.message.contains("below its compression is encrypted"))
            #expect(finding.hint.contains("compress first and encrypt then") && !finding.hint.contains("wrong key"))
        }
    }

    @Test(arguments: ["cat", "zstd -q --no-check -c", "lz4 -q --no-frame-crc -c", "xz --check=none -c"])
    func whatHasNoChecksumIsNotChecked(_ command: String) async throws {
        try await Fixture.with { fixture in
            try fixture.file("a.sql", script(20000))
            try fixture.shell("\(command) < a.sql > a")
            #expect(try await fixture.retrieve(try await fixture.point("a")).isChecked == false)
        }
    }

    /// Thousands of files that belong to no backup are not made; those of a dump with many large objects are.
    @Test func aTarOfManyFilesIsKnownByItsNames() async throws {
        try await Fixture.with { fixture in
            try fixture.shell(
                "mkdir many && cd many && seq 1500 | xargs touch && cd .. && tar cf a.tar many && echo 1 > many/toc.dat && tar cf b.tar many"
            )
            let failure = await fixture.failure(of: try await fixture.point("a.tar"))
            #expect(failure?.verdict == .failed && failure?.finding.rule.name == "artifact-unknown-kind")
            #expect(!fixture.left.contains { $0.hasPrefix("unpacked") }, "\(fixture.left)")
            try FileManager.default.removeItem(at: fixture.target.appendingPathComponent("artifact"))
            #expect(try await fixture.retrieve(try await fixture.point("b.tar")).isFolder)
        }
    }

    /// Damage near the beginning is damage, whatever it unpacks to.
    @Test func aCutBeginningIsNoUnknownKind() async throws {
        try await Fixture.with { fixture in
            try fixture.shell("head -c 20000 /dev/urandom | od -c | gzip -c > whole; head -c 5000 whole > cut")
            let failure = await fixture.failure(of: try await fixture.point("cut"))
            #expect(failure?.finding.rule.name == "artifact-truncated", "\(failure?.finding.message ?? "")")
        }
    }

    @Test func aFolderIsCopiedWithItsDigest() async throws {
        try await Fixture.with { fixture in
            try fixture.shell("mkdir -p d/deep/er && echo 1 > d/toc.dat && echo 22 > d/deep/er/x")
            let point = try await fixture.point("d", seal: true)
            let result = try await fixture.retrieve(point)
            #expect(result.isFolder && result.storedBytes == 5 && result.storedSHA256 == point.sealState.seal?.artifact.sha256)
            #expect(try String(contentsOf: result.location.appendingPathComponent("deep/er/x"), encoding: .utf8) == "22\n")
            var info = stat()
            #expect(stat(result.location.appendingPathComponent("deep").path, &info) == 0 && info.st_uid == fixture.host.userID)
        }
    }

    @Test(arguments: ["echo 3 > d/toc.dat", "echo 2 > d/more", "mv d/toc.dat d/other", "rm d/x"])
    func aChangedFolderIsSeenByTheSeal(_ change: String) async throws {
        try await Fixture.with { fixture in
            try fixture.shell("mkdir d && echo 1 > d/toc.dat && echo 2 > d/x")
            let point = try await fixture.point("d", seal: true)
            try fixture.shell(change)
            let failure = await fixture.failure(of: point)
            #expect(failure?.verdict == .failed)
            #expect(["artifact-digest-differs", "artifact-truncated"].contains(failure?.finding.rule.name))
        }
    }

    @Test func aFolderWithALinkAndAFolderDeclaredEncryptedFail() async throws {
        try await Fixture.with { fixture in
            try fixture.shell("mkdir d && echo 1 > d/toc.dat")
            let encrypted = await fixture.failure(of: try await fixture.point("d"), key: Fixture.key)
            #expect(encrypted?.finding.rule.name == "artifact-not-encrypted")
            try fixture.shell("ln -s /etc/passwd d/link")
            let linked = await fixture.failure(of: try await fixture.point("d"))
            #expect(linked?.verdict == .failed && linked?.finding.rule.name == "artifact-unreadable")
        }
    }

    @Test func globalsTravelWithTheArtifact() async throws {
        let roles = Array("--\n-- PostgreSQL database cluster dump\n--\nCREATE ROLE x;\n".utf8)
        try await Fixture.with { fixture in
            try fixture.file("a.sql", script())
            try fixture.file("g.sql", roles)
            try fixture.shell("gzip -k g.sql")
            try fixture.encrypt("a.sql", as: "a.enc")
            try fixture.encrypt("g.sql.gz", as: "g.enc")
            let result = try await fixture.retrieve(try await fixture.point("a.enc", globals: "g.enc"), key: Fixture.key)
            let globals = try #require(result.globals)
            #expect(Array(try Data(contentsOf: globals)) == roles)
            #expect(globals.path.hasPrefix(fixture.target.path))
        }
        try await Fixture.with { fixture in
            try fixture.shell("mkdir d && echo 1 > d/toc.dat")
            try fixture.file("g.sql", roles)
            let result = try await fixture.retrieve(try await fixture.point("d", globals: "g.sql"))
            #expect(try #require(result.globals).path.hasPrefix(fixture.target.path), "never read in the store")
        }
        try await Fixture.with { fixture in
            try fixture.file("a.sql", script())
            try fixture.file("g.sql", Array("hello".utf8))
            let failure = await fixture.failure(of: try await fixture.point("a.sql", globals: "g.sql"))
            #expect(failure?.verdict == .failed && failure?.finding.object == "g.sql")
        }
    }
}

@Suite(.serialized) struct FullDiskTests {
    /// A scratch disk of four megabytes, for root alone can mount one.
    private func withSmallDisk(_ body: (Fixture) async throws -> Void) async throws {
        let root = URL(fileURLWithPath: "/tmp/mt-\(String(UInt32.random(in: .min ... .max), radix: 36))", isDirectory: true)
        try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
        guard mount("tmpfs", root.path, "tmpfs", 0, "size=4m,mode=755") == 0 else {
            try FileManager.default.removeItem(at: root)
            withKnownIssue("this machine lets nobody mount a tmpfs: a full disk was not tried") { Issue.record("skipped") }
            return
        }
        defer {
            umount2(root.path, Int32(MNT_DETACH))
            try? FileManager.default.removeItem(at: root)
        }
        try await Fixture.with(root: root, body)
    }

    @Test(.enabled(if: geteuid() == 0, "only root can mount a small disk"))
    func tooLittleRoomIsAnErrorAndNoFailure() async throws {
        try await withSmallDisk { fixture in
            // Larger than the disk by its stored size: said before anything is written.
            try fixture.file("big.sql", script(6 << 20))
            let early = await fixture.failure(of: try await fixture.point("big.sql"))
            #expect(early?.verdict == .error && early?.finding.rule == .scratchDiskFull)
            #expect(fixture.left == [])

            // Stored small, unpacked large: the disk fills on the way.
            try fixture.shell("head -c 20000000 /dev/zero > zeros; (head -c 40 big.sql; cat zeros) | gzip > bomb.gz")
            let late = await fixture.failure(of: try await fixture.point("bomb.gz"))
            #expect(late?.verdict == .error && late?.finding.rule == .scratchDiskFull, "\(late?.finding.message ?? "passed")")
            #expect(!fixture.left.contains("artifact.1"), "\(fixture.left)")
        }
    }

    /// Of more than the disk holds, the first bytes say already that it is no backup.
    @Test(
        .enabled(if: geteuid() == 0, "only root can mount a small disk"), arguments: ["gzip -1", "zstd -q", "xz -0", "bzip2 -1", "lz4 -q"])
    func whatIsNoBackupIsNotUnpacked(by packer: String) async throws {
        try await withSmallDisk { fixture in
            try fixture.shell("head -c 50000000 /dev/zero | \(packer) -c > bomb")
            let failure = await fixture.failure(of: try await fixture.point("bomb"))
            #expect(
                failure?.verdict == .failed && failure?.finding.rule.name == "artifact-unknown-kind", "\(failure?.finding.message ?? "")")
            #expect(!fixture.left.contains { $0.hasPrefix("peek") || $0 == "artifact.1" }, "\(fixture.left)")
        }
    }

    @Test(.enabled(if: geteuid() == 0, "only root can mount a small disk"))
    func aDiskThatFillsWhileCopyingIsAnError() async throws {
        try await withSmallDisk { fixture in
            try fixture.file("a.sql", script(3 << 20))
            var point = try await fixture.point("a.sql")
            // A size that the catalogue got wrong must not hide it.
            point.size = 1
            try Data(count: 2 << 20).write(to: fixture.target.appendingPathComponent("filler"))
            let failure = await fixture.failure(of: point)
            #expect(failure?.verdict == .error && failure?.finding.rule == .scratchDiskFull)
            #expect(fixture.left == ["filler"], "nothing half-written is left")
        }
    }
}
