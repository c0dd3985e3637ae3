// `muster sabotage` of a series: what it does to the regime is noticed under every kind of promise, and nothing else is found.

import BackupCatalog
import BackupPolicy
import DrillFiles
import DrillModel
import Foundation
import Testing

@testable import Sabotage

@Suite struct SeriesDamageTests {
    private static let zone = TimeZone(identifier: "Asia/Kolkata") ?? .gmt

    struct Regime: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var schedule: Schedule?
        var retention: Retention?
        /// Hours between two backups; 24 where nothing else is said.
        var every = 24.0
        var count = 12
        /// What a missed run breaks; nil: nothing that is promised.
        var missed: String?
        var kept: String?
    }

    private static let nightly = Schedule(interval: .day, at: TimeOfDay(hour: 2, minute: 0))

    static let regimes = [
        Regime(
            testDescription: "nightly, a week kept", schedule: nightly, retention: Retention([.daily: 7]), count: 7,
            missed: "backup-missing", kept: "retention-exceeded"),
        Regime(
            testDescription: "nightly, two kept", schedule: nightly, retention: Retention([.daily: 2]), count: 2,
            missed: "retention-missing", kept: "retention-exceeded"),
        Regime(
            testDescription: "nightly, one kept", schedule: nightly, retention: Retention([.daily: 1]), count: 2,
            missed: nil, kept: "retention-exceeded"),
        Regime(
            testDescription: "nightly, two kept and a third not yet removed", schedule: nightly, retention: Retention([.daily: 2]),
            count: 3, missed: "retention-missing", kept: "retention-exceeded"),
        Regime(testDescription: "nightly, all kept", schedule: nightly, missed: "backup-missing"),
        Regime(
            testDescription: "once a day, at any time", schedule: Schedule(interval: .day), retention: Retention([.daily: 10]), count: 10,
            missed: "backup-missing", kept: "retention-exceeded"),
        Regime(
            testDescription: "nightly, and one at noon that nobody promises", schedule: nightly, every: 12, missed: "backup-missing"),
        Regime(
            testDescription: "every six hours from 02:00", schedule: Schedule(interval: .span(.seconds(21_600)), at: nightly.at),
            retention: Retention([.daily: 2]), every: 6, count: 10, missed: "backup-missing", kept: "retention-exceeded"),
        Regime(
            testDescription: "no gap beyond six hours", schedule: Schedule(interval: .span(.seconds(21_600))), every: 6,
            missed: "gap-too-long"),
        Regime(
            testDescription: "every Sunday", schedule: Schedule(interval: .week(.sunday), at: nightly.at),
            retention: Retention([.weekly: 6]), every: 7 * 24, count: 6, missed: "backup-missing", kept: "retention-exceeded"),
        Regime(
            testDescription: "a retention alone", retention: Retention([.daily: 5]), count: 6, kept: "retention-exceeded"),
        Regime(testDescription: "a single one", schedule: nightly, count: 1),
        Regime(testDescription: "nothing promised"),
    ]

    /// A series that keeps its promises, up to Sunday, 2026-11-22 02:00.
    private func series(_ regime: Regime) throws -> DamagedSeries {
        let newest = try Date("2026-11-21T20:30:00Z", strategy: .iso8601)
        let set = BackupSet(
            name: "daily", service: "postgres", kind: .pgDump, stores: ["primary"], match: "*", schedule: regime.schedule,
            retention: regime.retention)
        let copies = (0..<regime.count).map { number in
            StoredCopy(
                RecoveryPoint(
                    service: "postgres", backup: "daily", store: "primary", zone: nil, path: "\(number).dump",
                    location: URL(fileURLWithPath: "/\(number)"), size: 1000,
                    time: newest.addingTimeInterval(-3600 * regime.every * Double(number)), timeSource: .seal, sealState: .missing))
        }
        let now = newest.addingTimeInterval(86_400)
        return DamagedSeries(
            BackupSeries(set: set, seals: SealPolicy(), stores: [], timeZone: Self.zone, now: now, clock: now, copies: copies))
    }

    @Test(arguments: regimes) func isCaught(_ regime: Regime) throws {
        let series = try series(regime)
        let control = try #require(series.judge(nil)).cases.flatMap(\.findings).filter { $0.severity == .critical }
        #expect(control.isEmpty)
        for (name, rule) in [("missed-run", regime.missed), ("kept-too-long", regime.kept)] {
            let damage = try #require(Damage.all.first { $0.name == name })
            let judged = series.judge(damage)
            #expect((judged == nil) == (rule == nil), "\(name)")
            guard let judged, let rule else { continue }
            let (verdict, explanation) = SabotageSession.judge(series: judged.cases, harm: judged.harm)
            #expect(verdict == .passed && explanation.hasPrefix("caught: \(rule) "), "\(name): \(explanation)")
        }
    }

    /// What breaks its promises as it is can't be put to the proof, and is told apart from a check that misses its damage.
    @Test func whatIsRedAsItIs() throws {
        var series = try series(Self.regimes[0])
        series.series.moments.remove(at: 3)
        let judged = try #require(series.judge(nil))
        let (verdict, explanation) = SabotageSession.judge(series: judged.cases, harm: nil)
        #expect(verdict == .skipped && explanation.contains("backup-missing"), "\(explanation)")
        // A check that doesn't notice is one that failed.
        let missed = SabotageSession.judge(series: [], harm: Harm(Rule("backup-missing"), object: ""))
        #expect(missed.0 == .failed && missed.1.hasPrefix("missed: "), "\(missed.1)")
    }

    /// Of the lab's own series, as its stores hold them.
    @Test(arguments: [("postgres", "daily"), ("redis", "rdb")]) func ofTheLab(service: String, name: String) async throws {
        let lab = try await InspectedLab()
        let estate = try DrillFiles.loadEstate(lab.folder.appending(path: "estate.yaml").path)
        let set = try #require(estate.services[service]?.backups[name])
        let series = try await DamagedSeries(of: set, in: estate, stores: RemoteStores(estate, host: nil))
        #expect(try #require(series.judge(nil)).cases.flatMap(\.findings).filter { $0.severity == .critical }.isEmpty)
        for damage in Damage.all where ["missed-run", "kept-too-long"].contains(damage.name) {
            let judged = try #require(series.judge(damage))
            #expect(SabotageSession.judge(series: judged.cases, harm: judged.harm).0 == .passed, "\(damage.name)")
        }
    }
}
