// Runs, estates and channels to tell of.

import DrillModel
import Foundation

@testable import Notifications

enum Fixtures {
    static let start = Date(timeIntervalSince1970: 1_773_455_400)

    static func estate(_ name: String = "shop", _ channels: [NotifyChannel] = []) -> Estate {
        var estate = Estate(
            name: name, timeZone: .gmt, stores: [:], keys: [:], services: [:], seals: SealPolicy(),
            file: URL(fileURLWithPath: "/estates/\(name).yaml"))
        estate.notify = channels
        return estate
    }

    static func channel(
        _ name: String, _ way: NotifyChannel.Way, on occasions: Set<NotifyChannel.Occasion> = Set(NotifyChannel.Occasion.allCases)
    ) -> NotifyChannel {
        NotifyChannel(name: name, way: way, occasions: occasions, folder: URL(fileURLWithPath: "/", isDirectory: true))
    }

    static func finding(_ rule: String, _ object: String = "public.domains", _ severity: Finding.Severity = .critical) -> Finding {
        Finding(
            Rule(rule), severity, object: object, expected: "row-value-1", actual: "row-value-2", message: "it is not as sealed",
            hint: "look at it")
    }

    /// A drill with these cases; nil as verdict: it was cut off.
    static func drill(
        _ name: String, of estate: Estate, _ verdict: Verdict?, kind: DrillInfo.Kind = .drill, cases: [CaseResult] = [],
        objectives: Objectives? = nil, started: Date = start
    ) -> DrillReport {
        var drill = DrillReport(
            info: DrillInfo(
                kind: kind, name: name, estate: estate.name, estateFile: estate.file.path, scenario: .databaseCorruption,
                profile: .production, disaster: start, timeZone: .gmt), started: started)
        drill.cases = cases
        drill.outcome = verdict.map {
            DrillOutcome(verdict: $0, duration: .seconds(2), steps: [], objectives: objectives, unproven: [])
        }
        return drill
    }

    static func red(_ rules: String..., verdict: Verdict = .failed) -> CaseResult {
        CaseResult(.rows, service: "postgres", name: "public.domains", verdict: verdict, findings: rules.map { finding($0) })
    }

    static func run(_ drills: [DrillReport], _ verdict: Verdict?) -> RunReport {
        var report = RunReport()
        report.info = RunInfo(musterVersion: "0.1.0", host: "backup-1", runID: "run-20260314T023000Z-0a1b", drills: drills.count)
        report.started = start
        report.finished = verdict.map { _ in start + 2 }
        report.drills = drills
        report.verdict = verdict
        return report
    }

    static let objectives = Objectives(
        rto: RecoveryTime(measured: .seconds(800), allowances: [], target: .seconds(14_400), profile: .production, accepting: [:]),
        rpo: [
            RecoveryPointAge(
                service: "postgres", disaster: start, recovered: start - 25_200, source: nil, worstCase: nil, target: .seconds(21_600))
        ], skew: nil)
}

/// A folder of its own.
func withFolder<Value>(_ body: (URL) async throws -> Value) async throws -> Value {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("mnotify-\(UUID().uuidString)", isDirectory: true)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try await body(folder)
}
