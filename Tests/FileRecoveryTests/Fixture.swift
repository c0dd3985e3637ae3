// A store, a scratch host and recovery points for these tests; files are made by the standard tools, not by ourselves.

import Cryptography
import DrillModel
import FileRecovery
import Foundation
import Glibc
import ScratchHost
import Seals
import Testing

/// A store in a folder that goes away with the test, and a retriever's surroundings.
struct Fixture: Sendable {
    let host: ScratchHost
    let store: URL
    let target: URL
    static let passphrase = "correct horse"

    /// - Parameter root: Where the scratch folder is made; the store always lies elsewhere.
    static func with(root: URL? = nil, _ body: (Fixture) async throws -> Void) async throws {
        // As muster itself does: a program that ends before its input does must not end us.
        signal(SIGPIPE, SIG_IGN)
        let store = URL(fileURLWithPath: "/tmp/mt-store-\(UUID().uuidString)", isDirectory: true)
        try FileManager.default.createDirectory(at: store, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: store) }
        let host = try await ScratchHost.prepare(in: ScratchRoot(root), purpose: "file-recovery")
        do {
            try await body(Fixture(host: host, store: store, target: try host.folder.privateFolder("f")))
            try await host.remove()
        } catch {
            try? await host.remove()
            throw error
        }
    }

    /// Puts bytes into the store.
    @discardableResult
    func file(_ name: String, _ bytes: [UInt8]) throws -> URL {
        let file = store.appendingPathComponent(name)
        try Data(bytes).write(to: file)
        return file
    }

    /// Runs a shell command in the store, as whoever runs the tests.
    func shell(_ command: String) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-ec", command]
        process.currentDirectoryURL = store
        process.environment = ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin", "PASS": Self.passphrase]
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "\(command) failed")
    }

    func encrypt(_ name: String, as target: String) throws {
        try shell("openssl enc -aes-256-cbc -pbkdf2 -salt -pass env:PASS -in '\(name)' -out '\(target)'")
    }

    static let key = ArtifactStream.Encryption(passphrase: Secret(passphrase))

    func point(_ name: String, seal: Bool = false, globals: String? = nil) async throws -> RecoveryPoint {
        let location = store.appendingPathComponent(name)
        var state = RecoveryPoint.SealState.missing
        if seal {
            state = .valid(
                Seal(
                    estate: "e", service: "s", backup: "b", truth: .source, snapshotTime: Date(), backupSeconds: 1,
                    artifact: try await Seal.Artifact.measuring(location)))
        }
        var info = stat()
        stat(location.path, &info)
        return RecoveryPoint(
            service: "s", backup: "b", store: "primary", zone: nil, path: name, location: location,
            globals: globals.map(store.appendingPathComponent), size: Int64(info.st_size), time: Date(), timeSource: .seal, sealState: state
        )
    }

    func retrieve(_ point: RecoveryPoint, key: ArtifactStream.Encryption? = nil) async throws -> RetrievedArtifact {
        try await ArtifactRetriever(host: host, decryption: key).retrieve(point, into: target) { _ in }
    }

    /// What a retrieval that must not succeed said.
    func failure(of point: RecoveryPoint, key: ArtifactStream.Encryption? = nil) async -> DrillFailure? {
        do {
            _ = try await retrieve(point, key: key)
            return nil
        } catch {
            return error as? DrillFailure
        }
    }

    var left: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: target.path)) ?? []).sorted() }
}

/// A dump script of so many bytes, which every layer can be put around.
func script(_ count: Int = 2000, seed: UInt64 = 1) -> [UInt8] {
    var state = seed
    let noise = (0..<count).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return UInt8(97 + (state >> 33) % 26)
    }
    return Array("--\n-- PostgreSQL database dump\n--\n\n".utf8) + noise
}

/// The same, where a test's own argument is called so.
func dumpScript(_ count: Int = 2000) -> [UInt8] { script(count) }
