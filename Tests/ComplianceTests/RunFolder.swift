// A folder of runs as muster writes them, at the times that a test wants.

import Cryptography
import DrillModel
import Foundation
import Reports
import Testing

@testable import Compliance
@testable import Evidence

/// Removed with the test.
final class RunFolder: Sendable {
    let folder: URL
    let zone: TimeZone
    let estate: Estate

    /// - Parameter hasLedger: Each run is recorded as it is made.
    init(zone: String = "Asia/Kolkata", hasLedger: Bool = false) throws {
        folder = FileManager.default.temporaryDirectory.appending(
            path: "muster-compliance-\(UUID().uuidString)", directoryHint: .isDirectory)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        self.zone = try #require(TimeZone(identifier: zone))
        let backup = BackupSet(
            name: "daily", service: "postgres", kind: .pgDump, stores: [], match: "*", schedule: Schedule(interval: .day))
        var estate = Estate(
            name: "shop", timeZone: self.zone, stores: [:], keys: [:],
            services: ["postgres": Service(name: "postgres", engine: .postgres, source: nil, backups: ["daily": backup])],
            seals: SealPolicy(), file: URL(fileURLWithPath: "/srv/shop/estate.yaml"))
        if hasLedger {
            let keys = folder.appending(path: "keys", directoryHint: .isDirectory)
            try FileManager.default.createDirectory(at: keys, withIntermediateDirectories: true)
            estate.file = keys.appending(path: "estate.yaml")
            let key = try Ed25519PrivateKey.generate()
            try key.pem().withBytes { try Data($0).write(to: keys.appending(path: "evidence.key")) }
            try Data(key.publicKey().pem().utf8).write(to: keys.appending(path: "evidence.pub"))
            try Data("version: 1\n".utf8).write(to: estate.file)
            estate.evidence = EvidencePolicy(
                signingKey: .file(keys.appending(path: "evidence.key")), trustedKeys: [keys.appending(path: "evidence.pub")])
        }
        self.estate = estate
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    static func time(_ text: String) throws -> Date { try Date(text, strategy: .iso8601) }

    func plan(_ name: String, _ cadence: Cadence? = Cadence(.quarterly), formerly: [String] = []) -> DrillPlan {
        var plan = DrillPlan(
            name: name, scenario: .databaseCorruption, estate: estate, targets: Targets(rto: .seconds(14_400)), recover: [],
            file: URL(fileURLWithPath: "/srv/shop/\(name).yaml"))
        plan.cadence = cadence
        plan.formerNames = formerly
        return plan
    }

    /// A run of one drill, which ends as its cases say.
    ///
    /// - Parameter drill: nil: an inspection.
    @discardableResult
    func run(
        _ drill: String?, at text: String, _ cases: [CaseResult] = [.judged(.rows, service: "postgres", name: "public.t", findings: [])],
        profile: Profile = .production, seconds: Int = 60, facts: [Fact] = [], isCutOff: Bool = false, estate name: String = "shop",
        standIn: String? = nil, asOf: String? = nil, isRecorded: Bool = true,
        recordedAt: String? = nil, layout: Int? = nil, entryOf other: URL? = nil
    ) throws -> String {
        let start = try Self.time(text)
        let stamp = text.replacing("-", with: "").replacing(":", with: "")
        let run = "run-\(stamp)-\(String(UInt16.random(in: 0x1000 ... .max), radix: 16))"
        let verdict = Verdict.combined(cases.map(\.verdict))
        let rto = RecoveryTime(
            measured: .seconds(seconds), allowances: [], target: .seconds(14_400), profile: profile, accepting: [:])
        var events: [Event.Kind] = [
            .runStarted(RunInfo(musterVersion: "0.1.0", host: "drill-host", runID: run, drills: 1)),
            .drillStarted(
                DrillInfo(
                    kind: drill == nil ? .inspection : .drill, name: drill ?? "inspection of \(name)", estate: name,
                    estateFile: standIn ?? other?.path ?? estate.file.path,
                    namedEstateFile: (standIn ?? other?.path).map { _ in estate.file.path }, scenario: .databaseCorruption,
                    profile: profile,
                    disaster: try asOf.map(Self.time) ?? start,
                    timeZone: zone)),
        ]
        events += cases.map { .caseFinished($0) } + facts.map { .fact($0) }
        if !isCutOff {
            events.append(
                .drillFinished(
                    DrillOutcome(
                        verdict: verdict, duration: .seconds(seconds), steps: [],
                        objectives: drill == nil ? nil : Objectives(rto: rto, rpo: [], skew: nil), unproven: [])))
            events.append(.runFinished(verdict))
        }
        var report = RunReport()
        for kind in events { report.apply(Event(time: start, elapsed: .seconds(1), kind: kind)) }
        let place = folder.appending(path: run, directoryHint: .isDirectory)
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        try JSONReport.render(report).write(to: place.appending(path: "report.json"))
        if let layout {
            let file = place.appending(path: "report.json")
            let text = try String(contentsOf: file, encoding: .utf8)
            try Data(text.replacing("\"schemaVersion\" : 1", with: "\"schemaVersion\" : \(layout)").utf8).write(to: file)
        }
        var recorded = estate
        if let other { recorded.file = other }
        if isRecorded, let evidence = try RunEvidence([(recorded, nil)]) {
            _ = try evidence.append(report, in: place, to: Ledger(folder: folder), at: recordedAt.map(Self.time))
        }
        return run
    }

    func report(
        _ period: CalendarPeriod, _ plans: [DrillPlan], now: String, actions: ActionPlan = ActionPlan()
    ) async throws -> ComplianceReport {
        try await ComplianceCollector(
            estate: estate, plans: plans, unreadablePlans: [], history: RunHistory(folder: folder), actions: actions, period: period,
            now: try Self.time(now), musterVersion: "0.1.0"
        ).report()
    }

    func quarter(
        _ text: String, _ plans: [DrillPlan], now: String, actions: ActionPlan = ActionPlan()
    ) async throws -> ComplianceReport {
        try await report(try #require(CalendarPeriod(quarter: text)), plans, now: now, actions: actions)
    }
}

/// A red case, of one finding.
func red(_ rule: String = "rows-differ", _ object: String = "public.t", group: CaseResult.Group = .rows, name: String = "public.t")
    -> CaseResult
{
    .judged(
        group, service: "postgres", name: name,
        findings: [Finding(Rule(rule), object: object, message: "rows are missing", hint: "look at the backup job")])
}

func green(group: CaseResult.Group = .rows, name: String = "public.t") -> CaseResult {
    .judged(group, service: "postgres", name: name, findings: [])
}
