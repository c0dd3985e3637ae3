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
        try await Desk.with { desk in
            try desk.file("a.sql", script())
            try desk.encrypt("a.sql", as: "a.enc")
            let point = try await desk.point("a.enc", seal: true)
            let result = try await desk.retrieve(point, key: Desk.key)
            #expect(result.format == .sql && !result.isFolder)
            #expect(Array(try Data(contentsOf: result.location)) == script())
            #expect(result.storedBytes == point.size)
            #expect(result.storedSHA256 == point.sealState.seal?.artifact.sha256)
            #expect(result.plainBytes == Int64(script().count))
        }
    }

    @Test func aWrongKeyIsToldFromDamageWhereASealHelps() async throws {
        try await Desk.with { desk in
            try desk.file("a.sql", script())
            try desk.encrypt("a.sql", as: "a.enc")
            let bare = await desk.failure(of: try await desk.point("a.enc"), key: Self.wrong)
            // In one of 256 cases the padding looks right, and noise comes out.
            #expect(bare?.verdict == .failed && ["decryption-failed", "artifact-unknown-kind"].contains(bare?.finding.rule.name))
            let sealed = await desk.failure(of: try await desk.point("a.enc", seal: true), key: Self.wrong)
            #expect(sealed?.verdict == .failed)
            if sealed?.finding.rule.name == "decryption-failed" { #expect(sealed?.finding.hint.contains("the key is wrong") == true) }
            #expect(desk.left.allSatisfy { $0 != "artifact" } || sealed?.finding.rule.name == "artifact-unknown-kind")
        }
    }

    @Test(arguments: [1, 15, 16, 17, 31, 160, 1000])
    func aCutFileNeverPasses(_ missing: Int) async throws {
        try await Desk.with { desk in
            try desk.file("a.sql", script())
            try desk.encrypt("a.sql", as: "a.enc")
            let whole = try await desk.point("a.enc", seal: true)
            try desk.shell("truncate -s -\(missing) a.enc")
            var sealed = try await desk.point("a.enc")
            sealed.sealState = whole.sealState
            let withSeal = await desk.failure(of: sealed, key: Desk.key)
            #expect(withSeal?.verdict == .failed && withSeal?.finding.rule.name == "artifact-truncated")
            guard missing % 16 != 0 else {
                // The block before the last may end in what looks like padding; then only the seal, or the restore, can tell.
                let bare = await desk.failure(of: try await desk.point("a.enc"), key: Desk.key)
                #expect(bare == nil || bare?.finding.rule.name == "decryption-failed")
                return
            }
            let bare = await desk.failure(of: try await desk.point("a.enc"), key: Desk.key)
            #expect(bare?.verdict == .failed && bare?.finding.rule.name == "artifact-truncated")
        }
    }

    @Test(arguments: [0, 5, 12, 20, 900, -1])
    func aFlippedBitIsSeenByTheSeal(_ offset: Int) async throws {
        try await Desk.with { desk in
            try desk.file("a.sql", script())
            try desk.encrypt("a.sql", as: "a.enc")
            var point = try await desk.point("a.enc", seal: true)
            var bytes = Array(try Data(contentsOf: point.location))
            let index = offset < 0 ? bytes.count + offset : offset
            bytes[index] ^= 1
            try desk.file("a.enc", bytes)
            let sealed = await desk.failure(of: point, key: Desk.key)
            #expect(
                sealed?.verdict == .failed && sealed?.finding.rule.name == "artifact-digest-differs", "\(sealed?.finding.message ?? "")")
            point.sealState = .missing
            let bare = await desk.failure(of: point, key: Desk.key)
            switch offset {
            case 0, 5: #expect(bare?.finding.rule.name == "artifact-not-encrypted")
            case 12: #expect(bare?.verdict == .failed)
            // The format has no checksum of its own: what comes out is for the restore to refuse.
            case 900: #expect(bare == nil)
            default: #expect(bare == nil || bare?.verdict == .failed)
            }
        }
    }

    @Test func declarationAndFileMustAgree() async throws {
        try await Desk.with { desk in
            try desk.file("a.sql", script())
            try desk.encrypt("a.sql", as: "a.enc")
            let plain = await desk.failure(of: try await desk.point("a.sql", seal: true), key: Desk.key)
            #expect(plain?.verdict == .failed && plain?.finding.rule.name == "artifact-not-encrypted")
            let encrypted = await desk.failure(of: try await desk.point("a.enc", seal: true))
            #expect(encrypted?.verdict == .failed && encrypted?.finding.rule.name == "artifact-still-encrypted")
            #expect(desk.left == [])
        }
    }

    @Test(arguments: [0, 1, 7, 8, 15, 16, 31])
    func aStubOfAnEncryptedFileFails(_ count: Int) async throws {
        try await Desk.with { desk in
            try desk.file("a.sql", script())
            try desk.encrypt("a.sql", as: "a.enc")
            try desk.shell("truncate -s \(count) a.enc")
            let failure = await desk.failure(of: try await desk.point("a.enc"), key: Desk.key)
            #expect(failure?.verdict == .failed)
            #expect(failure?.finding.rule.name == (count == 0 ? "artifact-empty" : "artifact-truncated"), "\(count) bytes")
            #expect(desk.left == [])
        }
    }

    @Test func aFileThatIsGoneFails() async throws {
        try await Desk.with { desk in
            let failure = await desk.failure(of: try await desk.point("gone.enc"), key: Desk.key)
            #expect(failure?.verdict == .failed && failure?.finding.rule.name == "artifact-unreadable")
        }
    }

    @Test func cancellingEndsIt() async throws {
        try await Desk.with { desk in
            try desk.file("a.sql", script())
            let point = try await desk.point("a.sql")
            let task = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                return try await desk.retrieve(point)
            }
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(desk.left == [])
        }
    }
}
