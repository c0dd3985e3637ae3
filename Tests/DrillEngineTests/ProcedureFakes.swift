// An application, what outlives a disaster, a zone, hooks and people that do as they are told, all noting in one list what happened when.

import DrillEngine
import DrillModel
import Foundation
import Synchronization

/// What happened in one drill, in order.
final class Diary: Sendable {
    private let lines = Mutex<[String]>([])

    func note(_ line: String) { lines.withLock { $0.append(line) } }
    var all: [String] { lines.withLock { $0 } }
}

struct FakeApplication: ApplicationDriver, StagedApplication {
    let application = "web"
    var diary = Diary()
    var restarting: @Sendable () async throws -> Void = {}
    var proving: DrillFailure?
    var confirming: DrillFailure?
    /// What it was put before.
    var services: [String: String] = [:]

    func stage(on services: [String: String], _ attempt: Attempt) -> any StagedApplication {
        var staged = self
        staged.services = services
        return staged
    }
    func proveStopped(_ log: any StepLog) async throws -> String {
        diary.note("prove")
        if let proving { throw proving }
        return "asked"
    }
    func repopulate(_ repopulation: LostCache.Repopulation) async throws -> HookEnding { .ended("exit 0", succeeded: true) }
    func restart(_ attempt: Attempt) async throws -> any RunningApplication {
        diary.note("restart")
        attempt.atEnd { diary.note("end") }
        try await restarting()
        return Started(
            answering: .now, detail: "well on \(services.values.sorted().joined(separator: " and "))", diary: diary, confirming: confirming)
    }

    struct Started: RunningApplication {
        var answering: ContinuousClock.Instant
        var detail: String
        var diary: Diary
        var confirming: DrillFailure?

        func confirm(_ log: any StepLog) async throws {
            diary.note("confirm")
            if let confirming { throw confirming }
        }
    }
}

struct FakeWitness: ExistingServicesDriver, RememberedServices {
    var diary = Diary()
    var remembering: DrillFailure?
    var confirming: DrillFailure?
    var comparing: DrillFailure?

    func remember(_ services: [String: String], _ log: any StepLog) async throws -> any RememberedServices {
        diary.note("remember")
        if let remembering { throw remembering }
        return self
    }
    func confirmAlive(_ log: any StepLog) async throws -> String {
        diary.note("alive")
        if let confirming { throw confirming }
        return "they live"
    }
    func compare(_ log: any StepLog) async throws {
        diary.note("compare")
        if let comparing { throw comparing }
    }
}

/// A zone that is lost, and comes back.
struct FakeOutage: OutageDriver, LostZone {
    var diary = Diary()

    func begin(_ attempt: Attempt) async throws -> (any LostZone)? {
        diary.note("cut")
        attempt.atEnd { diary.note("bring back") }
        return self
    }
    func confirm(_ log: any StepLog) async throws { diary.note("still lost") }
}

struct FakeHooks: HookRunner {
    var diary = Diary()
    /// How the hooks of this program's name end; any other ends well.
    var endings: [String: HookEnding] = [:]
    var takes: Duration = .zero

    func run(_ hook: Hook, _ moment: Hook.Moment, of step: Step) async throws -> HookEnding {
        diary.note("\(moment.rawValue) \(step.rawValue)")
        if takes > .zero {
            do {
                try await Task.sleep(for: takes)
            } catch {
                diary.note("\(moment.rawValue) \(step.rawValue) cancelled")
                throw error
            }
        }
        return endings[hook.run[0]] ?? .ended("exit 0", succeeded: true)
    }
}

struct FakePerson: ManualConfirmer {
    var diary = Diary()
    var name: String?

    func confirm(_ manual: ManualStep) async throws -> Confirmation? {
        diary.note("ask \(manual.name)")
        return name.map { Confirmation(name: $0, time: disaster) }
    }
}

/// A driver that notes its steps.
func noting(_ diary: Diary, _ service: String = "s", slow: Duration = .zero) -> FakeDriver {
    let script = Script(
        ended: { diary.note("ended \(service)") },
        retrieve: { _ in
            diary.note("retrieve \(service)")
            try await Task.sleep(for: slow)
        },
        restore: { _ in diary.note("restore \(service)") },
        verify: {
            diary.note("verify \(service)")
            $0.record(.judged(.rows, service: service, name: "t", findings: []))
        })
    return FakeDriver(service, points: [point("new", hoursBefore: 1, service: service)], scripts: [script])
}

/// A plan with an application; of a server failure, where nothing is recovered.
func procedure(
    recover: [String] = ["s"], existing: [String] = [], hooks: [Step: [Hook.Moment: Hook]] = [:], manual: [ManualStep] = [],
    targets: Targets = Targets()
) -> DrillPlan {
    var plan = plan(recover, targets: targets)
    plan.scenario = existing.isEmpty ? .databaseCorruption : .serverFailure
    plan.existing = existing.map { Recovery(service: $0, backup: "b") }
    plan.application = "web"
    plan.hooks = hooks
    plan.manual = manual
    return plan
}

func run(_ plan: DrillPlan, _ participants: DrillParticipants<String>, cancelWhen: (@Sendable () -> Bool)? = nil) async -> Told {
    let hub = EventHub()
    let task = Task { try await DrillRunner(plan: plan, participants: participants, hub: hub).run() }
    if let cancelWhen {
        while !cancelWhen() { try? await Task.sleep(for: .milliseconds(5)) }
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
