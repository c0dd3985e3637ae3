// One lab for all tests, a copy of it for each, and an inspection of that copy in this process.

import Cryptography
import BackupCatalog
import DrillEngine
import DrillFiles
import DrillModel
import Foundation
import Lab
import ScratchHost
import Seals
import TestSupport
import Testing

@testable import Inspection

/// A lab that was made once, and stays as it is.
enum SharedLab {
    static let made = Task {
        // No test is the last one for sure.
        atexit { try? FileManager.default.removeItem(at: SharedLab.folder) }
        return try await Lab.create(LabOptions(folder: folder, days: 6, rows: 60))
    }
    private static let folder = FileManager.default.temporaryDirectory.appending(path: "inspected-lab-\(UUID().uuidString)")
}

/// A copy of its backups, keys and estate file that a test may spoil.
final class InspectedLab: Sendable {
    let folder: URL
    let newest: Date
    /// By night, oldest first; paths below a store.
    let dumps: [String]
    let snapshots: [String]
    let monthlies: [String]
    let nights: [Date]

    static let stores = ["primary", "dr"]

    init() async throws {
        let lab = try await SharedLab.made.value
        folder = FileManager.default.temporaryDirectory.appending(path: "inspected-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for name in ["backups", "keys", "app", "estate.yaml"] {
            let copied = try await ToolRunner.spawn(
                ["cp", "-a", lab.folder.appending(path: name).path, folder.path], environment: [:], output: .discard, errors: .discard)
            try #require(copied.succeeded)
        }
        // The base backups are of the real clock, and these tests look at the lab from a moment of its simulated one.
        let file = folder.appending(path: "estate.yaml")
        var lines = try String(contentsOf: file, encoding: .utf8).components(separatedBy: "\n")
        // Those between the nights are judged by FreshLabTests: most of these tests are of the nights alone.
        for set in ["base", "repository", "six-hourly"] {
            guard let start = lines.firstIndex(of: "      \(set):") else { continue }
            let end = lines[(start + 1)...].firstIndex { !$0.hasPrefix("       ") } ?? lines.endIndex
            lines.removeSubrange(start..<end)
        }
        try Data(lines.joined(separator: "\n").utf8).write(to: file)
        newest = lab.newest
        nights = (1...6).map { lab.newest.addingTimeInterval(Double($0 - 6) * 86_400) }
        let root = lab.folder.resolvingSymlinksInPath().appending(path: "backups/primary").path + "/"
        func relative(_ files: [URL]) -> [String] {
            files.map { $0.resolvingSymlinksInPath().path.replacingOccurrences(of: root, with: "") }
        }
        dumps = relative(lab.dumps)
        snapshots = relative(lab.snapshots)
        monthlies = relative(lab.monthlies)
    }

    deinit {
        try? FileManager.default.removeItem(at: folder)
    }

    func url(_ path: String, in store: String) -> URL { folder.appending(path: "backups/\(store)/\(path)") }

    private func seal(of path: String, in store: String) -> URL { SealFile.location(besides: url(path, in: store)) }

    private var signing: Ed25519PrivateKey {
        get throws {
            try Ed25519PrivateKey(pem: Secret(Array(Data(contentsOf: folder.appending(path: "keys/seal.key")))))
        }
    }

    var encryption: ArtifactStream.Encryption {
        get throws {
            let text = try String(contentsOf: folder.appending(path: "keys/backup.key"), encoding: .utf8)
            return ArtifactStream.Encryption(passphrase: Secret(text.trimmingCharacters(in: .newlines)))
        }
    }

    /// Removes an artifact with its seal and its globals.
    func remove(_ path: String, from stores: [String] = InspectedLab.stores) throws {
        for store in stores {
            let stem = String(url(path, in: store).lastPathComponent.prefix { $0 != "." })
            let parent = url(path, in: store).deletingLastPathComponent()
            for name in try FileManager.default.contentsOfDirectory(atPath: parent.path) where name.hasPrefix(stem) {
                try FileManager.default.removeItem(at: parent.appending(path: name))
            }
        }
    }

    /// Seals an artifact anew in both stores, as it lies there, for another instant or another content.
    func reseal(_ path: String, as target: String? = nil, at instant: Date? = nil) async throws {
        let target = target ?? path
        for store in Self.stores {
            guard var seal = SealFile.read(besides: url(path, in: store), trusted: [try signing.publicKey()]).seal else {
                throw CocoaError(.fileReadCorruptFile)
            }
            if target != path {
                try FileManager.default.copyItem(at: url(path, in: store), to: url(target, in: store))
                let globals = (path, target)
                func globalsName(_ path: String) -> String { path.replacingOccurrences(of: ".dump.enc", with: ".globals.sql.enc") }
                try FileManager.default.copyItem(
                    at: url(globalsName(globals.0), in: store), to: url(globalsName(globals.1), in: store))
            }
            seal.artifact = try await Seal.Artifact.measuring(url(target, in: store))
            if let instant { seal.snapshotTime = instant }
            try SealFile.write(seal, besides: url(target, in: store), signedBy: signing)
        }
    }

    /// Puts other bytes into a file in its place.
    func change(_ path: String, in store: String, _ body: (inout [UInt8]) -> Void) throws {
        var bytes = [UInt8](try Data(contentsOf: url(path, in: store)))
        body(&bytes)
        try Data(bytes).write(to: url(path, in: store))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: url(path, in: store).path)
    }

    /// The artifact as it was before it was encrypted.
    func plain(_ path: String) async throws -> [UInt8] {
        let target = folder.appending(path: "plain")
        _ = try await ArtifactStream.copy(from: url(path, in: "primary"), to: target, decrypting: encryption)
        defer { try? FileManager.default.removeItem(at: target) }
        return [UInt8](try Data(contentsOf: target))
    }

    /// Encrypts bytes in an artifact's place, in both stores with the same salt.
    func replace(_ path: String, with plain: [UInt8]) async throws {
        let source = folder.appending(path: "plain")
        try Data(plain).write(to: source)
        defer { try? FileManager.default.removeItem(at: source) }
        _ = try await ArtifactStream.encrypt(from: source, to: url(path, in: "primary"), encryption: encryption)
        try FileManager.default.removeItem(at: url(path, in: "dr"))
        try FileManager.default.copyItem(at: url(path, in: "primary"), to: url(path, in: "dr"))
    }

    /// All that an inspection says.
    func inspect(deep: Bool = false, after hours: Double = 5) async throws -> (
        verdict: Verdict, cases: [CaseResult], outcome: DrillOutcome?
    ) {
        let estate = try DrillFiles.loadEstate(folder.appending(path: "estate.yaml").path)
        let hub = EventHub()
        let root = ScratchRoot(URL(fileURLWithPath: "/tmp/insp-\(UInt32.random(in: 0 ... .max))"))
        defer { try? FileManager.default.removeItem(at: root.folder) }
        let verdict = try await EstateInspection(
            estate: estate, now: newest.addingTimeInterval(hours * 3600), deep: deep ? root : nil, stores: RemoteStores(estate, host: nil)
        )
        .run(hub: hub)
        hub.finish()
        var cases: [CaseResult] = []
        var outcome: DrillOutcome?
        for await event in hub.events {
            if case .caseFinished(var result) = event.kind {
                // What the machine's own PostgreSQL is known to damage, by its release.
                result.findings.removeAll { $0.rule == .knownServerBug }
                cases.append(result)
            }
            if case .drillFinished(let ended) = event.kind { outcome = ended }
        }
        return (verdict, cases, outcome)
    }

    /// The findings of an inspection.
    func findings(deep: Bool = false, after hours: Double = 5) async throws -> [Finding] {
        try await inspect(deep: deep, after: hours).cases.flatMap(\.findings)
    }

    /// `2026-11-03`, in India.
    static func day(_ date: Date) -> String {
        String(date.addingTimeInterval(5.5 * 3600).formatted(.iso8601).prefix(10))
    }
}
