// One drill from incident to verdict: the order of steps, walking back, cancelling, and what never reads as passed.

import DrillModel
import Foundation
import Synchronization
import Testing

@testable import DrillEngine

@Suite struct DrillRunnerTests {
    private let red: @Sendable (any StepLog) async throws -> Void = {
        $0.record(.judged(.content, service: "s", name: "t", findings: [finding("content-differs")]))
    }
    private let unanswered: @Sendable (any StepLog) async throws -> Void = {
        $0.record(.unasked(.rows, service: "s", name: "t", finding: finding("query-failed")))
    }

    @Test func stepsRunInTheirOrder() async {
        let driver = FakeDriver(points: [point("new", hoursBefore: 1), point("old", hoursBefore: 25)])
        let told = await run(plan(), [driver])
        #expect(told.verdict == .passed)
        #expect(driver.calls.withLock { $0 } == ["identify", "retrieve new", "restore", "verify", "tearDown"])
        let started = told.events.compactMap { if case .stepStarted(let step, _) = $0.kind { step } else { nil } }
        #expect(started == [.stop, .identify, .retrieve, .restore, .verify])
        #expect(told.outcome?.steps.map(\.step) == Step.allCases)
        #expect(told.outcome?.steps.map(\.verdict) == [.passed, .skipped, .passed, .passed, .passed, .skipped])
        guard case .drillStarted? = told.events.first?.kind, case .drillFinished? = told.events.last?.kind else {
            Issue.record("a drill begins and ends its own events")
            return
        }
        let names = told.cases.map { "\($0.group) \($0.service ?? "") \($0.name)" }
        #expect(Set(names).count == names.count, "\(names)")
    }

    @Test func theNewestBadOneIsAFindingAndTheNextIsTried() async {
        let driver = FakeDriver(
            points: [point("new", hoursBefore: 1), point("old", hoursBefore: 25)], scripts: [Script(verify: red)])
        let told = await run(plan(targets: Targets(rpo: .seconds(48 * 3600))), [driver])
        #expect(told.verdict == .failed)
        #expect(
            driver.calls.withLock { $0 } == [
                "identify", "retrieve new", "restore", "verify", "tearDown", "discard", "retrieve old", "restore", "verify", "tearDown",
            ])
        #expect(told.report?.points.map(\.path) == ["new", "old"] && told.report?.points.map(\.rejected) == [0, 1])
        #expect(told.verdict(of: "new in primary is healthy") == .failed && told.rules.contains("recovery-point-bad"))
        // The drill is red, and yet the service came back: the loss is the second point's.
        #expect(told.outcome?.objectives?.rpo.first?.achieved == .seconds(25 * 3600))
        #expect(told.verdict(of: "RPO") == .passed)
        #expect(told.outcome?.objectives?.rto.measured != nil)
        let names = told.cases.map { "\($0.group) \($0.service ?? "") \($0.name)" }
        #expect(Set(names).count == names.count, "\(names)")
    }

    @Test(arguments: ["retrieve", "restore", "verify"]) func aFailureInAnyStepWalksBack(_ step: String) async {
        var script = Script()
        let fail: @Sendable (any StepLog) async throws -> Void = { _ in throw DrillFailure.failed(finding("broken")) }
        switch step {
        case "retrieve": script.retrieve = fail
        case "restore": script.restore = fail
        default: script.verify = fail
        }
        let driver = FakeDriver(points: [point("new", hoursBefore: 1), point("old", hoursBefore: 25)], scripts: [script])
        let told = await run(plan(), [driver])
        #expect(told.verdict == .failed && told.report?.points.map(\.path) == ["new", "old"])
        #expect(told.outcome?.steps.first { $0.step.rawValue == step }?.verdict == .failed)
    }

    @Test func latestMeansNoOther() async {
        let driver = FakeDriver(points: [point("new", hoursBefore: 1), point("old", hoursBefore: 25)], scripts: [Script(verify: red)])
        let told = await run(plan(targets: Targets(rto: .seconds(60), rpo: .seconds(60)), selection: .latest), [driver])
        #expect(told.verdict == .failed && told.report?.points.count == 1)
        #expect(told.verdict(of: "RTO", nil) == .failed && told.verdict(of: "RPO") == .failed)
        #expect(told.outcome?.objectives?.rpo.first?.recovered == nil)
    }

    @Test func anErrorSaysNothingOfTheBackupAndDoesNotWalkBack() async {
        let driver = FakeDriver(
            points: [point("new", hoursBefore: 1), point("old", hoursBefore: 25)],
            scripts: [Script(restore: { _ in throw DrillFailure.error(finding("no-tool")) })])
        let told = await run(plan(targets: Targets(rto: .seconds(60))), [driver])
        #expect(told.verdict == .error && told.report?.points.map(\.path) == ["new"])
        #expect(told.verdict(of: "RTO", nil) == .error, "nobody knows, so nothing was missed")
    }

    @Test func whenAllAreBadItIsSaid() async {
        let points = (1...12).map { point("p\($0)", hoursBefore: Double($0)) }
        let driver = FakeDriver(points: points, scripts: points.map { _ in Script(verify: red) })
        let told = await run(plan(), [driver])
        #expect(told.verdict == .failed && told.rules.contains("no-healthy-backup"))
        #expect(told.report?.points.count == Recovery.usualTries)
        let finding = told.cases.flatMap(\.findings).first { $0.rule.name == "no-healthy-backup" }
        #expect(finding?.actual == "none among the newest 5 of 12" && finding?.hint.contains("tries: 10") == true)
        #expect(told.outcome?.unproven == ["s: 7 older recovery points were not tried, and may be healthy or not."])
        // What was not tried has no case that could say anything of it.
        #expect(!told.cases.contains { $0.name.contains("p6") })
    }

    @Test func triesIsTheBound() async {
        let points = (1...4).map { point("p\($0)", hoursBefore: Double($0)) }
        let scripts = [Script(verify: red), Script(verify: red)]
        let bounded = await run(plan(tries: 2), [FakeDriver(points: points, scripts: scripts)])
        #expect(bounded.report?.points.map(\.path) == ["p1", "p2"] && bounded.rules.contains("no-healthy-backup"))
        let enough = await run(plan(tries: 3), [FakeDriver(points: points, scripts: scripts)])
        #expect(enough.report?.points.map(\.path) == ["p1", "p2", "p3"] && !enough.rules.contains("no-healthy-backup"))
        // Of one try it is said, too, whether it is healthy.
        let one = await run(plan(tries: 1), [FakeDriver(points: points, scripts: scripts)])
        #expect(one.report?.points.count == 1 && one.rules.contains("recovery-point-bad") && one.rules.contains("no-healthy-backup"))
    }

    @Test func aCopyOfTheSameBackupIsNoFurtherTry() async {
        let points = [
            point("x", hoursBefore: 1), point("x", hoursBefore: 1, store: "secondary"), point("y", hoursBefore: 2),
            point("z", hoursBefore: 3),
        ]
        let told = await run(plan(tries: 2), [FakeDriver(points: points, scripts: points.map { _ in Script(verify: red) })])
        #expect(told.report?.points.map { "\($0.path) \($0.store)" } == ["x primary", "x secondary", "y primary"])
    }

    /// A wrong key opens none of them: thirty more downloads would say the same.
    @Test(arguments: ["decryption-failed", "artifact-unreadable"]) func whatIsTheEstatesOwnStopsAfterTwo(_ rule: String) async {
        let points = (1...5).map { point("p\($0)", hoursBefore: Double($0)) }
        let fail = Script(retrieve: { _ in throw DrillFailure.failed(finding(rule)) })
        let told = await run(plan(), [FakeDriver(points: points, scripts: points.map { _ in fail })])
        #expect(told.verdict == .failed && told.report?.points.map(\.path) == ["p1", "p2"])
        let last = told.cases.flatMap(\.findings).first { $0.rule.name == "no-healthy-backup" }
        #expect(last?.message.contains("stopped after 2") == true && last?.message.contains(rule) == true)
        #expect(told.outcome?.unproven == ["s: 3 older recovery points were not tried, and may be healthy or not."])
        let wentOn = told.cases.flatMap(\.findings).filter { $0.rule.name == "recovery-point-bad" }.map(\.message)
        #expect(wentOn.count == 2 && wentOn.last?.contains("went on") == false, "it didn't go on to the third")
    }

    @Test func whatEndsOtherwiseGoesOn() async {
        let points = (1...4).map { point("p\($0)", hoursBefore: Double($0)) }
        func failing(_ rule: String) -> Script { Script(retrieve: { _ in throw DrillFailure.failed(finding(rule)) }) }
        // Damage is each backup's own, however alike; and one wrong key between others is that night's.
        for rules in [
            ["artifact-truncated", "artifact-truncated", "artifact-truncated"],
            ["decryption-failed", "artifact-truncated", "decryption-failed"], ["decryption-failed", "artifact-unreadable"],
        ] {
            let told = await run(plan(), [FakeDriver(points: points, scripts: rules.map(failing))])
            #expect(told.report?.points.count == rules.count + 1 && !told.rules.contains("no-healthy-backup"), "\(rules)")
        }
        // Two copies of one file fail alike, and say nothing of the older one.
        let copies = [point("x", hoursBefore: 1), point("x", hoursBefore: 1, store: "secondary"), point("y", hoursBefore: 2)]
        let told = await run(plan(), [FakeDriver(points: copies, scripts: [failing("decryption-failed"), failing("decryption-failed")])])
        #expect(told.report?.points.last?.path == "y" && !told.rules.contains("no-healthy-backup"))
    }

    /// The extension is not on this machine (an error), and what needs it did not come back (failed): so with each.
    @Test func anErrorBesideAFailureStopsAfterTwo() async {
        let points = (1...4).map { point("p\($0)", hoursBefore: Double($0)) }
        let lacking = Script(verify: {
            $0.record(.unasked(.restore, service: "s", name: "all was restored", finding: finding("extension-missing")))
            $0.record(.judged(.schema, service: "s", name: "t", findings: [finding("object-changed")]))
        })
        let told = await run(plan(), [FakeDriver(points: points, scripts: points.map { _ in lacking })])
        #expect(told.report?.points.map(\.path) == ["p1", "p2"])
    }

    @Test func copiesInSeveralStoresKeepTheirNamesApart() async {
        let points = [
            point("x", hoursBefore: 1), point("x", hoursBefore: 1, store: "secondary"), point("y", hoursBefore: 2),
            point("y", hoursBefore: 2, store: "secondary"),
        ]
        let driver = FakeDriver(points: points, scripts: points.map { _ in Script(verify: red) })
        let names = await run(plan(), [driver]).cases.map { "\($0.group) \($0.service ?? "") \($0.name)" }
        #expect(Set(names).count == names.count, "\(names)")
    }

    // MARK: What never reads as passed

    @Test func nothingVerifiedIsAnError() async {
        let driver = FakeDriver(points: [point("new", hoursBefore: 1)], scripts: [Script(verify: { _ in })])
        let told = await run(plan(), [driver])
        #expect(told.verdict == .error && told.rules.contains("nothing-verified"))
        #expect(told.outcome?.objectives?.rto.measured == nil)
    }

    @Test func aRestoreThatPraisesItselfIsNoVerification() async {
        let praise: @Sendable (any StepLog) async throws -> Void = {
            $0.record(.judged(.restore, service: "s", name: "pg_restore reported no error", findings: []))
            $0.record(.judged(.quarantine, service: "s", name: "closed", findings: []))
        }
        let driver = FakeDriver(
            points: [point("new", hoursBefore: 1)],
            scripts: [
                Script(
                    restore: praise,
                    verify: {
                        $0.record(.skipped(.rows, service: "s", name: "rows", reason: "not sealed"))
                        $0.record(.skipped(.content, service: "s", name: "content", reason: "not sealed"))
                    })
            ])
        #expect(await run(plan(targets: Targets(rto: .seconds(60))), [driver]).verdict == .error)
    }

    @Test func aQuestionThatCouldNotBeAskedIsAnError() async {
        let both: @Sendable (any StepLog) async throws -> Void = {
            $0.record(.judged(.rows, service: "s", name: "a", findings: []))
            $0.record(.unasked(.rows, service: "s", name: "b", finding: finding("query-failed")))
        }
        let told = await run(plan(), [FakeDriver(points: [point("new", hoursBefore: 1)], scripts: [Script(verify: both)])])
        #expect(told.verdict == .error)
        #expect(told.outcome?.steps.first { $0.step == .verify }?.verdict == .error)
    }

    @Test func noDriversAndNoPointsAreNoPass() async {
        let none = await run(plan(targets: Targets(rto: .seconds(60))), [])
        #expect(none.verdict == .error && none.outcome?.objectives?.rto.measured == nil)
        let empty = await run(plan(), [FakeDriver(points: [])])
        #expect(empty.verdict == .failed && empty.rules.contains("no-healthy-backup"))
        let gone = FakeDriver(points: [], identifying: .failed(finding("store-missing")))
        #expect(await run(plan(), [gone]).verdict == .failed)
        let closed = FakeDriver(points: [], identifying: .error(finding("key-missing")))
        #expect(await run(plan(), [closed]).verdict == .error)
    }

    @Test func aVerdictNeedsAnAnswer() {
        let step = CaseResult(.step, name: "s", verdict: .passed)
        let answer = CaseResult(.rows, name: "r", verdict: .passed)
        #expect(Verdict.ofDrill([]) == .error)
        #expect(Verdict.ofDrill([step]) == .error)
        #expect(Verdict.ofDrill([step, CaseResult(.objective, name: "RTO", verdict: .passed)]) == .error)
        #expect(Verdict.ofDrill([.skipped(.rows, name: "r", reason: "x")]) == .error)
        #expect(Verdict.ofDrill([step, answer]) == .passed)
        #expect(Verdict.ofDrill([answer, CaseResult(.rows, name: "e", verdict: .error)]) == .error)
        #expect(
            Verdict.ofDrill([CaseResult(.rows, name: "e", verdict: .error), CaseResult(.rows, name: "f", verdict: .failed)])
                == .failed)
    }

    // MARK: Errors and interruption

    @Test func anErrorThatNobodyForesawShowsItsTypeOnly() async {
        struct Surprise: Error, CustomStringConvertible { var description: String { "password hunter2" } }
        let driver = FakeDriver(points: [point("new", hoursBefore: 1)], scripts: [Script(restore: { _ in throw Surprise() })])
        let told = await run(plan(), [driver])
        #expect(told.verdict == .error && told.rules.contains("step-broke"))
        #expect(!"\(told.cases)".contains("hunter2") && "\(told.cases)".contains("Surprise"))
        #expect(driver.calls.withLock { $0.last } == "tearDown")
    }

    @Test func aCancellationErrorThatNobodyAskedForIsAnError() async {
        let driver = FakeDriver(points: [point("new", hoursBefore: 1)], scripts: [Script(restore: { _ in throw CancellationError() })])
        let told = await run(plan(), [driver])
        #expect(told.verdict == .error && !told.cancelled)
    }

    @Test func cancellingTearsDownAndEndsTheDrill() async {
        let slow = Script(restore: { _ in try await Task.sleep(for: .seconds(60)) })
        let drivers = ["s", "u"].map { FakeDriver($0, points: [point("new", hoursBefore: 1, service: $0)], scripts: [slow]) }
        let cleaned = Mutex(false)
        let told = await run(
            plan(["s", "u"]), drivers,
            cleanUp: {
                cleaned.withLock { $0 = true }
                return [finding("left-behind")]
            }, cancelAfter: .milliseconds(200))
        #expect(told.cancelled && told.verdict == nil)
        #expect(drivers.allSatisfy { driver in driver.calls.withLock { $0.last } == "tearDown" } && cleaned.withLock { $0 })
        #expect(told.outcome?.verdict == .error && told.outcome?.objectives == nil && told.outcome?.unproven.isEmpty == false)
        #expect(told.rules == ["left-behind"], "what could not be removed is told here as well")
        #expect(told.cases.contains { $0.name == "everything was removed" && $0.verdict == .error })
    }

    @Test func whatCantBeRemovedIsAnError() async {
        let driver = FakeDriver(points: [point("new", hoursBefore: 1)], remains: [finding("scratch-unusable")])
        let told = await run(plan(), [driver], cleanUp: { [finding("scratch-unusable")] })
        #expect(told.verdict == .error)
        #expect(told.cases.filter { $0.name.hasPrefix("everything was removed") }.map(\.verdict) == [.error, .error])
        let names = told.cases.map { "\($0.group) \($0.service ?? "") \($0.name)" }
        #expect(Set(names).count == names.count)
    }

    // MARK: Several services

    @Test func servicesRunAtTheSameTime() async {
        struct Alone: Error {}
        let meeting = Meeting()
        // Each waits for the other: one after the other, neither would ever go on.
        let slow = Script(restore: { _ in
            meeting.arrived.withLock { $0 += 1 }
            for _ in 0..<1000 where meeting.arrived.withLock({ $0 }) < 2 { try await Task.sleep(for: .milliseconds(10)) }
            guard meeting.arrived.withLock({ $0 }) == 2 else { throw Alone() }
        })
        let drivers = ["s", "u"].enumerated().map { index, name in
            FakeDriver(name, points: [point(name, hoursBefore: Double(index * 2 + 1), service: name)], scripts: [slow])
        }
        let told = await run(plan(["s", "u"], targets: Targets(rto: .seconds(60))), drivers)
        #expect(told.verdict == .passed)
        #expect(told.outcome?.steps.first { $0.step == .restore }?.activities.count == 2)
        #expect(told.outcome?.objectives?.rpo.map(\.service) == ["s", "u"])
        #expect(told.outcome?.objectives?.skew == .seconds(2 * 3600))
        #expect(Set(told.outcome?.objectives?.rto.accepting.keys.map { $0 } ?? []) == ["s", "u"])
    }

    @Test func oneThatFailsSpoilsTheRTOAndNotTheOthersRPO() async {
        let drivers = [
            FakeDriver("s", points: [point("a", hoursBefore: 1)], scripts: [Script(verify: red)]),
            FakeDriver("u", points: [point("b", hoursBefore: 1, service: "u")]),
        ]
        let told = await run(plan(["s", "u"], targets: Targets(rto: .seconds(60), rpo: .seconds(7200))), drivers)
        #expect(told.verdict == .failed && told.verdict(of: "RTO", nil) == .failed)
        #expect(told.verdict(of: "RPO", "s") == .failed && told.verdict(of: "RPO", "u") == .passed)
        #expect(told.outcome?.objectives?.skew == nil)
    }

    @Test func aRedStepIsRedAndTheOthersStayGreen() async {
        let sealBroken: @Sendable (any StepLog) async throws -> Void = {
            $0.record(.judged(.backup, service: "s", name: "the seal holds", findings: [finding("seal-broken")]))
        }
        let told = await run(
            plan(selection: .latest), [FakeDriver(points: [point("new", hoursBefore: 1)], scripts: [Script(retrieve: sealBroken)])])
        #expect(told.verdict == .failed)
        #expect(told.outcome?.steps.map(\.verdict) == [.passed, .skipped, .failed, .passed, .passed, .skipped])
    }
}

/// Where two drivers meet.
private final class Meeting: Sendable {
    let arrived = Mutex(0)
}

@Suite struct StepTimeTests {
    private func activity(_ start: Int, _ end: Int) -> StepActivity {
        StepActivity(step: .restore, service: nil, start: .seconds(start), end: .seconds(end), verdict: .passed, detail: "")
    }

    @Test func overlapsCountOnce() {
        #expect(DrillLog.union([]) == .zero)
        #expect(DrillLog.union([activity(0, 10), activity(5, 15)]) == .seconds(15))
        #expect(DrillLog.union([activity(20, 30), activity(0, 10)]) == .seconds(20))
        #expect(DrillLog.union([activity(0, 10), activity(2, 3)]) == .seconds(10))
        #expect(DrillLog.union([activity(0, 10), activity(10, 12), activity(4, 4)]) == .seconds(12))
    }
}

@Suite struct EventHubTests {
    @Test func fastProgressIsThinnedAndTheLastIsKept() async {
        let hub = EventHub()
        for index in 1...1000 {
            hub.emit(
                .progress(DrillModel.Progress(step: .restore, service: "s", label: "l", completed: Int64(index), total: 1000, unit: .bytes))
            )
        }
        hub.emit(.fact(Fact("a", "b")))
        hub.finish()
        hub.emit(.fact(Fact("late", "b")))
        var events: [Event] = []
        for await event in hub.events { events.append(event) }
        #expect(events.count < 100)
        guard case .fact(let fact)? = events.last?.kind, case .progress(let last)? = events.dropLast().last?.kind else {
            Issue.record("the last events are missing")
            return
        }
        #expect(fact.name == "a" && last.completed == 1000)
        #expect(zip(events, events.dropFirst()).allSatisfy { $0.elapsed <= $1.elapsed })
    }
}
