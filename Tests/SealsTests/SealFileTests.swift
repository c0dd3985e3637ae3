import Cryptography
import DrillModel
import Foundation
import Seals
import Testing

/// A seal of an artifact that need not exist; the time has milliseconds, as the file has.
func sealOf(_ name: String, version: Int = Seal.currentVersion) -> Seal {
    Seal(
        version: version, estate: "lab", service: "cache", backup: "rdb", truth: .source,
        snapshotTime: Date(timeIntervalSince1970: 1_790_000_000.123), backupSeconds: 1.5,
        artifact: .init(name: name, size: 42, sha256: String(repeating: "ab", count: 32)),
        redis: RedisTruth(
            serverVersion: "7.0.15", digest: String(repeating: "0", count: 40),
            databases: [
                .init(
                    index: 0, keys: 3, expiring: 1, prefixes: [.init(prefix: "a/b\"é", type: "hash", keys: 2, hash: "18446744073709551615")]
                )
            ]))
}

@Suite("seal files")
struct SealFileTests {
    private let folder: TemporaryFolder
    private let artifact: URL
    private let key: Ed25519PrivateKey

    init() throws {
        folder = try TemporaryFolder()
        artifact = folder.url.appending(path: "redis.rdb")
        key = try Ed25519PrivateKey.generate()
    }

    private func broken(
        trusted: [Ed25519PublicKey]? = nil, artifact other: URL? = nil, sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Finding {
        let state = SealFile.read(besides: other ?? artifact, trusted: try trusted ?? [key.publicKey()])
        guard case .broken(let finding) = state else {
            Issue.record("the seal is \(state), not broken", sourceLocation: sourceLocation)
            throw CancellationError()
        }
        #expect(finding.severity == .critical && !finding.hint.isEmpty && !finding.message.isEmpty, sourceLocation: sourceLocation)
        return finding
    }

    @Test("what was written is read back, and the file is whole, readable and alone")
    func roundTrip() throws {
        let seal = sealOf("redis.rdb")
        let file = try SealFile.write(seal, besides: artifact, signedBy: key)
        #expect(file.lastPathComponent == "redis.rdb.seal.json")
        #expect(SealFile.read(besides: artifact, trusted: [try key.publicKey()]) == .valid(seal))
        #expect(folder.names == ["redis.rdb.seal.json"])
        #expect(try FileManager.default.attributesOfItem(atPath: file.path)[.posixPermissions] as? Int == 0o644)
        let before = try Data(contentsOf: file)
        try SealFile.write(seal, besides: artifact, signedBy: key)
        #expect(try Data(contentsOf: file) == before, "the same seal under the same key is the same bytes")
    }

    @Test("a name that leaves no room for the ending has no seal", arguments: [245, 246, 255])
    func longName(length: Int) throws {
        let long = folder.url.appending(path: String(repeating: "a", count: length))
        try Data("x".utf8).write(to: long)
        #expect(SealFile.read(besides: long, trusted: [try key.publicKey()]) == .missing)
    }

    @Test("any one of the trusted keys will do")
    func severalKeys() throws {
        try SealFile.write(sealOf("redis.rdb"), besides: artifact, signedBy: key)
        let others = try [Ed25519PrivateKey.generate().publicKey(), key.publicKey(), Ed25519PrivateKey.generate().publicKey()]
        #expect(SealFile.read(besides: artifact, trusted: others).seal != nil)
    }

    @Test("openssl verifies the signature over DSSE's bytes")
    func openssl() throws {
        let file = try SealFile.write(sealOf("redis.rdb"), besides: artifact, signedBy: key)
        let envelope = try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
        let type = try #require(envelope["payloadType"] as? String)
        let text = try #require(envelope["payload"] as? String)
        let payload = try #require(Data(base64Encoded: text))
        let signature = try #require((envelope["signatures"] as? [[String: String]])?.first)
        #expect(type == "application/vnd.muster.seal+json")
        #expect(signature["keyid"] == (try key.publicKey().keyID))
        let signed = folder.url.appending(path: "signed")
        try (Data("DSSEv1 \(type.utf8.count) \(type) \(payload.count) ".utf8) + payload).write(to: signed)
        let sig = folder.url.appending(path: "sig")
        try #require(Data(base64Encoded: signature["sig"] ?? "")).write(to: sig)
        let pub = folder.url.appending(path: "pub")
        try key.publicKey().pem().write(to: pub, atomically: true, encoding: .utf8)
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [
            "openssl", "pkeyutl", "-verify", "-pubin", "-inkey", pub.path, "-rawin", "-in", signed.path, "-sigfile", sig.path,
        ]
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        let seal = try #require(try JSONSerialization.jsonObject(with: payload) as? [String: Any])
        #expect(seal["snapshotTime"] as? String == "2026-09-21T14:13:20.123Z")
    }

    @Test("no file is no seal")
    func missing() throws {
        #expect(SealFile.read(besides: artifact, trusted: [try key.publicKey()]) == .missing)
        #expect(SealFile.read(besides: folder.url.appending(path: "no/such"), trusted: []) == .missing)
    }

    @Test("no byte of the payload, its type or the signature can change unseen")
    func forged() throws {
        let file = try SealFile.write(sealOf("redis.rdb"), besides: artifact, signedBy: key)
        let whole = try Data(contentsOf: file)
        var rules: Set<Rule> = []
        for place in whole.indices {
            for bit: UInt8 in [1, 32] {
                var changed = whole
                changed[place] ^= bit
                try changed.write(to: file)
                switch SealFile.read(besides: artifact, trusted: [try key.publicKey()]) {
                case .missing, .unread: Issue.record("missing")
                case .broken(let finding): rules.insert(finding.rule)
                // A changed line break or a changed keyid, which is a hint, changes nothing that is signed.
                case .valid(let seal): #expect(seal == sealOf("redis.rdb"))
                }
            }
        }
        #expect(rules == [.sealUnreadable, .sealSignatureInvalid])

        var envelope = try #require(try JSONSerialization.jsonObject(with: whole) as? [String: Any])
        let text = try #require(envelope["payload"] as? String)
        var payload = try #require(Data(base64Encoded: text))
        for place in payload.indices {
            payload[place] ^= 1
            envelope["payload"] = payload.base64EncodedString()
            try JSONSerialization.data(withJSONObject: envelope).write(to: file)
            #expect(try broken().rule == .sealSignatureInvalid)
            payload[place] ^= 1
        }
    }

    @Test("files that are no seals are unreadable")
    func unreadable() throws {
        let file = SealFile.location(besides: artifact)
        for text in [
            "", "{", "[]", "{}", #"{"payloadType": "text/plain", "payload": "e30=", "signatures": [{"keyid": "a", "sig": "YQ=="}]}"#,
        ] {
            try Data(text.utf8).write(to: file)
            #expect(try broken().rule == .sealUnreadable)
        }
        try Data(#"{"payloadType": "application/vnd.muster.seal+json", "payload": "e30=", "signatures": []}"#.utf8).write(to: file)
        #expect(try broken().rule == .sealUnreadable)
        try FileManager.default.removeItem(at: file)
        try FileManager.default.createDirectory(at: file, withIntermediateDirectories: false)
        #expect(try broken().rule == .sealUnreadable)
    }

    @Test("a key that nobody trusts proves nothing")
    func untrusted() throws {
        try SealFile.write(sealOf("redis.rdb"), besides: artifact, signedBy: key)
        let none = try broken(trusted: [])
        #expect(none.rule == .sealUntrustedKey && none.hint.contains("seals: {trust:"))
        #expect(none.actual.contains(try key.publicKey().keyID))
        let other = try broken(trusted: [Ed25519PrivateKey.generate().publicKey()])
        #expect(other.rule == .sealUntrustedKey)
    }

    @Test("a later version is named as that")
    func version() throws {
        try SealFile.write(sealOf("redis.rdb", version: 99), besides: artifact, signedBy: key)
        let finding = try broken()
        #expect(finding.rule == .sealVersionUnknown && finding.actual == "version 99")
    }

    @Test("a seal of a whole cluster has a version of its own, which alone may hold one")
    func cluster() throws {
        let identity = PostgresIdentity(
            database: "shop", serverVersion: 150_018, systemIdentifier: "1", lsn: "0/0", encoding: "UTF8", collate: "C", ctype: "C",
            localeProvider: "libc", locale: nil, bootstrapSuperuser: "postgres", size: 7)
        let truth = PostgresTruth(
            identity: identity, tables: [], objects: [], sequences: [], largeObjects: LargeObjectFingerprint(count: 0, hash: "0"))
        let times = [1_790_000_000.123, 1_790_000_000.165].map(Date.init(timeIntervalSince1970:))
        let databases = times.map { ClusterTruth.Database(snapshotTime: $0, truth: truth) }
        let roles = [SchemaObject(kind: .role, name: "app", definition: "login")]
        var seal = sealOf("redis.rdb")
        seal.redis = nil
        seal.hold(ClusterTruth(databases: databases, roles: roles, omitted: ["closed"]))
        #expect(seal.version == 2 && seal.cluster?.skewSeconds == 0.042 && seal.identity?.size == 14)
        try SealFile.write(seal, besides: artifact, signedBy: key)
        #expect(SealFile.read(besides: artifact, trusted: [try key.publicKey()]) == .valid(seal))
        // An older Muster passes over fields that it doesn't know: it would compare nothing.
        seal.version = 1
        try SealFile.write(seal, besides: artifact, signedBy: key)
        #expect(try broken().rule == .sealUnreadable)
        try SealFile.write(sealOf("redis.rdb", version: 2), besides: artifact, signedBy: key)
        #expect(try broken().rule == .sealUnreadable)
    }

    @Test("a seal beside another artifact doesn't count for it")
    func otherArtifact() throws {
        let file = try SealFile.write(sealOf("redis.rdb"), besides: artifact, signedBy: key)
        let other = folder.url.appending(path: "older.rdb")
        try FileManager.default.moveItem(at: file, to: SealFile.location(besides: other))
        #expect(try broken(artifact: other).rule == .sealNamesOtherArtifact)
        #expect(throws: SealError.self) { try SealFile.write(sealOf("redis.rdb"), besides: other, signedBy: key) }
    }

    @Test("a seal that can't be written leaves nothing")
    func cannotWrite() throws {
        let nowhere = folder.url.appending(path: "no/redis.rdb")
        let error = #expect(throws: SealError.self) { try SealFile.write(sealOf("redis.rdb"), besides: nowhere, signedBy: key) }
        #expect(error?.kind == .cannotWrite(path: SealFile.location(besides: nowhere).path, code: ENOENT))
        try FileManager.default.createDirectory(at: SealFile.location(besides: artifact), withIntermediateDirectories: false)
        #expect(throws: SealError.self) { try SealFile.write(sealOf("redis.rdb"), besides: artifact, signedBy: key) }
        #expect(folder.names == ["redis.rdb.seal.json"])
    }
}
