// A recovery target at the very moment, or the very position, that a base backup ended at.

import BackupCatalog
import DrillModel
import Foundation
import Testing

@testable import BackupAccess
@testable import Drills

@Suite struct TargetBorderTests {
    private let ended = Date(timeIntervalSince1970: 1_795_395_087)

    /// One repository's backup; a base backup's own end stands in its manifest, which isn't there.
    private func fits(
        _ goal: RecoveryTarget.Goal, source: RecoveryPoint.TimeSource = .pgBackRestInfo, incident: Date = .distantFuture
    ) async throws -> TargetedPoints.Choice? {
        let folder = FileManager.default.temporaryDirectory.appending(path: "target-\(UUID().uuidString)")
        let set = BackupSet(name: "repository", service: "db", kind: .pgBackRest, stores: ["one"], match: "repository")
        let estate = Estate(
            name: "e", timeZone: .gmt, stores: ["one": Store(name: "one", location: .folder(folder), zone: nil)], keys: [:], services: [:],
            seals: SealPolicy(), file: folder)
        var point = RecoveryPoint(
            service: "db", backup: set.name, store: "one", zone: nil, path: "repository", location: folder, size: 1, time: ended,
            timeSource: source, sealState: .missing)
        point.end = 0x300_0100
        let backups = ServiceBackups(estate: estate, set: set, stores: RemoteStores(estate, host: nil))
        let counted = try #require(point.counted(by: incident))
        do {
            return try await TargetedPoints(source: backups, target: RecoveryTarget(goal)).choose([counted])
        } catch {
            #expect(error.finding.rule.name == "recovery-target-before-backup")
            return nil
        }
    }

    @Test func aMoment() async throws {
        #expect(try await fits(.time(ended))?.isProven == true)
        #expect(try await fits(.time(ended.addingTimeInterval(-1))) == nil)
        // What is known of its time lies before its end.
        #expect(try await fits(.time(ended), source: .name)?.isProven == false)
        #expect(try await fits(.time(ended.addingTimeInterval(-1)), source: .name) == nil)
    }

    /// It may have ended at the very end of the incident's second, behind a target that lies in that second too.
    @Test func aMomentInTheIncidentsSecond() async throws {
        let incident = ended.addingTimeInterval(-1)
        #expect(try await fits(.time(incident.addingTimeInterval(0.244)), incident: incident) == nil)
        #expect(try await fits(.time(ended), incident: incident)?.isProven == true)
    }

    @Test func aPosition() async throws {
        #expect(try await fits(.lsn(0x300_0100)) != nil)
        #expect(try await fits(.lsn(0x300_00ff)) == nil)
    }
}
