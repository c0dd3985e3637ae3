// Encrypted artifacts: opened with the right key, and each way of falling short told apart.

import ArtifactFormats
import Cryptography
import DrillModel
import FileRecovery
import Foundation
import Testing

@Suite struct EncryptionTests {
    private static let wrong = ArtifactStream.Encryption(passphrase: Secret("wrong"))

    @Test func whatOpensslWroteComesBack() async throws {
        try await Fixture.with { fixture in
            try fixture.file("a.sql", script())
            try fixture.encrypt("a.sql", as: "a.enc")
            let point = try await fixture.point("a.enc", seal: true)
            let result = try await fixture.retrieve(point, key: Fixture.key)
            #expect(result.format == .sql && !result.isFolder)
            #expect(Array(try Data(contentsOf: result.location)) == script())
            #expect(result.storedBytes == point.size)
            #expect(result.storedSHA256 == point.sealState.seal?.artifact.sha256)
            #expect(result.plainBytes == Int64(script().count))
        }
    }

    @Test func aWrongKeyIsToldFromDamageWhereASealHelps() async throws {
        try await Fixture.with { fixture in
            try fixture.file("a.sql", script())
            try fixture.encrypt("a.sql", as: "a.enc")
            let bare = await fixture.failure(of: try await fixture.point("a.enc"), key: Self.wrong)
            // In one of 256 cases the padding looks right, and noise comes out.
            #expect(bare?.verdict == .failed && ["decryption-failed", "artifact-unknown-kind"].contains(bare?.finding.rule.name))
            let sealed = await fixture.failure(of: try await fixture.point("a.enc", seal: true), key: Self.wrong)
            #expect(sealed?.verdict == .failed)
            if sealed?.finding.rule.name == "decryption-failed" { #expect(sealed?.finding.hint.contains("the key is wrong") == true) }
            #expect(fixture.left.allSatisfy { $0 != "artifact" } || sealed?.finding.rule.name == "artifact-unknown-kind")
        }
    }

    @Test(arguments: [1, 15, 16, 17, 31, 160, 1000])
    func aCutFileNeverPasses(_ missing: Int) async throws {
        try await Fixture.with { fixture in
            try fixture.file("a.sql", script())
            try fixture.encrypt("a.sql", as: "a.enc")
            let whole = try await fixture.point("a.enc", seal: true)
            try fixture.shell("truncate -s -\(missing) a.enc")
            var sealed = try await fixture.point("a.enc")
            sealed.sealState = whole.sealState
            let withSeal = await fixture.failure(of: sealed, key: Fixture.key)
            #expect(withSeal?.verdict == .failed && withSeal?.finding.rule.name == "artifact-truncated")
            guard missing % 16 != 0 else {
                // The block before the last may end in what looks like padding; then only the seal, or the restore, can tell.
                let bare = await fixture.failure(of: try await fixture.point("a.enc"), key: Fixture.key)
                #expect(bare == nil || bare?.finding.rule.name == "artifact-damaged")
                return
            }
            let bare = await fixture.failure(of: try await fixture.point("a.enc"), key: Fixture.key)
            #expect(bare?.verdict == .failed && bare?.finding.rule.name == "artifact-truncated")
        }
    }

    @Test(arguments: [0, 5, 12, 20, 900, -1])
    func aFlippedBitIsSeenByTheSeal(_ offset: Int) async throws {
        try await Fixture.with { fixture in
            try fixture.file("a.sql", script())
            try fixture.encrypt("a.sql", as: "a.enc")
            var point = try await fixture.point("a.enc", seal: true)
            var bytes = Array(try Data(contentsOf: point.location))
            let index = offset < 0 ? bytes.count + offset : offset
            bytes[index] ^= 1
            try fixture.file("a.enc", bytes)
            let sealed = await fixture.failure(of: point, key: Fixture.key)
            #expect(
                sealed?.verdict == .failed && sealed?.finding.rule.name == "artifact-digest-differs", "\(sealed?.finding.message ?? "")")
            point.sealState = .missing
            let bare = await fixture.failure(of: point, key: Fixture.key)
            switch offset {
            // Noise: damaged, and nothing that anybody could read.
            case 0, 5: #expect(bare?.finding.rule.name == "artifact-unknown-kind" && bare?.verdict == .failed)
            case 12: #expect(bare?.verdict == .failed)
            // The format has no checksum of its own: what comes out is for the restore to refuse.
            case 900: #expect(bare == nil)
            default: #expect(bare == nil || bare?.verdict == .failed)
            }
        }
    }

    @Test func declarationAndFileMustAgree() async throws {
        try await Fixture.with { fixture in
            try fixture.file("a.sql", script())
            try fixture.encrypt("a.sql", as: "a.enc")
            let plain = await fixture.failure(of: try await fixture.point("a.sql", seal: true), key: Fixture.key)
            #expect(plain?.verdict == .failed && plain?.finding.rule.name == "artifact-not-encrypted")
            let encrypted = await fixture.failure(of: try await fixture.point("a.enc", seal: true))
            #expect(encrypted?.verdict == .failed && encrypted?.finding.rule.name == "artifact-still-encrypted")
            #expect(fixture.left == [])
        }
    }

    /// The right passphrase, and what the estate doesn't declare: named, and no fault of the backup's.
    @Test(arguments: [
        ("-aes-256-cbc -iter 100000", "decryption-failed", "iterations: 100000}"),
        ("-aes-256-cbc -pbkdf2 -md sha512", "decryption-failed", "key: …, digest: sha512}"),
        ("-aes-256-cbc", "decryption-failed", "derivation: evp-bytes-to-key}"),
        ("-aes-256-cbc -md md5", "decryption-failed", "derivation: evp-bytes-to-key, digest: md5}"),
        ("-aes-256-ctr -pbkdf2", "encryption-form-unsupported", "openssl enc -d -aes-256-ctr"),
        ("-chacha20 -pbkdf2", "encryption-form-unsupported", "openssl enc -d -chacha20"),
        ("-aes-128-cbc -pbkdf2", "encryption-form-unsupported", "openssl enc -d -aes-128-cbc"),
    ])
    func whatOpensslWasGivenIsNamed(options: String, rule: String, hint: String) async throws {
        try await Fixture.with { fixture in
            try fixture.file("a.sql", script(2001))
            try fixture.shell("openssl enc \(options) -pass env:PASS -in a.sql -out a.enc 2>/dev/null")
            for seal in [false, true] {
                let failure = await fixture.failure(of: try await fixture.point("a.enc", seal: seal), key: Fixture.key)
                #expect(failure?.finding.rule.name == rule && failure?.finding.hint.contains(hint) == true, "\(failure as Any)")
                #expect(failure?.verdict == .error)
                #expect(fixture.left.allSatisfy { $0 != "artifact" })
            }
            let words = options.split(separator: " ")
            guard words.first == "-aes-256-cbc", !words.contains("-pbkdf2"), !words.contains("-iter") else { return }
            let cipher = OpenSSLEncCipher(digest: words.contains("md5") ? "md5" : "sha256", derivation: .evpBytesToKey)
            let key = ArtifactStream.Encryption(passphrase: Secret(Fixture.passphrase), cipher: cipher)
            let opened = try await fixture.retrieve(try await fixture.point("a.enc"), key: key)
            #expect(Array(try Data(contentsOf: opened.location)) == script(2001))
        }
    }

    /// One salt in 256 makes noise of another cipher that ends in what looks like padding: named all the same, and nothing of it stays.
    @Test func noiseThatSeemsPaddedIsNamed() async throws {
        try await Fixture.with { fixture in
            try fixture.file("a.sql", script(2001))
            let salt = "000000000000011d"
            try fixture.shell(
                """
                (printf Salted__; printf '\\000\\000\\000\\000\\000\\000\\001\\035'
                 openssl enc -aes-128-cbc -pbkdf2 -S \(salt) -pass env:PASS -in a.sql) > a.enc
                openssl enc -d -aes-256-cbc -pbkdf2 -pass env:PASS -in a.enc -out noise
                """)
            let failure = await fixture.failure(of: try await fixture.point("a.enc"), key: Fixture.key)
            #expect(failure?.finding.rule.name == "encryption-form-unsupported", "\(failure as Any)")
            #expect(fixture.left == [])
        }
    }

    /// Damage with the right key is told from a wrong key; with a wrong one, or of no whole number of blocks, other ciphers are named.
    @Test func damageIsToldFromAWrongKey() async throws {
        try await Fixture.with { fixture in
            try fixture.file("a.sql", script(4000))
            try fixture.encrypt("a.sql", as: "a.enc")
            // In CBC this changes the padding: the byte before it, a block earlier.
            var bytes = Array(try Data(contentsOf: fixture.store.appendingPathComponent("a.enc")))
            bytes[bytes.count - 17] ^= 0x40
            try fixture.file("b.enc", bytes)
            let damaged = await fixture.failure(of: try await fixture.point("b.enc"), key: Fixture.key)
            #expect(damaged?.finding.hint.contains("the key is right") == true, "\(damaged as Any)")
            // Not the rule of a wrong key: the night before may be whole, and a drill goes on to it.
            #expect(damaged?.verdict == .failed && damaged?.finding.rule.name == "artifact-damaged")
            try fixture.shell("truncate -s -5 a.enc")
            let cut = await fixture.failure(of: try await fixture.point("a.enc"), key: Fixture.key)
            #expect(cut?.finding.rule.name == "artifact-truncated" && cut?.finding.hint.contains("-chacha20") == true, "\(cut as Any)")
        }
    }

    /// Something around an encrypted file: what it is and how it is undone, and never an alarm of disclosure.
    @Test(arguments: [
        ("gzip a.enc; mv a.enc.gz b", "an openssl-encrypted file inside a gzip file", "gzip -d"),
        ("zstd -q a.enc -o b", "an openssl-encrypted file inside a zstd file", "zstd -d"),
        ("xz a.enc; mv a.enc.xz b", "an openssl-encrypted file inside an xz file", "xz -d"),
        ("bzip2 a.enc; mv a.enc.bz2 b", "an openssl-encrypted file inside a bzip2 file", "bzip2 -d"),
        ("lz4 -q a.enc b", "an openssl-encrypted file inside an lz4 file", "lz4 -d"),
        ("tar cf b a.enc a.enc", "an openssl-encrypted file inside a tar file", "tar -x"),
        ("tar czf b a.enc", "an openssl-encrypted file inside a tar file inside a gzip file", "gzip -d, then tar -x"),
        ("age-keygen -o k 2>/dev/null; age -r $(age-keygen -y k) a.sql | base64 > b", "an age-encrypted file inside base64", "base64 -d"),
        (
            "age-keygen -o k 2>/dev/null; age -a -r $(age-keygen -y k) a.sql | gzip > b", "an age-encrypted file inside a gzip file",
            "gzip -d"
        ),
        ("base64 -w0 a.enc | gzip > b", "an openssl-encrypted file as base64 inside a gzip file", "gzip -d"),
    ])
    func whatIsAroundAnEncryptedFileIsNamed(script: String, words: String, undo: String) async throws {
        try await Fixture.with { fixture in
            try fixture.file("a.sql", dumpScript())
            try fixture.encrypt("a.sql", as: "a.enc")
            try fixture.shell(script)
            let failure = await fixture.failure(of: try await fixture.point("b"), key: Fixture.key)
            #expect(failure?.verdict == .error && failure?.finding.rule.name == "encryption-form-unsupported", "\(failure as Any)")
            #expect(
                failure?.finding.actual == words && failure?.finding.hint.contains("undo it with \(undo),") == true, "\(failure as Any)")
            #expect(fixture.left == [])
        }
    }

    /// What can be read by anybody is disclosed, whatever is around it and whatever lies beside it.
    @Test(arguments: [
        "gzip -c a.sql > b", "zstd -q a.sql -o b", "tar cf b a.sql", "tar czf b a.enc a.sql", "tar cf b a.enc a.sql", "base64 a.sql > b",
        "gzip -c a.sql | base64 > b", "cp a.sql b", "zip -q c.zip a.sql && mv c.zip b || { printf 'PK\\003\\004' > b; cat a.sql >> b; }",
        "{ head -c 16 a.enc; cat a.sql; } | gzip > b", "xz -c a.sql > b", "bzip2 -c a.sql > b",
        "{ printf Salted__01234567; cat a.sql; } > c; tar cf b a.enc c",
    ])
    func plainTextStaysDisclosed(script: String) async throws {
        try await Fixture.with { fixture in
            try fixture.file("a.sql", dumpScript())
            try fixture.encrypt("a.sql", as: "a.enc")
            try fixture.shell(script)
            let failure = await fixture.failure(of: try await fixture.point("b"), key: Fixture.key)
            #expect(failure?.verdict == .failed && failure?.finding.rule.name == "artifact-not-encrypted", "\(failure as Any)")
            #expect(failure?.finding.hint.contains("disclosed") == true)
            #expect(fixture.left == [])
        }
    }

    /// `openssl enc -a` in lines and in one, and without a salt.
    @Test func textOfOpensslIsRead() async throws {
        try await Fixture.with { fixture in
            try fixture.file("a.sql", dumpScript(700_001))
            for options in ["-a", "-a -A"] {
                try fixture.shell("openssl enc -aes-256-cbc -pbkdf2 \(options) -pass env:PASS -in a.sql -out a.enc")
                let opened = try await fixture.retrieve(try await fixture.point("a.enc", seal: true), key: Fixture.key)
                #expect(Array(try Data(contentsOf: opened.location)) == dumpScript(700_001))
                try FileManager.default.removeItem(at: opened.location)
                try fixture.shell("openssl enc -aes-256-cbc -md md5 \(options) -pass env:PASS -in a.sql -out b.enc 2>/dev/null")
                let other = await fixture.failure(of: try await fixture.point("b.enc"), key: Fixture.key)
                #expect(other?.finding.hint.contains("digest: md5") == true, "\(other as Any)")
                try fixture.shell("truncate -s -7 a.enc")
                let cut = await fixture.failure(of: try await fixture.point("a.enc"), key: Fixture.key)
                #expect(cut?.verdict == .failed && cut?.finding.rule != Rule("artifact-not-encrypted"), "\(cut as Any)")
            }
            try fixture.shell("openssl enc -aes-256-cbc -pbkdf2 -nosalt -pass env:PASS -in a.sql -out n.enc")
            let bare = await fixture.failure(of: try await fixture.point("n.enc"), key: Fixture.key)
            #expect(bare?.finding.rule.name == "artifact-unknown-kind" && bare?.finding.hint.contains("-nosalt") == true, "\(bare as Any)")
        }
    }

    /// The command that is told does convert what lies there.
    @Test(arguments: ["PEM", "SMIME"])
    func theHintForTextOfCMSWorks(form: String) async throws {
        try await Fixture.with { fixture in
            try fixture.file("a.sql", dumpScript())
            try fixture.shell("openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=r -days 9 -keyout k -out k.crt 2>/dev/null")
            try fixture.shell("openssl cms -encrypt -binary -outform \(form) -aes-256-cbc -in a.sql -out a.cms k.crt")
            let key = ArtifactStream.Encryption(
                .cms, key: Secret(try String(contentsOf: fixture.store.appendingPathComponent("k"), encoding: .utf8)))
            let failure = await fixture.failure(of: try await fixture.point("a.cms"), key: key)
            #expect(failure?.finding.rule.name == "encryption-form-unsupported")
            let words = try #require(failure?.finding.hint.firstMatch(of: /openssl cms -cmsout -inform [A-Z]+ -outform DER/))
            try fixture.shell("\(words.0) -in a.cms -out b.cms")
            let opened = try await fixture.retrieve(try await fixture.point("b.cms"), key: key)
            #expect(Array(try Data(contentsOf: opened.location)) == dumpScript())
        }
    }

    @Test(arguments: [0, 1, 7, 8, 15, 16, 31])
    func aStubOfAnEncryptedFileFails(_ count: Int) async throws {
        try await Fixture.with { fixture in
            try fixture.file("a.sql", script())
            try fixture.encrypt("a.sql", as: "a.enc")
            try fixture.shell("truncate -s \(count) a.enc")
            let failure = await fixture.failure(of: try await fixture.point("a.enc"), key: Fixture.key)
            #expect(failure?.verdict == .failed)
            #expect(failure?.finding.rule.name == (count == 0 ? "artifact-empty" : "artifact-truncated"), "\(count) bytes")
            #expect(fixture.left == [])
        }
    }

    @Test func aFileThatIsGoneFails() async throws {
        try await Fixture.with { fixture in
            let failure = await fixture.failure(of: try await fixture.point("gone.enc"), key: Fixture.key)
            #expect(failure?.verdict == .failed && failure?.finding.rule.name == "artifact-unreadable")
        }
    }

    @Test func cancellingEndsIt() async throws {
        try await Fixture.with { fixture in
            try fixture.file("a.sql", script())
            let point = try await fixture.point("a.sql")
            let task = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                return try await fixture.retrieve(point)
            }
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(fixture.left == [])
        }
    }
}
