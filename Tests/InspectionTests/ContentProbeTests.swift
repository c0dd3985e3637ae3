// What a look at a file tells without its key, on real files.

import BackupCatalog
import Cryptography
import DrillModel
import Foundation
import Testing

@Suite struct ContentProbeTests {
    private func look(_ bytes: [UInt8], mode: Int = 0o600) throws -> StoredContent? {
        let file = FileManager.default.temporaryDirectory.appending(path: "probe-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data(bytes).write(to: file)
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file.path)
        return ContentProbe.look(at: file)
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

    @Test func smallAndEmptyFiles() throws {
        #expect(try look([])?.kind == .empty)
        #expect(try look(header + noise(100))?.entropy == nil, "a hundred bytes show nothing of their distribution")
    }

    @Test func foldersPermissionsAndWhatIsNotThere() throws {
        #expect(ContentProbe.look(at: FileManager.default.temporaryDirectory)?.kind == .folder)
        #expect(try look(text, mode: 0o644)?.permissions == 0o644)
        #expect(ContentProbe.look(at: URL(fileURLWithPath: "/nowhere/at/all")) == nil)
    }
}
