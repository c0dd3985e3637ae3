import Cryptography
import Foundation
import Synchronization
import Testing

@Suite("artifact streams")
struct ArtifactStreamTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    @Test("a copy is the same bytes, digested as sha256 does, and its owner's only")
    func copies() async throws {
        let plain = sample(1_300_000)
        let source = try folder.file("source", plain)
        let target = folder.url.appending(path: "target")
        let told = Mutex<[Int64]>([])
        let result = try await ArtifactStream.copy(from: source, to: target) { count in told.withLock { $0.append(count) } }
        #expect(try bytes(of: target) == plain)
        #expect(String(decoding: try openssl("dgst", "-sha256", "-r", source.path), as: UTF8.self).hasPrefix(result.sha256 + " "))
        #expect(result.bytesRead == 1_300_000 && result.bytesWritten == 1_300_000)
        let counts = told.withLock { $0 }
        #expect(counts.last == 1_300_000 && counts == counts.sorted() && counts.count == 3)
        let mode = try FileManager.default.attributesOfItem(atPath: target.path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
    }

    @Test("digesting alone writes nothing")
    func digests() async throws {
        let source = try folder.file("source", Array("abc".utf8))
        let result = try await ArtifactStream.digest(of: source)
        #expect(result.sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(result.size == 3)
        #expect(folder.names == ["source"])
    }

    @Test("a file that is missing, and a folder in its place")
    func cannotRead() async throws {
        let missing = folder.url.appending(path: "missing")
        let first = await #expect(throws: CryptographyError.self) { try await ArtifactStream.digest(of: missing) }
        #expect(first?.kind == .cannotRead(path: missing.path, code: ENOENT))
        let second = await #expect(throws: CryptographyError.self) { try await ArtifactStream.digest(of: folder.url) }
        #expect(second?.kind == .cannotRead(path: folder.url.path, code: EISDIR))
    }

    @Test("a folder that is missing, a symbolic link in the way, a full device")
    func cannotWrite() async throws {
        let source = try folder.file("source", sample(100))
        let nowhere = folder.url.appending(path: "no/where")
        let first = await #expect(throws: CryptographyError.self) { try await ArtifactStream.copy(from: source, to: nowhere) }
        #expect(first?.kind == .cannotWrite(path: nowhere.path, code: ENOENT))

        let victim = try folder.file("victim", [1])
        let link = folder.url.appending(path: "link")
        try FileManager.default.createSymbolicLink(at: link, withDestinationURL: victim)
        let second = await #expect(throws: CryptographyError.self) { try await ArtifactStream.copy(from: source, to: link) }
        #expect(second?.kind == .cannotWrite(path: link.path, code: ELOOP))
        #expect(try bytes(of: victim) == [1])

        let full = URL(filePath: "/dev/full")
        let third = await #expect(throws: CryptographyError.self) { try await ArtifactStream.copy(from: source, to: full) }
        #expect(third?.kind == .diskFull(path: full.path))
        #expect(third?.message.contains("disk is full") == true)
        #expect(FileManager.default.fileExists(atPath: full.path))
    }

    @Test("a cancelled copy ends and leaves nothing")
    func cancelled() async throws {
        let source = try folder.file("source", sample(2_000_000))
        let target = folder.url.appending(path: "target")
        let error = await Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return await #expect(throws: CryptographyError.self) { try await ArtifactStream.copy(from: source, to: target) }
        }.value
        #expect(error?.kind == .cancelled)
        #expect(folder.names == ["source"])
    }

    @Test("a writer's file appears when it is finished, and openssl reads it")
    func writer() async throws {
        let plain = sample(300_000)
        let target = folder.url.appending(path: "dump.enc")
        let writer = try await EncryptingFileWriter(to: target, encrypting: .init(passphrase: Secret("key")))
        for start in stride(from: 0, to: plain.count, by: 70_000) {
            try await writer.write(Array(plain[start..<min(start + 70_000, plain.count)]))
            #expect(folder.names == ["dump.enc.partial"])
        }
        let result = try await writer.finish()
        #expect(folder.names == ["dump.enc"])
        #expect(result.sha256 == (try SHA256Stream.digest(bytes(of: target))))
        #expect(result.bytesRead == 300_000)
        #expect(result.bytesWritten == Int64(try bytes(of: target).count))
        #expect(Array(try openssl("enc", "-d", "-aes-256-cbc", "-pbkdf2", "-pass", "pass:key", "-in", target.path)) == plain)
        await writer.abandon()
        #expect(folder.names == ["dump.enc"])
        await #expect(throws: CryptographyError.self) { try await writer.write([1]) }
    }

    @Test("a writer that is abandoned, or dropped, leaves what lay there before")
    func abandoned() async throws {
        let target = try folder.file("dump.enc", [1, 2, 3])
        let writer = try await EncryptingFileWriter(to: target, encrypting: nil)
        try await writer.write(sample(1000))
        await writer.abandon()
        #expect(folder.names == ["dump.enc"])
        do {
            let dropped = try await EncryptingFileWriter(to: target, encrypting: nil)
            try await dropped.write(sample(1000))
        }
        #expect(folder.names == ["dump.enc"])
        #expect(try bytes(of: target) == [1, 2, 3])
    }

    @Test("a plain writer digests what it writes")
    func plainWriter() async throws {
        let target = folder.url.appending(path: "globals.sql")
        let writer = try await EncryptingFileWriter(to: target, encrypting: nil)
        try await writer.write(Array("abc".utf8))
        let result = try await writer.finish()
        #expect(result.sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(try bytes(of: target) == Array("abc".utf8))
    }
}
