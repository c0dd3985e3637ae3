// Series of what is no backup: no row of an inspection counts it, and nothing that matches is passed over in silence.

import DrillEngine
import DrillFiles
import DrillModel
import Foundation
import Glibc
import BackupCatalog
import Testing

@testable import Inspection

@Suite struct NoBackupTests {
    private static let script = Array("--\n-- PostgreSQL database dump\n--\n-- PostgreSQL database dump complete\n".utf8)
    private static let emptyGzip: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0]

    /// An estate of one plain series, a file for each night from the 18th to the 27th at 02:00, judged at 05:00.
    private func inspect(
        _ nights: [Int: [UInt8]], now: Date? = nil, _ spoil: (URL) throws -> Void = { _ in }
    ) async throws -> [CaseResult] {
        let folder = FileManager.default.temporaryDirectory.appending(path: "nobackup-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let store = folder.appending(path: "store")
        try FileManager.default.createDirectory(at: store, withIntermediateDirectories: true)
        let estate = """
            version: 1
            estate: shop
            stores: {st: {type: file, path: store}}
            services:
              postgres:
                engine: postgres
                rpo-worst-case: 26h
                backups:
                  daily:
                    kind: pg_dump
                    store: st
                    match: "*.dump"
                    encryption: none
                    schedule: {every: day, at: "02:00", tolerance: 30m}
                    retention: {daily: \(nights.count)}
            """
        try Data(estate.utf8).write(to: folder.appending(path: "estate.yaml"))
        let first = try Date("2024-11-01T02:00:00Z", strategy: .iso8601)
        for (night, bytes) in nights {
            let file = store.appending(path: "shop-\(night).dump")
            try Data(bytes).write(to: file)
            let time = first.addingTimeInterval(Double(night - 1) * 86_400)
            try FileManager.default.setAttributes([.modificationDate: time, .posixPermissions: 0o600], ofItemAtPath: file.path)
        }
        try spoil(store)
        let hub = EventHub()
        let read = try DrillFiles.loadEstate(folder.appending(path: "estate.yaml").path)
        let now = now ?? first.addingTimeInterval(26 * 86_400 + 3 * 3600)
        _ = try await EstateInspection(estate: read, now: now, deep: nil, stores: RemoteStores(read, host: nil)).run(hub: hub)
        hub.finish()
        var cases: [CaseResult] = []
        for await event in hub.events {
            if case .caseFinished(let result) = event.kind { cases.append(result) }
        }
        return cases
    }

    private func red(_ cases: [CaseResult]) -> [String] {
        cases.flatMap(\.findings).filter { $0.severity == .critical }.map(\.rule.name)
    }

    @Test func aSoundSeriesIsGreen() async throws {
        let cases = try await inspect(Dictionary(uniqueKeysWithValues: (18...27).map { ($0, Self.script) }))
        #expect(red(cases).isEmpty && !cases.contains { $0.verdict == .error }, "\(cases.flatMap(\.findings))")
        #expect(cases.contains { $0.name == "daily: every artifact looks like its kind" && $0.verdict == .passed })
    }

    @Test(arguments: [
        ([], "artifact-empty"), (emptyGzip, "artifact-empty"),
        (Array("pg_dump: error: connection to server on socket failed\n".utf8), "artifact-unknown-kind"),
    ])
    func tenNightsOfNothing(_ bytes: [UInt8], _ rule: String) async throws {
        for count in [1, 3, 10] {
            let cases = try await inspect(Dictionary(uniqueKeysWithValues: (28 - count...27).map { ($0, bytes) }))
            #expect(red(cases).filter { $0 == rule }.count == count, "\(red(cases))")
            for promise in ["made every day", "kept", "sizes", "worst case", "gone"] {
                #expect(!cases.contains { $0.name.contains(promise) && $0.verdict == .passed }, "\(promise) of \(count)")
            }
        }
    }

    @Test func oneNightOfNothing() async throws {
        var nights = Dictionary(uniqueKeysWithValues: (24...27).map { ($0, Self.script) })
        nights[26] = []
        let cases = try await inspect(nights)
        #expect(red(cases) == ["artifact-empty", "backup-missing", "rpo-worst-case-missed"])
        let kept = try #require(cases.first { $0.name == "daily: 4 daily backups kept" })
        #expect(kept.verdict == .skipped && kept.reason.hasPrefix("3 of 4 are there"))
    }

    /// A link that leads to itself, a pipe, a device, and a name that is no text.
    @Test func whatCannotBeOpenedIsNamed() async throws {
        // These are as old as the test is.
        let cases = try await inspect([27: Self.script], now: Date()) { store in
            let path = store.path
            try #require(symlink("loop.dump", "\(path)/loop.dump") == 0 && symlink("/dev/zero", "\(path)/zero.dump") == 0)
            try #require(symlink("gone", "\(path)/gone.dump") == 0 && mkfifo("\(path)/pipe.dump", 0o600) == 0)
            let name =
                "\(path)/bad".utf8.map { CChar(bitPattern: $0) } + [CChar(bitPattern: 0xff)] + ".dump".utf8.map { CChar(bitPattern: $0) }
            let descriptor = open(name + [0], O_CREAT | O_WRONLY, 0o600)
            try #require(descriptor >= 0)
            close(descriptor)
        }
        let findings = cases.flatMap(\.findings)
        for name in ["loop", "zero", "gone", "pipe"] {
            let told = findings.filter { $0.object.contains("\(name).dump") }
            #expect(
                told.contains { $0.rule.name == "artifact-unreadable" && $0.severity == .critical }, "\(name)")
        }
        #expect(findings.contains { $0.rule.name == "name-unusable" && $0.object == "st:bad\\xff.dump" && $0.severity == .critical })
    }
}
