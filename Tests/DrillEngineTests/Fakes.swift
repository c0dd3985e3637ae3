// Drivers that do as they are told, and a drill around them: the engine is pure, so values suffice.

import DrillEngine
import DrillModel
import Foundation
import Synchronization
import Testing

/// What a driver does in each step of each point.
struct Script: Sendable {
    var ended: @Sendable () -> Void = {}
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

    private func note(_ call: String) { calls.withLock { $0.append(call) } }

    func identify(before disaster: Date) async throws -> Identified<Void> {
        note("identify")
        if let identifying { throw identifying }
        return Identified(points: points, worstCase: worstCase, cases: [], detail: "found", context: ())
    }
    func retrieve(_ point: RecoveryPoint, of _: Void, _ attempt: Attempt) async throws -> Fetched {
        note("retrieve \(point.path)")
        attempt.ifDiscarded { self.note("discard") }
        let index = points.firstIndex(of: point) ?? 0
        let script = scripts.indices.contains(index) ? scripts[index] : Script()
        attempt.reportAtEnd {
            self.note("tearDown")
            script.ended()
            return self.remains
        }
        try await script.retrieve(attempt.log)
        return Fetched(script: script)
    }
    func restore(_ fetched: Fetched, _ attempt: Attempt) async throws -> Running {
        note("restore")
        try await fetched.script.restore(attempt.log)
        return Running(script: fetched.script)
    }
    func verify(_ running: Running, _ attempt: Attempt) async throws -> Verified<String> {
        note("verify")
        try await running.script.verify(attempt.log)
        return Verified(detail: "verified", provision: "server of \(service)")
    }

    struct Fetched: StepOutcome {
        var script: Script
        var detail: String { "fetched" }
    }
    struct Running: StepOutcome {
        var script: Script
        var detail: String { "restored" }
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
    selection: Recovery.Selection = .latestHealthy, tries: Int = Recovery.usualTries
) -> DrillPlan {
    let estate = Estate(
        name: "e", timeZone: .gmt, stores: [:], keys: [:], services: [:], seals: SealPolicy(), file: URL(fileURLWithPath: "/e.yaml"))
    return DrillPlan(
        name: "d", scenario: .databaseCorruption, estate: estate, profile: profile, incident: .at(disaster), targets: targets,
        allowances: allowances, recover: services.map { Recovery(service: $0, backup: "b", selection: selection, tries: tries) },
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
