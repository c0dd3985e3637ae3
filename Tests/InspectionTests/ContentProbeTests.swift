// What a look at a file tells without its key, on real files.

import BackupCatalog
import Cryptography
import DrillModel
import Foundation
import Glibc
import Testing

@Suite struct ContentProbeTests {
    private func look(_ bytes: [UInt8], mode: Int = 0o600) throws -> StoredContent? {
        let file = FileManager.default.temporaryDirectory.appending(path: "probe-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data(bytes).write(to: file)
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file.path)
        return ContentProbe.look(at: file)
    }

    /// What each tool writes of nothing at all: gzip, zstd, xz, bzip2 and lz4 of Debian 12, then openssl enc of nothing, and of gzip's.
    private static let nothing = [
        "1f8b080000000000000303000000000000000000", "28b52ffd240001000099e9d851",
        "fd377a585a000004e6d6b446000000001cdf44211fb6f37d010000000004595a", "425a683917724538509000000000",
        "04224d186440a700000000055dcc02",
        "53616c7465645f5f31323334353637388f1c8f1c8f1c8f1c8f1c8f1c8f1c8f1c",
        "53616c7465645f5f31323334353637388f1c8f1c8f1c8f1c8f1c8f1c8f1c8f1c8f1c8f1c8f1c8f1c8f1c8f1c8f1c8f1c", "",
    ].map { hex in
        stride(from: 0, to: hex.count, by: 2).compactMap { UInt8(hex.dropFirst($0).prefix(2), radix: 16) }
    }

    private func doubt(_ bytes: [UInt8], _ kind: BackupSet.Kind, isEncrypted: Bool = false) throws -> StoredContent.Doubt? {
        let file = FileManager.default.temporaryDirectory.appending(path: "probe-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data(bytes).write(to: file)
        var set = BackupSet(name: "daily", service: "s", kind: kind, stores: [], match: "*")
        if isEncrypted { set.encryption = Encryption(format: .opensslEnc(iterations: 1, digest: "sha256"), key: "k") }
        return try #require(ContentProbe.look(at: file, as: set)).doubt
    }

    @Test(arguments: [BackupSet.Kind.pgDump, .rdb, .aof]) func nothingIsNoBackup(_ kind: BackupSet.Kind) throws {
        for bytes in Self.nothing {
            let isEncrypted = bytes.starts(with: Array("Salted__".utf8))
            guard case .empty = try doubt(bytes, kind, isEncrypted: isEncrypted) else {
                Issue.record("\(bytes.count) bytes of nothing, as \(kind)")
                continue
            }
        }
    }

    @Test func whatIsNoBackupOfItsKind() throws {
        let message = Array("pg_dump: error: connection to server on socket failed\n".utf8)
        let page = Array("<html><body>502 Bad Gateway</body></html>".utf8)
        for kind in [BackupSet.Kind.pgDump, .rdb, .aof, .gitBundle] {
            for bytes in [message, page, [UInt8](repeating: 0, count: 9000)] {
                let words = bytes == message ? "pg_dump's own messages" : "an unknown kind of file"
                #expect(try doubt(bytes, kind) == .foreign(words), "\(kind)")
                // That it isn't encrypted says the row of encryption.
                #expect(try doubt(bytes, kind, isEncrypted: true) == nil, "\(kind)")
            }
            #expect(try doubt([0x1f, 0x8b, 8] + noise(3000), kind) == nil)
        }
        let archive = Array("PGDMP".utf8) + noise(200)
        #expect(try doubt(archive, .pgDump) == nil && doubt(archive, .rdb) == .foreign("a pg_dump custom archive"))
        let snapshot = Array("REDIS0010".utf8) + noise(200)
        #expect(
            try doubt(snapshot, .rdb) == nil && doubt(snapshot, .aof) == nil && doubt(snapshot, .pgDump) == .foreign("a redis snapshot"))
        #expect(try doubt(header + noise(900), .pgDump) == .stillEncrypted("an openssl-encrypted file"))
        #expect(try doubt(header + noise(900), .pgDump, isEncrypted: true) == nil)
        #expect(try doubt(message, .command) == nil && doubt(Array("A=1\n".utf8), .env) == nil)
    }

    private func noise(_ count: Int) -> [UInt8] {
        var random = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &random) }
    }

    private let header = Array("Salted__12345678".utf8)
    private let text = Array(String(repeating: "INSERT INTO domains VALUES (1, 'example.org');\n", count: 2000).utf8)

    @Test func encryptedBytesAreRandom() throws {
        for size in [600, 5000, 100_000] {
            let content = try #require(try look(header + noise(size)))
            #expect(content.kind == .encrypted("an openssl-encrypted file"))
            #expect((content.entropy ?? 0) > 7.3, "\(size)")
            #expect(content.plainBehindHeader == nil)
        }
    }

    @Test func plainTextIsNot() throws {
        #expect(try (look(header + text)?.entropy ?? 8) < 6)
        #expect(try (look(text)?.entropy ?? 8) < 6)
        #expect(try look(text)?.kind == .unknown)
        // Noise in front doesn't hide it.
        #expect(try (look(header + noise(5000) + text)?.entropy ?? 8) < 6)
    }

    @Test func knownHeadersAreSeenAlsoBehindAnother() throws {
        #expect(try look([0x1f, 0x8b, 8] + noise(3000))?.kind == .plain("a gzip file"))
        #expect(try look(header + [0x1f, 0x8b, 8] + noise(3000))?.plainBehindHeader == "a gzip file")
        #expect(try look(Array("REDIS0010".utf8) + noise(100))?.kind == .plain("a redis snapshot"))
    }

    /// Real files of the other formats, binary and armored, and headers of theirs in front of plain text.
    @Test func otherFormats() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "probe-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try Data(text).write(to: folder.appending(path: "plain"))
        let make = Process()
        make.executableURL = URL(fileURLWithPath: "/bin/sh")
        make.currentDirectoryURL = folder
        make.arguments = [
            "-ec",
            """
            openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=x -days 9 -keyout k -out c 2>/dev/null
            openssl cms -encrypt -binary -stream -outform DER -aes-256-gcm -in plain -out gcm c
            openssl cms -encrypt -binary -outform DER -aes-256-cbc -in plain -out cbc c c c c c c c c c c c c c c c
            age-keygen -o id 2>/dev/null; R=$(age-keygen -y id); age -r $R -o age plain; age -a -r $R -o agearmor plain
            export GNUPGHOME=$PWD/g; mkdir -m 700 g; echo x > p
            gpg --batch --quiet --pinentry-mode loopback --passphrase-file p -z 0 -c -o gpg plain
            gpg --batch --quiet --pinentry-mode loopback --passphrase-file p -z 0 --armor -c -o gpgarmor plain
            """,
        ]
        try make.run()
        make.waitUntilExit()
        try #require(make.terminationStatus == 0)
        for (name, format, isAuthenticated) in [
            ("gcm", "cms", true), ("cbc", "cms", false), ("age", "age", true), ("agearmor", "age", true), ("gpg", "gpg", true),
            ("gpgarmor", "gpg", true),
        ] {
            let content = try #require(ContentProbe.look(at: folder.appending(path: name)))
            #expect(content.encryption == format && content.isAuthenticated == isAuthenticated, "\(name)")
            #expect(content.plainBehindHeader == nil && (content.entropy ?? 0) > 7.3, "\(name): \(content.entropy ?? 0)")
            // The same beginning, and plain text behind it.
            let head = Array(try Data(contentsOf: folder.appending(path: name)).prefix(1200))
            #expect(try (look(head + text)?.entropy ?? 8) < 6, "\(name)")
        }
    }

    @Test func smallAndEmptyFiles() throws {
        #expect(try look([])?.kind == .empty)
        #expect(try look(header + noise(100))?.entropy == nil, "a hundred bytes show nothing of their distribution")
    }

    /// A hundred letters behind a header are seen, although their distribution shows nothing yet.
    @Test func aShortTextBehindAHeader() throws {
        #expect(try look(header + Array("DATABASE_URL=postgres://app:secret@db/shop\n".utf8))?.plainBehindHeader == "plain text")
        #expect(try look(header + Array("A=1\n".utf8))?.plainBehindHeader == nil, "so few bytes may be anything")
        for size in [48, 96, 480] { #expect(try look(header + noise(size))?.plainBehindHeader == nil, "\(size)") }
    }

    /// Opening it would wait for a writer that never comes.
    @Test func aPipeIsNoArtifact() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "probe-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let pipe = folder.appending(path: "pipe")
        try #require(mkfifo(pipe.path, 0o600) == 0)
        #expect(ContentProbe.look(at: pipe) == nil)
        #expect(throws: CryptographyError.self) { try ArtifactStream.head(of: pipe, count: 16) }
        #expect(throws: CryptographyError.self) { try ArtifactStream.head(of: folder, count: 16) }
        let file = folder.appending(path: "file")
        try Data(text).write(to: file)
        #expect(try ArtifactStream.head(of: file, count: 16) == Array(text.prefix(16)))
        #expect(try ArtifactStream.head(of: file, count: 1 << 30) == text)
        func point(_ file: URL) -> RecoveryPoint {
            RecoveryPoint(
                service: "s", backup: "b", store: "a", zone: nil, path: "p", location: file, size: 1, time: Date(), timeSource: .seal,
                sealState: .missing)
        }
        guard case .unreadable = try await CopyComparer.compare(point(pipe), with: point(file)) else {
            Issue.record("a pipe was compared")
            return
        }
    }

    @Test func oneFileUnderTwoNamesIsOneCopy() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "probe-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        func point(_ name: String) -> RecoveryPoint {
            RecoveryPoint(
                service: "s", backup: "b", store: name, zone: nil, path: "p", location: folder.appending(path: name), size: 1, time: Date(),
                timeSource: .seal, sealState: .missing)
        }
        try Data(text).write(to: folder.appending(path: "first"))
        try FileManager.default.copyItem(at: folder.appending(path: "first"), to: folder.appending(path: "copy"))
        try FileManager.default.linkItem(at: folder.appending(path: "first"), to: folder.appending(path: "hard"))
        try FileManager.default.createSymbolicLink(atPath: folder.appending(path: "soft").path, withDestinationPath: "first")
        #expect(try await CopyComparer.compare(point("copy"), with: point("first")) == .identical)
        for name in ["hard", "soft"] { #expect(try await CopyComparer.compare(point(name), with: point("first")) == .sameFile, "\(name)") }
    }

    @Test func foldersPermissionsAndWhatIsNotThere() throws {
        #expect(ContentProbe.look(at: FileManager.default.temporaryDirectory)?.kind == .folder)
        #expect(try look(text, mode: 0o644)?.permissions == 0o644)
        #expect(ContentProbe.look(at: URL(fileURLWithPath: "/nowhere/at/all")) == nil)
    }
}
