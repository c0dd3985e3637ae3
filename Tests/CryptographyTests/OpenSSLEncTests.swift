@testable import Cryptography
import Foundation
import Testing

private let passphrase = "correct horse, battery staple"

@Suite("openssl enc format")
struct OpenSSLEncTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func stored(_ plain: [UInt8], iterations: Int = 10000, digest: String = "sha256") throws -> URL {
        let source = try folder.file("plain-\(UUID().uuidString)", plain)
        let target = folder.url.appending(path: "stored-\(UUID().uuidString)")
        try openssl(
            "enc", "-aes-256-cbc", "-pbkdf2", "-iter", "\(iterations)", "-md", digest, "-salt", "-pass", "env:PHRASE", "-in", source.path,
            "-out", target.path, environment: ["PHRASE": passphrase])
        return target
    }

    private func encryption(
        _ phrase: String = passphrase, iterations: Int = 10000, digest: String = "sha256"
    ) -> ArtifactStream.Encryption {
        .init(passphrase: Secret(phrase), cipher: OpenSSLEncCipher(iterations: iterations, digest: digest))
    }

    private func failure(
        _ file: URL, _ encryption: ArtifactStream.Encryption, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> CryptographyError {
        let target = folder.url.appending(path: "out")
        let error = await #expect(throws: CryptographyError.self, sourceLocation: sourceLocation) {
            try await ArtifactStream.copy(from: file, to: target, decrypting: encryption)
        }
        #expect(!FileManager.default.fileExists(atPath: target.path), "half a file stayed behind", sourceLocation: sourceLocation)
        let known = try #require(error, sourceLocation: sourceLocation)
        #expect(!known.description.contains(passphrase))
        #expect(!known.hint.isEmpty)
        return known
    }

    @Test(
        "what openssl wrote is read back",
        arguments: [0, 1, 15, 16, 17, 31, 32, 512 * 1024 - 16, 512 * 1024 - 1, 512 * 1024, 512 * 1024 + 1, 1_500_000])
    func decrypts(size: Int) async throws {
        let plain = sample(size)
        let file = try stored(plain)
        let target = folder.url.appending(path: "out")
        let result = try await ArtifactStream.copy(from: file, to: target, decrypting: encryption(), flushed: true)
        #expect(try bytes(of: target) == plain)
        #expect(result.sha256 == (try SHA256Stream.digest(bytes(of: file))))
        #expect(result.bytesRead == Int64(try bytes(of: file).count))
        #expect(result.bytesWritten == Int64(size))
    }

    @Test("openssl reads back what was written here", arguments: [0, 1, 16, 512 * 1024 - 1, 512 * 1024, 700_000])
    func encrypts(size: Int) async throws {
        let plain = sample(size)
        let source = try folder.file("plain", plain)
        let target = folder.url.appending(path: "stored.enc")
        let result = try await ArtifactStream.encrypt(from: source, to: target, encryption: encryption())
        let opened = try openssl(
            "enc", "-d", "-aes-256-cbc", "-pbkdf2", "-pass", "env:PHRASE", "-in", target.path, environment: ["PHRASE": passphrase])
        #expect(Array(opened) == plain)
        #expect(result.sha256 == (try SHA256Stream.digest(bytes(of: target))))
        #expect(result.bytesRead == Int64(size))
        #expect(result.bytesWritten == Int64(try bytes(of: target).count))
        #expect(folder.names == ["plain", "stored.enc"])
    }

    @Test("iterations and digest are obeyed", arguments: [(1, "sha256"), (250_000, "sha512"), (10000, "sha1"), (7, "md5")])
    func parameters(iterations: Int, digest: String) async throws {
        let plain = sample(5000)
        let file = try stored(plain, iterations: iterations, digest: digest)
        let target = folder.url.appending(path: "out")
        _ = try await ArtifactStream.copy(from: file, to: target, decrypting: encryption(iterations: iterations, digest: digest))
        #expect(try bytes(of: target) == plain)
    }

    @Test("chunks of any size give the same bytes")
    func chunks() throws {
        let plain = sample(1000)
        let cipher = OpenSSLEncCipher(iterations: 1)
        for size in [1, 3, 16, 17, 999, 1000] {
            let encryptor = try cipher.encryptor(passphrase: Secret(passphrase))
            var stored: [UInt8] = []
            for start in stride(from: 0, to: plain.count, by: size) {
                stored += try encryptor.update(Array(plain[start..<min(start + size, plain.count)]))
            }
            stored += try encryptor.finish()
            let decryptor = cipher.decryptor(passphrase: Secret(passphrase))
            var opened: [UInt8] = []
            for start in stride(from: 0, to: stored.count, by: size) {
                opened += try decryptor.update(Array(stored[start..<min(start + size, stored.count)]))
            }
            opened += try decryptor.finish()
            #expect(opened == plain)
        }
    }

    @Test("two files of the same content differ: the salt is fresh")
    func salt() throws {
        let cipher = OpenSSLEncCipher(iterations: 1)
        let first = try cipher.encryptor(passphrase: Secret(passphrase)).finish()
        let second = try cipher.encryptor(passphrase: Secret(passphrase)).finish()
        #expect(first != second)
    }

    @Test("a wrong key is noticed, and the whole file's digest is told")
    func wrongKey() async throws {
        // A wrong key leaves padding that looks right once in 256 cases, so one file could miss by luck; eight can't.
        var noticed = 0
        for _ in 0..<8 {
            let file = try stored(sample(40_000), iterations: 1)
            let digest = try SHA256Stream.digest(bytes(of: file))
            let target = folder.url.appending(path: "noise")
            do throws(CryptographyError) {
                _ = try await ArtifactStream.copy(from: file, to: target, decrypting: encryption("wrong", iterations: 1))
            } catch {
                #expect(error.kind == .wrongKeyOrDamaged)
                #expect(error.storedSHA256 == digest)
                #expect(error.hint.contains("no checksum"))
                noticed += 1
            }
        }
        #expect(noticed >= 6)
    }

    @Test("a flipped bit in the last block but one breaks the padding; the digest differs wherever it is")
    func flippedBit() async throws {
        let plain = sample(1600)
        let file = try stored(plain)
        var damaged = try bytes(of: file)
        // In CBC this flips the same bit of the last block's plain text: here its padding count.
        damaged[damaged.count - 17] ^= 0x40
        let error = try await failure(try folder.file("damaged", damaged), encryption())
        #expect(error.kind == .wrongKeyOrDamaged)

        var early = try bytes(of: file)
        early[40] ^= 1
        let digest = try await ArtifactStream.copy(
            from: try folder.file("early", early), to: nil, decrypting: encryption())
        #expect(digest.sha256 != (try SHA256Stream.digest(bytes(of: file))))
    }

    @Test("a file cut off is called that", arguments: [0, 1, 7, 8, 15, 16, 17, 31, 33, 47, 1000])
    func truncated(size: Int) async throws {
        let whole = try bytes(of: try stored(sample(2000)))
        let error = try await failure(try folder.file("cut", Array(whole.prefix(size))), encryption())
        #expect(error.kind == .truncated)
    }

    @Test("a file cut off at a block's border shows as damage")
    func truncatedAtBlock() async throws {
        var noticed = 0
        for _ in 0..<8 {
            let whole = try bytes(of: try stored(sample(2000), iterations: 1))
            let cut = try folder.file("cut", Array(whole.prefix(16 + 640)))
            do throws(CryptographyError) {
                _ = try await ArtifactStream.copy(from: cut, to: nil, decrypting: encryption(iterations: 1))
            } catch {
                #expect(error.kind == .wrongKeyOrDamaged)
                noticed += 1
            }
        }
        #expect(noticed >= 6)
    }

    @Test("a plain file is called that", arguments: ["PGDMP and what follows it, long enough for a header", "Salt", "x"])
    func notEncrypted(text: String) async throws {
        let error = try await failure(try folder.file("plain", Array(text.utf8)), encryption())
        #expect(error.kind == (text == "Salt" ? .truncated : .notEncrypted))
    }

    @Test("an unknown digest, no iterations and an empty passphrase are refused")
    func refused() async throws {
        let file = try stored(sample(10))
        #expect(try await failure(file, encryption(digest: "sha257")).kind == .unsupported)
        #expect(try await failure(file, encryption(iterations: 0)).kind == .unsupported)
        #expect(try await failure(file, encryption(iterations: 1 << 40)).kind == .unsupported)
        #expect(try await failure(file, encryption("")).kind == .invalidKey)
    }

    /// A file that is looked at and then read costs one derivation; another salt, another digest and another passphrase each their own.
    @Test func aKeyIsDerivedOnce() throws {
        let secret = Secret("a passphrase")
        var made = 0
        func key(_ salt: UInt8, _ digest: String = "sha256", of secret: Secret) throws -> Secret {
            let cipher = OpenSSLEncCipher(iterations: 1, digest: digest)
            return try secret.derived(Secret.Derivation(salt: [salt], cipher: cipher)) { () throws(CryptographyError) in
                made += 1
                return Secret([UInt8(made)])
            }
        }
        let first = try key(1, of: secret)
        #expect(try key(1, of: secret).withBytes { Array($0) } == first.withBytes { Array($0) } && made == 1)
        _ = try key(2, of: secret)
        _ = try key(1, "sha512", of: secret)
        _ = try key(1, of: Secret("a passphrase"))
        #expect(made == 4)
    }
}
