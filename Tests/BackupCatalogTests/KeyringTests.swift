// Secrets from files, the environment and commands; a missing or empty one is an error that doesn't tell it.

import Cryptography
import DrillModel
import Foundation
import Glibc
import Testing

@testable import BackupCatalog

@Suite struct KeyringTests {
    private func text(_ secret: Secret) -> String { secret.withBytes { String(decoding: $0, as: UTF8.self) } }

    private func ring(_ reference: KeyReference) throws -> (Shelf, Keyring) {
        let shelf = try Shelf()
        return (shelf, Keyring(shelf.estate(keys: ["k": reference])))
    }

    @Test(arguments: [("abc\n", "abc"), ("abc", "abc"), ("abc\r\n", "abc"), ("a b\n\n", "a b\n"), (" abc ", " abc ")])
    func aFileLosesItsLastLineBreakOnly(_ content: String, _ secret: String) throws {
        let shelf = try Shelf()
        let file = try shelf.file("key", Array(content.utf8))
        #expect(text(try Keyring(shelf.estate(keys: ["k": .file(file)])).secret(named: "k")) == secret)
    }

    @Test func theEnvironmentAndCommandsAreAsked() throws {
        setenv("MUSTER_TEST_KEY", "from the environment", 1)
        defer { unsetenv("MUSTER_TEST_KEY") }
        #expect(text(try ring(.environment("MUSTER_TEST_KEY")).1.secret(named: "k")) == "from the environment")
        #expect(text(try ring(.command(["printf", "from\\na command\\n"])).1.secret(named: "k")) == "from\na command")
    }

    @Test(arguments: [
        KeyReference.file(URL(fileURLWithPath: "/no/such/key")), .environment("MUSTER_TEST_NO_SUCH_KEY"), .command(["no-such-program"]),
        .command(["sh", "-c", "echo half-a-secret; exit 3"]), .command(["sh", "-c", "echo half-a-secret; kill -9 $$"]),
    ])
    func aMissingOneIsAnError(_ reference: KeyReference) throws {
        let ring = try ring(reference)
        let failure = #expect(throws: DrillFailure.self) { try ring.1.secret(named: "k") }
        #expect(failure?.verdict == .error && failure?.finding.rule.name == "key-missing" && failure?.finding.object == "key k")
        #expect(!"\(String(describing: failure))".contains("half-a-secret"))
    }

    @Test(arguments: ["", "\n", "\r\n"]) func anEmptyOneIsAnError(_ content: String) throws {
        let shelf = try Shelf()
        let file = try shelf.file("key", Array(content.utf8))
        let failure = #expect(throws: DrillFailure.self) { try Keyring(shelf.estate(keys: ["k": .file(file)])).secret(named: "k") }
        #expect(failure?.verdict == .error && failure?.finding.rule.name == "key-empty")
    }

    @Test func anUnknownNameIsAnError() throws {
        let failure = #expect(throws: DrillFailure.self) { try Keyring(try Shelf().estate()).secret(named: "k") }
        #expect(failure?.verdict == .error && failure?.finding.rule.name == "key-missing")
    }

    @Test func aSetInPlainTextNeedsNone() throws {
        let shelf = try Shelf()
        var set = shelf.catalogue("*").set
        #expect(try Keyring(shelf.estate()).decryption(of: set) == nil)
        set.encryption = Encryption(format: .opensslEnc(iterations: 77, digest: "sha512"), key: "k")
        let file = try shelf.file("key")
        let encryption = try #require(try Keyring(shelf.estate(keys: ["k": .file(file)])).decryption(of: set))
        #expect(encryption.cipher.iterations == 77 && encryption.cipher.digest == "sha512")
    }
}
