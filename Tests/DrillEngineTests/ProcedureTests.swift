// The course through all six steps: the application, what outlives the disaster, hooks and people.

import DrillEngine
import DrillModel
import Foundation
import Testing

@Suite struct ProcedureTests {
    private static func every(_ moments: [Hook.Moment], _ program: String = "p") -> [Step: [Hook.Moment: Hook]] {
        Dictionary(
            uniqueKeysWithValues: Step.allCases.map { step in
                (step, Dictionary(uniqueKeysWithValues: moments.map { ($0, Hook(run: [program])) }))
            })
    }

    private func names(_ told: Told) -> [String] { told.cases.map { "\($0.group) \($0.service ?? "") \($0.name)" } }

    /// Nothing that may run code of a backup comes before what the drill demands of the machine.
    @Test func aDemandThatIsNotMetEndsTheDrillBeforeItBegins() async {
        let diary = Diary()
        let unmet = CaseResult.unasked(.quarantine, name: "keys and stores are out of its reach", finding: finding("files-not-isolated"))
        let told = await run(
            procedure(targets: Targets(rto: .seconds(3600))),
            DrillParticipants(
                services: [noting(diary)], existing: [noting(diary)], application: FakeApplication(diary: diary),
                hooks: FakeHooks(diary: diary), unmetDemands: { [unmet] }))
        #expect(told.verdict == .error && told.rules.contains("files-not-isolated"))
        #expect(diary.all.isEmpty, "\(diary.all)")
        #expect(told.outcome?.steps.allSatisfy { $0.verdict == .skipped } == true && told.outcome?.objectives?.rto.measured == nil)
    }

    // MARK: The application

    @Test func theApplicationIsStartedLastAndItsTimeCounts() async {
        let diary = Diary()
        let application = FakeApplication(diary: diary, restarting: { try await Task.sleep(for: .milliseconds(300)) })
        let told = await run(
            procedure(targets: Targets(rto: .seconds(3600))), DrillParticipants(services: [noting(diary)], application: application))
        #expect(told.verdict == .passed)
        #expect(diary.all == ["retrieve s", "restore s", "verify s", "prove", "restart", "confirm", "end", "ended s"])
        #expect(told.outcome?.steps.map(\.verdict) == Array(repeating: .passed, count: 6))
        let rto = told.outcome?.objectives?.rto
        #expect(rto?.measured ?? .zero >= .milliseconds(300) && rto?.accepting["web"] != nil)
        #expect(told.cases.contains { $0.group == .operation && $0.service == "web" && $0.name == "is well" && $0.verdict == .passed })
        #expect(Set(names(told)).count == names(told).count, "\(names(told))")
    }

    /// What each step made is what the next one got, up to the application; and the last that was made is ended first.
    @Test func theLastThatWasMadeIsEndedFirst() async {
        let diary = Diary()
        let told = await run(
            procedure(recover: ["a"]),
            DrillParticipants(
                services: [noting(diary, "a")], outage: FakeOutage(diary: diary), application: FakeApplication(diary: diary)))
        #expect(told.verdict == .passed)
        #expect(
            diary.all == [
                "cut", "retrieve a", "restore a", "verify a", "prove", "restart", "confirm", "still lost", "end", "ended a", "bring back",
            ])
        #expect(told.outcome?.steps.last?.activities.last?.detail == "well on server of a")
    }

    @Test(arguments: [Verdict.failed, .error]) func anApplicationThatIsNotWellIsNoOperation(_ verdict: Verdict) async {
        let finding = finding("application-unhealthy")
        let failure = verdict == .failed ? DrillFailure.failed(finding) : DrillFailure.error(finding)
        let told = await run(
            procedure(targets: Targets(rto: .seconds(3600))),
            DrillParticipants(
                services: [FakeDriver(points: [point("new", hoursBefore: 1)])], application: FakeApplication(restarting: { throw failure }))
        )
        #expect(told.verdict == verdict && told.outcome?.objectives?.rto.measured == nil)
        #expect(told.verdict(of: "RTO", nil) == verdict && told.rules.contains("application-unhealthy"))
        #expect(told.outcome?.steps.last?.verdict == verdict)
    }

    @Test func anApplicationThatDiesAfterwardsIsNoOperationEither() async {
        let told = await run(
            procedure(targets: Targets(rto: .seconds(3600))),
            DrillParticipants(
                services: [FakeDriver(points: [point("new", hoursBefore: 1)])],
                application: FakeApplication(confirming: .failed(finding("application-died")))))
        #expect(told.verdict == .failed && told.outcome?.objectives?.rto.measured == nil)
    }

    @Test func nothingIsStartedOnWhatDidNotComeBack() async {
        let diary = Diary()
        let bad = FakeDriver(
            points: [point("new", hoursBefore: 1)],
            scripts: [Script(verify: { $0.record(.judged(.content, service: "s", name: "t", findings: [finding("content-differs")])) })])
        let told = await run(procedure(), DrillParticipants(services: [bad], application: FakeApplication(diary: diary)))
        #expect(told.verdict == .failed && diary.all.isEmpty)
        #expect(told.outcome?.steps.last?.verdict == .skipped)
        #expect(told.outcome?.steps.last?.activities.first?.detail.contains("web") == true)
    }

    @Test func aStrangerIsNotWaitedFor() async {
        let told = await run(
            procedure(),
            DrillParticipants(
                services: [FakeDriver(points: [point("new", hoursBefore: 1)])],
                application: FakeApplication(proving: .failed(finding("still-connected")))))
        #expect(told.verdict == .failed && told.outcome?.objectives?.rto.measured == nil)
        #expect(told.outcome?.steps[1].verdict == .failed)
    }

    // MARK: What outlives the disaster

    private func serverFailure(
        _ diary: Diary, witness: FakeWitness? = nil, existing: FakeDriver? = nil, hooks: [Step: [Hook.Moment: Hook]] = [:]
    ) async -> Told {
        await run(
            procedure(recover: [], existing: ["s"], hooks: hooks, targets: Targets(rto: .seconds(3600))),
            DrillParticipants(
                services: [], existing: [existing ?? noting(diary, slow: .milliseconds(400))],
                witness: witness ?? FakeWitness(diary: diary), application: FakeApplication(diary: diary),
                hooks: FakeHooks(diary: diary)))
    }

    @Test func whatLivesIsMadeBeforeTheClockStarts() async {
        let diary = Diary()
        let told = await serverFailure(diary)
        #expect(told.verdict == .passed)
        #expect(
            diary.all == [
                "retrieve s", "restore s", "verify s", "remember", "alive", "prove", "alive", "restart", "confirm", "compare", "end",
                "ended s",
            ])
        #expect(told.outcome?.steps.map(\.verdict) == [.passed, .passed, .skipped, .skipped, .passed, .passed])
        #expect(told.outcome?.steps.allSatisfy { step in step.activities.allSatisfy { $0.end >= $0.start && $0.start >= .zero } } == true)
        // Four hundred milliseconds of making it are not among them.
        #expect(told.outcome?.objectives?.rto.measured ?? .seconds(9) < (told.outcome?.duration ?? .zero) - .milliseconds(400))
        #expect(told.outcome?.duration ?? .zero >= .milliseconds(400))
        #expect(told.outcome?.objectives?.rpo.isEmpty == true)
        #expect(told.cases.contains { $0.group == .operation && $0.service == "s" && $0.name == "lives before the incident" })
        #expect(Set(names(told)).count == names(told).count, "\(names(told))")
    }

    /// The backup's own verdict would be *failed*: here it only means that nothing could be rehearsed.
    @Test func whatCannotBeMadeIsAnErrorAndNothingIsStarted() async {
        let diary = Diary()
        let bad = FakeDriver(
            points: [point("new", hoursBefore: 1)],
            scripts: [Script(verify: { $0.record(.judged(.content, service: "s", name: "t", findings: [finding("content-differs")])) })])
        let told = await serverFailure(diary, existing: bad)
        #expect(told.verdict == .error && told.rules.contains("precondition-not-met") && told.rules.contains("content-differs"))
        #expect(diary.all.isEmpty && told.outcome?.steps.allSatisfy { $0.verdict == .skipped } == true)
        #expect(told.cases.allSatisfy { $0.verdict != .failed } && told.verdict(of: "RTO", nil) == .error)
        let none = await serverFailure(Diary(), existing: FakeDriver(points: [], identifying: .failed(finding("no-recovery-point"))))
        #expect(none.verdict == .error && none.rules.contains("no-recovery-point"))
    }

    @Test func whatIsNotKnownBeforehandIsAnError() async {
        let diary = Diary()
        let told = await serverFailure(diary, witness: FakeWitness(diary: diary, remembering: .failed(finding("existing-gone"))))
        #expect(told.verdict == .error && !diary.all.contains("restart"))
    }

    @Test func lossOfWhatLivesIsAFailure() async {
        let gone = Diary()
        var told = await serverFailure(gone, witness: FakeWitness(diary: gone, confirming: .failed(finding("existing-gone"))))
        #expect(told.verdict == .failed && !gone.all.contains("restart") && told.outcome?.objectives?.rto.measured == nil)
        let lost = Diary()
        told = await serverFailure(lost, witness: FakeWitness(diary: lost, comparing: .failed(finding("existing-lost"))))
        #expect(told.verdict == .failed && lost.all.contains("restart") && told.outcome?.objectives?.rto.measured == nil)
        #expect(told.verdict(of: "RTO", nil) == .failed)
    }

    // MARK: Hooks

    @Test func hooksStandBetweenTheSteps() async {
        let diary = Diary()
        let told = await run(
            procedure(recover: ["a", "b"], hooks: Self.every([.before, .after, .onFailure])),
            DrillParticipants(
                services: [noting(diary, "a"), noting(diary, "b", slow: .milliseconds(100))], application: FakeApplication(diary: diary),
                hooks: FakeHooks(diary: diary)))
        #expect(told.verdict == .passed)
        // Side by side within a step, and never across a hook.
        let order = diary.all.map { $0.hasSuffix(" a") || $0.hasSuffix(" b") ? String($0.dropLast(2)) : $0 }
        #expect(
            order == [
                "before identify", "after identify", "before stop", "after stop", "before retrieve", "retrieve", "retrieve",
                "after retrieve",
                "before restore", "restore", "restore", "after restore", "before verify", "verify", "verify", "after verify", "prove",
                "before restart", "restart", "after restart", "confirm", "end", "ended", "ended",
            ])
        #expect(told.cases.filter { $0.name.hasPrefix("hook ") }.count == 12)
        #expect(Set(names(told)).count == names(told).count, "\(names(told))")
    }

    @Test func hooksOfAServerFailureToo() async {
        let diary = Diary()
        let told = await serverFailure(diary, hooks: Self.every([.before, .after]))
        #expect(told.verdict == .passed)
        #expect(diary.all.filter { $0.hasPrefix("before") || $0.hasPrefix("after") }.count == 12)
        #expect(diary.all.firstIndex(of: "before identify") ?? 0 > diary.all.firstIndex(of: "remember") ?? 99)
    }

    @Test(arguments: [
        (HookEnding.ended("exit 3", succeeded: false), "hook-failed"), (.timedOut, "hook-timed-out"),
        (.notStarted("it is missing", hint: "install it"), "hook-not-started"),
    ])
    func aBadHookIsAnErrorAndTheDrillGoesOn(ending: HookEnding, rule: String) async throws {
        let diary = Diary()
        let told = await run(
            procedure(hooks: [.stop: [.before: Hook(run: ["bad"])]]),
            DrillParticipants(
                services: [noting(diary)], application: FakeApplication(diary: diary),
                hooks: FakeHooks(diary: diary, endings: ["bad": ending])))
        #expect(told.verdict == .error && told.rules == [rule] && diary.all.contains("restart"))
        let result = try #require(told.cases.first { $0.name == "hook before stop" })
        #expect(result.verdict == .error && result.group == .step)
    }

    @Test func onFailureRunsWhereAStepEndedRed() async {
        let diary = Diary()
        let bad = FakeDriver(
            points: [point("new", hoursBefore: 1), point("old", hoursBefore: 25)],
            scripts: [Script(restore: { _ in throw DrillFailure.failed(finding("broken")) })])
        let told = await run(
            procedure(hooks: Self.every([.onFailure])),
            DrillParticipants(services: [bad, noting(Diary(), "t")], application: FakeApplication(), hooks: FakeHooks(diary: diary)))
        #expect(told.verdict == .failed && diary.all == ["on-failure restore"])
        let restart = Diary()
        _ = await run(
            procedure(hooks: Self.every([.onFailure])),
            DrillParticipants(
                services: [noting(Diary())], application: FakeApplication(restarting: { throw DrillFailure.failed(finding("died")) }),
                hooks: FakeHooks(diary: restart)))
        #expect(restart.all == ["on-failure restart"])
    }

    /// The one that gave up early is not waited for, in no step.
    @Test(.timeLimit(.minutes(5))) func aServiceThatEndsEarlyHoldsNobodyUp() async {
        let diary = Diary()
        let lost = FakeDriver("lost", points: [], identifying: .failed(finding("no-recovery-point")))
        let told = await run(
            procedure(recover: ["lost", "s"], hooks: Self.every([.before, .after])),
            DrillParticipants(services: [lost, noting(diary)], application: FakeApplication(), hooks: FakeHooks(diary: diary)))
        #expect(told.verdict == .failed && diary.all.contains("after verify"))
    }

    @Test(.timeLimit(.minutes(5))) func cancellingEndsAHookAndLeavesNobodyWaiting() async {
        let diary = Diary()
        let told = await run(
            procedure(recover: ["a", "b"], hooks: [.retrieve: [.after: Hook(run: ["p"])]]),
            DrillParticipants(
                services: [noting(Diary(), "a"), noting(Diary(), "b")], application: FakeApplication(diary: diary),
                hooks: FakeHooks(diary: diary, takes: .seconds(600))), cancelWhen: { !diary.all.isEmpty })
        #expect(told.cancelled && diary.all == ["after retrieve", "after retrieve cancelled"])
    }

    // MARK: People

    private static let decide = [ManualStep(step: .identify, name: "decide", allowance: .seconds(900))]

    @Test func whatPeopleDoCountsWithItsAllowance() async throws {
        let told = await run(
            procedure(manual: Self.decide), DrillParticipants(services: [noting(Diary())], application: FakeApplication()))
        let rto = try #require(told.outcome?.objectives?.rto)
        #expect(told.verdict == .passed && rto.allowances == [Allowance(name: "decide", duration: .seconds(900))])
        #expect(try #require(rto.achieved) > .seconds(900))
        let result = try #require(told.cases.first { $0.name == "manual identify: decide" })
        #expect(result.verdict == .skipped && result.reason.contains("15m"))
    }

    @Test func inALiveDrillSomebodySaysSo() async throws {
        let diary = Diary()
        let told = await run(
            procedure(manual: Self.decide),
            DrillParticipants(
                services: [noting(diary)], application: FakeApplication(diary: diary), confirmer: FakePerson(diary: diary, name: "Asha")))
        #expect(told.verdict == .passed && diary.all.prefix(2) == ["ask decide", "retrieve s"])
        #expect(told.outcome?.objectives?.rto.allowances.isEmpty == true)
        let fact = try #require(told.report?.facts.first { $0.name == "manual.decide" })
        #expect(fact.value == "confirmed by Asha at 1970-01-12T13:46:40Z")
        #expect(told.outcome?.steps[0].activities.contains { $0.detail.contains("Asha") } == true)
    }

    @Test func nobodyToSaySoIsAnError() async {
        let told = await run(
            procedure(manual: Self.decide),
            DrillParticipants(services: [noting(Diary())], application: FakeApplication(), confirmer: FakePerson()))
        #expect(told.verdict == .error && told.rules == ["not-confirmed"])
    }
}
