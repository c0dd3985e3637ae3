// The shipped DomainScope estate: every promise of its plan is a row, and the page that maps them is right.

import BackupCatalog
import DrillEngine
import DrillFiles
import DrillModel
import Foundation
import Testing

@testable import Inspection

@Suite struct DomainScopeTests {
    private let checkout = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private func row(_ line: Substring) -> (name: String, service: String)? {
        let cells = line.split(separator: "|", omittingEmptySubsequences: false).map { $0.trimmingCharacters(in: .whitespaces) }
        guard cells.count == 6, cells[1].hasPrefix("1."), let name = cells[3].split(separator: "`").first else { return nil }
        return (String(name), cells[4])
    }

    @Test func theDrillsLoad() throws {
        let drills = try DrillFiles.load([checkout.appending(path: "drills/domainscope").path])
        #expect(drills.map(\.name) == ["daily-dump", "data-center-outage", "database-corruption", "redis-loss", "server-failure"])
    }

    /// Whatever lies in the stores: an artifact that is none still makes each promise a row.
    @Test func everyPromiseIsARow() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "domainscope-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let shipped = try String(contentsOf: checkout.appending(path: "drills/domainscope/estate.yaml"), encoding: .utf8)
        let text = shipped.replacing("/backups/domainscope", with: "ksdc").replacing("/mnt/dr/domainscope", with: "dr")
            .replacing("/etc/muster/seal.pub", with: "seal.pub")
        let now = Date()
        for store in ["ksdc", "dr"] {
            for (path, name) in [
                ("postgres/daily", "a.dump.enc"), ("postgres/six-hourly", "a.dump.enc"), ("redis/rdb", "a.rdb.enc"),
                ("redis/aof", "a.tar.enc"), ("configuration", "a.env.enc"), ("code", "a.bundle.enc"),
            ] {
                let place = folder.appending(path: "\(store)/\(path)")
                try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
                for age in 0..<5 {
                    let file = place.appending(path: "\(age)\(name)")
                    try Data("not encrypted".utf8).write(to: file)
                    try FileManager.default.setAttributes(
                        [.modificationDate: now.addingTimeInterval(-86_400 * Double(age + 1))], ofItemAtPath: file.path)
                }
            }
        }
        try Data(text.utf8).write(to: folder.appending(path: "estate.yaml"))
        // The public half of a pair that nobody holds.
        let pem = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n"
        try Data(pem.utf8).write(to: folder.appending(path: "seal.pub"))
        let estate = try DrillFiles.loadEstate(folder.appending(path: "estate.yaml").path)
        let hub = EventHub()
        let verdict = try await EstateInspection(estate: estate, now: now, deep: nil, stores: RemoteStores(estate, host: nil)).run(hub: hub)
        hub.finish()
        var rows: Set<String> = []
        for await event in hub.events {
            if case .caseFinished(let result) = event.kind { rows.insert("\(result.service ?? "") \(result.name)") }
        }
        #expect(verdict == .failed)
        let page = try String(contentsOf: checkout.appending(path: "docs/domainscope.md"), encoding: .utf8)
        let promised = page.split(separator: "\n").compactMap(row)
        #expect(promised.count == 17)
        for (name, service) in promised { #expect(rows.contains("\(service) \(name)"), "\(service) \(name)") }
    }

    @Test func whatIsAskedByHandIsSkippedAndNotProven() async throws {
        let file = URL(fileURLWithPath: "/nowhere/estate.yaml")
        let estate = Estate(
            name: "e", timeZone: .gmt, stores: [:], keys: [:], services: [:], seals: SealPolicy(),
            byHand: ["code-in-git": "look at the mirror"], file: file)
        let hub = EventHub()
        let verdict = try await EstateInspection(estate: estate, now: Date(), deep: nil, stores: RemoteStores(estate, host: nil)).run(
            hub: hub)
        hub.finish()
        var skipped: [String] = []
        var unproven: [String] = []
        for await event in hub.events {
            if case .caseFinished(let result) = event.kind, result.verdict == .skipped { skipped.append(result.name) }
            if case .drillFinished(let outcome) = event.kind { unproven = outcome.unproven }
        }
        #expect(skipped.contains("code-in-git"))
        #expect(unproven.contains { $0.contains("look at the mirror") })
        #expect(verdict == .error, "nothing but skipped questions proves nothing")
    }
}
