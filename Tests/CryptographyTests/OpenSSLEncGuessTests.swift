// How `openssl enc` was called, found by trying; the program itself writes the files.

@testable import Cryptography
import Foundation
import Testing

struct GuessCase: Sendable, CustomTestStringConvertible {
    var arguments: [String]
    var cipher = "aes-256-cbc"
    var made: OpenSSLEncCipher
    var testDescription: String { arguments.joined(separator: " ") }

    static let all = [
        GuessCase(arguments: ["-aes-256-cbc", "-pbkdf2"], made: .init()),
        GuessCase(arguments: ["-aes-256-cbc", "-iter", "100000"], made: .init(iterations: 100_000)),
        GuessCase(arguments: ["-aes-256-cbc", "-iter", "1"], made: .init(iterations: 1)),
        GuessCase(arguments: ["-aes-256-cbc", "-iter", "65536"], made: .init(iterations: 65536)),
        GuessCase(arguments: ["-aes-256-cbc", "-iter", "310000"], made: .init(iterations: 310_000)),
        GuessCase(arguments: ["-aes-256-cbc", "-iter", "600000", "-md", "sha512"], made: .init(iterations: 600_000, digest: "sha512")),
        GuessCase(arguments: ["-aes-256-cbc", "-pbkdf2", "-md", "sha1"], made: .init(digest: "sha1")),
        GuessCase(arguments: ["-aes-256-cbc", "-pbkdf2", "-md", "md5"], made: .init(digest: "md5")),
        GuessCase(arguments: ["-aes-256-cbc"], made: .init(derivation: .evpBytesToKey)),
        GuessCase(arguments: ["-aes-256-cbc", "-md", "md5"], made: .init(digest: "md5", derivation: .evpBytesToKey)),
        GuessCase(arguments: ["-aes-256-cbc", "-md", "sha1"], made: .init(digest: "sha1", derivation: .evpBytesToKey)),
        GuessCase(arguments: ["-aes-256-ctr", "-pbkdf2"], cipher: "aes-256-ctr", made: .init()),
        GuessCase(arguments: ["-chacha20", "-pbkdf2"], cipher: "chacha20", made: .init()),
        GuessCase(arguments: ["-aes-128-cbc", "-iter", "20000"], cipher: "aes-128-cbc", made: .init(iterations: 20000)),
        GuessCase(arguments: ["-aes-192-cbc"], cipher: "aes-192-cbc", made: .init(derivation: .evpBytesToKey)),
        GuessCase(arguments: ["-camellia-256-cbc", "-pbkdf2"], cipher: "camellia-256-cbc", made: .init()),
        GuessCase(arguments: ["-des3", "-md", "md5"], cipher: "des-ede3-cbc", made: .init(digest: "md5", derivation: .evpBytesToKey)),
    ]
}

@Suite("how openssl enc was called")
struct OpenSSLEncGuessTests {
    private let folder: TemporaryFolder
    private static let phrase = "correct horse, battery staple"

    init() throws { folder = try TemporaryFolder() }

    private func stored(_ plain: [UInt8], _ arguments: [String]) throws -> URL {
        let source = try folder.file("plain", plain)
        let target = folder.url.appending(path: "stored")
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["openssl", "enc"] + arguments + ["-pass", "env:PHRASE", "-in", source.path, "-out", target.path]
        process.environment = ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin", "PHRASE": Self.phrase]
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
        return target
    }

    private func guess(_ file: URL, phrase: String = phrase, declared: OpenSSLEncCipher = .init()) async throws -> OpenSSLEncGuess? {
        try await OpenSSLEncGuess.find(in: file, passphrase: Secret(phrase), declared: declared, fits: Self.fits)
    }

    @Sendable private static func fits(_ plain: [UInt8]) -> Bool { plain.starts(with: Array("PGDMP".utf8)) }

    @Test(arguments: GuessCase.all)
    func isFound(sample case: GuessCase) async throws {
        let file = try stored(Array("PGDMP".utf8) + sample(3001), `case`.arguments)
        let found = try await guess(file)
        #expect(found?.cipher == `case`.cipher && found?.made == `case`.made, "\(String(describing: found))")
        #expect(found?.isRead == (`case`.cipher == "aes-256-cbc"))
    }

    /// A number that nobody would try is found where it is declared: then it is the cipher that differs.
    @Test func whatIsDeclaredIsTriedFirst() async throws {
        let file = try stored(Array("PGDMP".utf8) + sample(100), ["-aes-192-cbc", "-iter", "12345"])
        let found = try await guess(file, declared: .init(iterations: 12345))
        #expect(found?.cipher == "aes-192-cbc" && found?.made.iterations == 12345)
    }

    /// Another passphrase fits nothing, however much is tried; and of one passphrase so much is tried twice only.
    @Test func nothingFits() async throws {
        let file = try stored(Array("PGDMP".utf8) + sample(3001), ["-aes-256-cbc", "-iter", "77777"])
        let secret = Secret("another")
        for isSearched in [true, true, false] {
            #expect(secret.mayBeSearched == isSearched)
            #expect(try await OpenSSLEncGuess.find(in: file, passphrase: secret, declared: .init(), fits: Self.fits) == nil)
        }
        #expect(try await guess(try folder.file("short", Array("Salted__12345678".utf8))) == nil)
        #expect(try await guess(try folder.file("other", sample(3000))) == nil)
    }

    /// What the library derives for each number, the walk passes by.
    @Test(arguments: ["sha256", "sha512", "sha1", "md5", "sha224", "sha384"])
    func aWalkPassesByEveryNumber(digest: String) throws {
        let secret = Secret(Self.phrase)
        let salt = sample(8)
        let walk = try #require(PBKDF2Walk(passphrase: secret, salt: salt, digest: digest, count: 48))
        for rounds in [1, 2, 3, 1000, 1001, 4096] {
            #expect(walk.walk(to: rounds))
            var key = [UInt8](repeating: 0, count: 48)
            walk.copyKey(into: &key)
            let derived = try OpenSSLEncCipher(iterations: rounds, digest: digest).key(passphrase: secret, salt: salt)
            #expect(derived.withBytes { Array($0) } == key, "\(rounds)")
        }
    }

    @Test("what openssl derived without -pbkdf2 is read back, and written for it", arguments: ["sha256", "md5", "sha1", "sha512"])
    func oldDerivation(digest: String) async throws {
        let plain = sample(5000)
        let cipher = OpenSSLEncCipher(digest: digest, derivation: .evpBytesToKey)
        let encryption = ArtifactStream.Encryption(passphrase: Secret(Self.phrase), cipher: cipher)
        let file = try stored(plain, ["-aes-256-cbc", "-md", digest])
        let target = folder.url.appending(path: "out")
        _ = try await ArtifactStream.copy(from: file, to: target, decrypting: encryption)
        #expect(try bytes(of: target) == plain)
        let again = folder.url.appending(path: "again")
        _ = try await ArtifactStream.encrypt(from: target, to: again, encryption: encryption)
        let opened = try openssl(
            "enc", "-d", "-aes-256-cbc", "-md", digest, "-pass", "env:PHRASE", "-in", again.path, environment: ["PHRASE": Self.phrase])
        #expect(Array(opened) == plain)
    }
}
