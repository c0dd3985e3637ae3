// CMS envelopes as the openssl program writes them: opened, and every way of falling short noticed.

import Foundation
import Testing

@testable import Cryptography

/// One recipient's key pair, made by openssl.
private struct Pair {
    var key: URL
    var certificate: URL

    init(_ name: String, in folder: TemporaryFolder, curve: String? = nil) throws {
        key = folder.url.appending(path: "\(name).key")
        certificate = folder.url.appending(path: "\(name).crt")
        let kind = curve.map { ["ec", "-pkeyopt", "ec_paramgen_curve:\($0)"] } ?? ["rsa:2048"]
        try run(
            ["req", "-x509", "-nodes", "-days", "30", "-subj", "/CN=\(name)", "-keyout", key.path, "-out", certificate.path, "-newkey"]
                + kind)
    }

    func secret(withCertificate: Bool = false) throws -> Secret {
        var text = try bytes(of: key)
        if withCertificate { text = try bytes(of: certificate) + text }
        return Secret(text)
    }
}

private func run(_ arguments: [String]) throws {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["openssl"] + arguments
    process.standardError = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0, "openssl \(arguments.first ?? "") failed")
}

@Suite("CMS envelopes")
struct CMSTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func stored(
        _ plain: [UInt8], for pairs: [Pair], cipher: String = "aes-256-gcm", stream: Bool = true, more: [String] = []
    ) throws -> URL {
        let source = try folder.file("plain-\(UUID().uuidString)", plain)
        let target = folder.url.appending(path: "stored-\(UUID().uuidString)")
        try run(
            ["cms", "-encrypt", "-binary", "-outform", "DER", "-\(cipher)", "-in", source.path, "-out", target.path]
                + (stream ? ["-stream"] : []) + more + pairs.map(\.certificate.path))
        return target
    }

    private func opened(_ file: URL, _ key: Secret) async throws -> [UInt8] {
        let target = folder.url.appending(path: "out-\(UUID().uuidString)")
        let result = try await ArtifactStream.copy(from: file, to: target, decrypting: .init(.cms, key: key))
        #expect(result.sha256 == (try SHA256Stream.digest(bytes(of: file))))
        #expect(result.bytesRead == Int64(try bytes(of: file).count))
        return try bytes(of: target)
    }

    private func failure(_ file: URL, _ key: Secret, location: SourceLocation = #_sourceLocation) async throws -> CryptographyError {
        let target = folder.url.appending(path: "none")
        let error = await #expect(throws: CryptographyError.self, sourceLocation: location) {
            try await ArtifactStream.copy(from: file, to: target, decrypting: .init(.cms, key: key))
        }
        #expect(!FileManager.default.fileExists(atPath: target.path), "half a file stayed behind", sourceLocation: location)
        return try #require(error, sourceLocation: location)
    }

    @Test("what openssl wrote is read back", arguments: [0, 1, 16, 4096, 1_500_000], ["aes-256-gcm", "aes-256-cbc"])
    func decrypts(size: Int, cipher: String) async throws {
        // openssl 3.0 itself refuses to make an authenticated envelope of nothing.
        if size == 0, cipher == "aes-256-gcm" { return }
        let plain = sample(size)
        let pair = try Pair("backup", in: folder)
        for stream in [true, false] {
            let file = try stored(plain, for: [pair], cipher: cipher, stream: stream)
            #expect(try await opened(file, pair.secret()) == plain, "stream \(stream)")
        }
    }

    @Test("recipients with keys on curves", arguments: ["P-256", "P-384"], ["aes-256-gcm", "aes-256-cbc"])
    func curves(curve: String, cipher: String) async throws {
        let plain = sample(70_000)
        let pair = try Pair("curve", in: folder, curve: curve)
        let other = try Pair("other", in: folder, curve: curve)
        let file = try stored(plain, for: [other, pair], cipher: cipher)
        #expect(try await opened(file, pair.secret()) == plain)
        #expect(try await opened(file, pair.secret(withCertificate: true)) == plain)
        let stranger = try Pair("stranger", in: folder, curve: curve)
        #expect(try await failure(file, stranger.secret()).kind == .wrongKeyOrDamaged)
    }

    @Test("each of several recipients", arguments: ["aes-256-gcm", "aes-256-cbc"])
    func severalRecipients(cipher: String) async throws {
        let plain = sample(100_000)
        let pairs = try ["a", "b", "c"].map { try Pair($0, in: folder) } + [Pair("d", in: folder, curve: "P-256")]
        let file = try stored(plain, for: pairs, cipher: cipher)
        for pair in pairs {
            #expect(try await opened(file, pair.secret()) == plain)
            #expect(try await opened(file, pair.secret(withCertificate: true)) == plain)
        }
        #expect(try await failure(file, Pair("z", in: folder).secret()).kind == .wrongKeyOrDamaged)
    }

    @Test("named by key identifier, and with OAEP")
    func otherRecipientForms() async throws {
        let plain = sample(10_000)
        let pair = try Pair("backup", in: folder)
        #expect(try await opened(stored(plain, for: [pair], more: ["-keyid"]), pair.secret(withCertificate: true)) == plain)
        let source = try folder.file("p", plain)
        let target = folder.url.appending(path: "oaep")
        try run([
            "cms", "-encrypt", "-binary", "-stream", "-outform", "DER", "-aes-256-gcm", "-in", source.path, "-out", target.path, "-recip",
            pair.certificate.path, "-keyopt", "rsa_padding_mode:oaep",
        ])
        #expect(try await opened(target, pair.secret()) == plain)
    }

    @Test("many recipients, more than one chunk of them")
    func manyRecipients() async throws {
        let pair = try Pair("backup", in: folder)
        let file = try stored(sample(5000), for: Array(repeating: pair, count: 30) + [Pair("last", in: folder)])
        let head = Array(try bytes(of: file).prefix(64 * 1024))
        let start = try #require(CMSEnvelope.contentStart(in: head))
        #expect(start > 4096)
        // A byte at a time, and thirty-one at a time, are the same as all at once.
        let last = Secret(try bytes(of: folder.url.appending(path: "last.key")))
        for step in [1, 31, 4096] {
            let decryptor = try ArtifactStream.Encryption(.cms, key: last).decryptor()
            var plain: [UInt8] = []
            let all = try bytes(of: file)
            for index in stride(from: 0, to: all.count, by: step) {
                plain += try decryptor.update(Array(all[index..<min(index + step, all.count)]))
            }
            plain += try decryptor.finish()
            #expect(plain == sample(5000))
        }
        // The same key thirty times: which of them is meant, only the certificate could tell, and it doesn't either.
        #expect(try await failure(file, pair.secret()).kind == .invalidKey)
    }

    @Test("a wrong key is told with the digest of what is stored", arguments: ["aes-256-gcm", "aes-256-cbc"])
    func wrongKey(cipher: String) async throws {
        let file = try stored(sample(600_000), for: [Pair("backup", in: folder)], cipher: cipher)
        let error = try await failure(file, Pair("other", in: folder).secret())
        #expect(error.kind == .wrongKeyOrDamaged)
        #expect(error.storedSHA256 == (try SHA256Stream.digest(bytes(of: file))))
        let curve = try await failure(file, Pair("curve", in: folder, curve: "P-256").secret())
        #expect(curve.kind == .wrongKeyOrDamaged)
    }

    /// The promise of the authenticated form: whichever byte changes, the plain text never passes as sound.
    @Test("no changed byte of an authenticated envelope passes", arguments: [true, false])
    func flippedBytes(stream: Bool) async throws {
        let pair = try Pair("backup", in: folder)
        let plain = sample(9000)
        let whole = try bytes(of: stored(plain, for: [pair], stream: stream))
        let key = try pair.secret()
        let recipientFrom = 20
        let contentFrom = try #require(CMSEnvelope.contentStart(in: whole))
        var passed: [Int] = []
        for index in Array(0..<contentFrom) + Array(stride(from: contentFrom, to: whole.count - 40, by: 97))
            + Array(whole.count - 40..<whole.count)
        {
            var changed = whole
            changed[index] ^= 0x01
            let decryptor = try ArtifactStream.Encryption(.cms, key: key).decryptor()
            guard let body = try? decryptor.update(changed), let tail = try? decryptor.finish() else { continue }
            #expect(body + tail == plain, "byte \(index)")
            passed.append(index)
        }
        // What passes is in names and numbers that don't touch the content: an issuer's, a version's. Never behind the head.
        #expect(passed.allSatisfy { $0 >= recipientFrom && $0 < contentFrom }, "\(passed)")
    }

    @Test("no cut file passes", arguments: ["aes-256-gcm", "aes-256-cbc"], [true, false])
    func cut(cipher: String, stream: Bool) async throws {
        let pair = try Pair("backup", in: folder)
        let whole = try bytes(of: stored(sample(9000), for: [pair], cipher: cipher, stream: stream))
        for count in Array(stride(from: 0, to: whole.count, by: 53)) + Array(whole.count - 40..<whole.count) {
            let decryptor = try ArtifactStream.Encryption(.cms, key: pair.secret()).decryptor()
            do throws(CryptographyError) {
                _ = try decryptor.update(Array(whole[..<count]))
                _ = try decryptor.finish()
                Issue.record("\(count) of \(whole.count) bytes passed")
            } catch {
                #expect(error.kind == .truncated, "\(count) of \(whole.count) bytes: \(error)")
            }
        }
        let more = try folder.file("more", whole + [0])
        #expect(try await failure(more, pair.secret()).kind == .wrongKeyOrDamaged)
    }

    /// Somebody who can't make a code could still shorten it until a guess fits, or claim one under a cipher that makes none.
    @Test("a short code, and one under a cipher without any, are refused")
    func forgedCodes() async throws {
        let pair = try Pair("backup", in: folder)
        var short = try bytes(of: stored(sample(100), for: [pair]))
        // The code's length stands behind its tag, in front of its 16 bytes and the last three ends.
        let place = short.count - 6 - 16 - 1
        #expect(short[place] == 16 && short[place - 1] == 0x04)
        short[place] = 4
        short.removeSubrange(place + 5..<place + 17)
        #expect(try await failure(folder.file("short", short), pair.secret()).kind == .wrongKeyOrDamaged)

        let cbc = try bytes(of: stored(sample(100), for: [pair], cipher: "aes-256-cbc"))
        // SEQUENCE, indefinite; then the other type, and a code of zeros where the envelope ends.
        let type: [UInt8] = [0x06, 0x0b, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x17]
        let claimed = [0x30, 0x80] + type + cbc[13..<cbc.count - 6] + [0x04, 16] + [UInt8](repeating: 0, count: 16) + cbc.suffix(6)
        #expect(try await failure(folder.file("claimed", claimed), pair.secret()).kind == .wrongKeyOrDamaged)
    }

    @Test("keys that are none, behind a password, or beside another's certificate")
    func unusableKeys() throws {
        let pair = try Pair("backup", in: folder)
        let other = try Pair("other", in: folder)
        let locked = folder.url.appending(path: "locked.key")
        try run(["pkey", "-in", pair.key.path, "-aes256", "-passout", "pass:abc", "-out", locked.path])
        let mixed = try bytes(of: pair.key) + bytes(of: other.certificate)
        for text in [Array("nothing".utf8), try bytes(of: pair.certificate), try bytes(of: locked), mixed] {
            #expect { try CMSRecipient(pem: Secret(text)) } throws: { ($0 as? CryptographyError)?.kind == .invalidKey }
        }
    }

    @Test("PEM is no DER")
    func pem() async throws {
        let pair = try Pair("backup", in: folder)
        let file = try stored(sample(100), for: [pair], more: ["-outform", "PEM"])
        #expect(try await failure(file, pair.secret()).kind == .notEncrypted)
    }
}
