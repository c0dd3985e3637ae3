// A lab that was just made keeps what its estate promises, whatever the time of day.

import DrillEngine
import DrillFiles
import DrillModel
import BackupCatalog
import Foundation
import Lab
import ScratchHost
import TestSupport
import Testing

@testable import Inspection

@Suite(.enabled(if: TestMachine.hasPostgres && TestMachine.hasRedis, "needs postgres and redis-server"), .serialized)
struct FreshLabTests {
    /// By the clock in India: around the nights' backups, the six-hourly ones, and midnight. LabCalendarTests ask for more of them.
    @Test(arguments: ["02:00:10", "02:29:50", "07:50:00", "23:59:00"])
    func isGreen(time: String) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "fresh-lab-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let now = try Date("2026-11-10T\(time)+05:30", strategy: .iso8601)
        let lab = try await Lab.create(LabOptions(folder: folder, days: 3, rows: 40, now: now))
        // What is of the real clock lies in this one's future, and promises no schedule.
        var lines = try String(contentsOf: lab.estateFile, encoding: .utf8).components(separatedBy: "\n")
        for set in ["base", "repository"] {
            guard let start = lines.firstIndex(of: "      \(set):") else { continue }
            let end = lines[(start + 1)...].firstIndex { !$0.hasPrefix("       ") } ?? lines.endIndex
            lines.removeSubrange(start..<end)
        }
        try Data(lines.joined(separator: "\n").utf8).write(to: lab.estateFile)
        // At once, and when it has been looked at for a while.
        for minutes in [0, 1, 20.0] {
            let findings = try await inspect(lab.estateFile, at: now.addingTimeInterval(minutes * 60))
            #expect(findings.isEmpty, "\(findings)")
        }
        // A job that has stopped is noticed.
        let stopped = try await inspect(lab.estateFile, at: now.addingTimeInterval(8 * 3600))
        #expect(stopped.contains { $0.rule.name == "backup-missing" && $0.object.contains("six-hourly") }, "\(stopped)")
    }

    private func inspect(_ file: URL, at now: Date) async throws -> [Finding] {
        let estate = try DrillFiles.loadEstate(file.path)
        let hub = EventHub()
        _ = try await EstateInspection(estate: estate, now: now, deep: nil, stores: RemoteStores(estate, host: nil)).run(hub: hub)
        hub.finish()
        var findings: [Finding] = []
        for await event in hub.events {
            if case .caseFinished(let result) = event.kind { findings += result.findings.filter { $0.severity == .critical } }
        }
        return findings
    }
}
