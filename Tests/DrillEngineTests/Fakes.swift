// Drivers that do as they are told, and a drill around them: the engine is pure, so values suffice.

import DrillEngine
import DrillModel
import Foundation
import Synchronization
import Testing

/// What a driver does in each step of each point.
struct Script: Sendable {
    var retrieve: @Sendable (any StepLog) async throws -> Void = { _ in }
    var restore: @Sendable (any StepLog) async throws -> Void = { _ in }
    var verify: @Sendable (any StepLog) async throws -> Void = { $0.record(.judged(.rows, service: "s", name: "t", findings: [])) }
}

final class FakeDriver: ServiceDriver {
    let service: String
    let points: [RecoveryPoint]
    let scripts: [Script]
    let worstCase: WorstCase?
    let identifying: DrillFailure?
    let remains: [Finding]
    /// Every call, in order.
    let calls = Mutex<[String]>([])
    private let current = Mutex(0)

    init(
        _ service: String = "s", points: [RecoveryPoint], scripts: [Script] = [], worstCase: WorstCase? = nil,
        identifying: DrillFailure? = nil,
        remains: [Finding] = []
    ) {
        self.service = service
        self.points = points
        self.scripts = scripts
        self.worstCase = worstCase
        self.identifying = identifying
        self.remains = remains
    }

    private var script: Script { current.withLock { scripts.indices.contains($0) ? scripts[$0] : Script() } }
    private func note(_ call: String) { calls.withLock { $0.append(call) } }

    func identify(before disaster: Date) async throws -> Identified {
        note("identify")
        if let identifying { throw identifying }
        return Identified(points: points, worstCase: worstCase, cases: [], detail: "found")
    }
    func retrieve(_ point: RecoveryPoint, _ log: any StepLog) async throws -> String {
        note("retrieve \(point.path)")
        current.withLock { $0 = points.firstIndex(of: point) ?? 0 }
        try await script.retrieve(log)
        return "fetched"
    }
    func restore(_ log: any StepLog) async throws -> String {
        note("restore")
        try await script.restore(log)
        return "restored"
    }
    func verify(_ log: any StepLog) async throws -> String {
        note("verify")
        try await script.verify(log)
        return "verified"
    }
    func discard() async { note("discard") }
    func tearDown() async -> [Finding] {
        note("tearDown")
        return remains
    }
}

let disaster = Date(timeIntervalSince1970: 1_000_000)

func point(_ path: String, hoursBefore hours: Double, store: String = "primary", service: String = "s") -> RecoveryPoint {
    RecoveryPoint(
        service: service, backup: "b", store: store, zone: nil, path: path, location: URL(fileURLWithPath: "/x/\(path)"), size: 1,
        time: disaster.addingTimeInterval(-hours * 3600), timeSource: .seal, sealState: .missing)
}

func finding(_ rule: String, _ severity: Finding.Severity = .critical) -> Finding {
    Finding(Rule(rule), severity, object: "o", message: "m", hint: "h")
}

func plan(
    _ services: [String] = ["s"], profile: Profile = .production, targets: Targets = Targets(), allowances: [Allowance] = [],
    selection: Recovery.Selection = .latestHealthy
) -> DrillPlan {
    let estate = Estate(
        name: "e", timeZone: .gmt, stores: [:], keys: [:], services: [:], seals: SealPolicy(), file: URL(fileURLWithPath: "/e.yaml"))
    return DrillPlan(
        name: "d", scenario: .databaseCorruption, estate: estate, profile: profile, incident: .at(disaster), targets: targets,
        allowances: allowances, recover: services.map { Recovery(service: $0, backup: "b", selection: selection) },
        file: URL(fileURLWithPath: "/d.yaml"))
}

/// All that one drill told.
struct Told: Sendable {
    var verdict: Verdict?
    var cancelled = false
    var events: [Event] = []

    var report: DrillReport? {
        var report = RunReport()
        events.forEach { report.apply($0) }
        return report.drills.first
    }
    var cases: [CaseResult] { report?.cases ?? [] }
    func verdict(of name: String, _ service: String? = "s") -> Verdict? {
        cases.first { $0.name == name && $0.service == service }?.verdict
    }
    var rules: [String] { cases.flatMap(\.findings).map(\.rule.name) }
    var outcome: DrillOutcome? { report?.outcome }
}

func run(
    _ plan: DrillPlan, _ drivers: [FakeDriver], cleanUp: @escaping @Sendable () async -> [Finding] = { [] },
    cancelAfter: Duration? = nil
) async -> Told {
    let hub = EventHub()
    let task = Task { try await DrillRunner(plan: plan, drivers: drivers, hub: hub, cleanUp: cleanUp).run() }
    if let cancelAfter {
        try? await Task.sleep(for: cancelAfter)
        task.cancel()
    }
    var told = Told()
    do {
        told.verdict = try await task.value
    } catch {
        told.cancelled = error is CancellationError
    }
    hub.finish()
    for await event in hub.events { told.events.append(event) }
    return told
}
