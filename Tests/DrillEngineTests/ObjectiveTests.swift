// RTO and RPO against their targets, under each profile.

import DrillModel
import Foundation
import Testing

@testable import DrillEngine

@Suite struct ObjectiveTests {
    private let hour = Duration.seconds(3600)

    private func worst(_ hours: Double) -> WorstCase {
        WorstCase(from: disaster.addingTimeInterval(-hours * 3600), to: disaster, backupDuration: .seconds(60), points: 2)
    }

    @Test func anRTOIsMeasuredAndMet() async throws {
        let slow = Script(restore: { _ in try await Task.sleep(for: .milliseconds(120)) })
        let told = await run(
            plan(targets: Targets(rto: .seconds(600))), [FakeDriver(points: [point("p", hoursBefore: 1)], scripts: [slow])])
        let rto = try #require(told.outcome?.objectives?.rto)
        let measured = try #require(rto.measured)
        #expect(measured >= .milliseconds(120) && measured < .seconds(300))
        #expect(try #require(rto.accepting["s"]) <= measured)
        #expect(told.verdict(of: "RTO", nil) == .passed && told.verdict == .passed)
    }

    @Test func anRTOIsMissed() async {
        let slow = Script(restore: { _ in try await Task.sleep(for: .milliseconds(120)) })
        let told = await run(
            plan(targets: Targets(rto: .milliseconds(100))), [FakeDriver(points: [point("p", hoursBefore: 1)], scripts: [slow])])
        #expect(told.verdict(of: "RTO", nil) == .failed && told.verdict == .failed && told.rules.contains("rto-missed"))
    }

    @Test func allowancesAreAdded() async {
        let told = await run(
            plan(targets: Targets(rto: hour), allowances: [Allowance(name: "decide", duration: hour)]),
            [FakeDriver(points: [point("p", hoursBefore: 1)])])
        #expect(told.verdict(of: "RTO", nil) == .failed)
        let actual = told.cases.flatMap(\.findings).first { $0.rule.name == "rto-missed" }?.actual
        #expect(actual?.hasPrefix("1h") == true)
    }

    @Test func theFastProfileNeverMeetsAnRTO() async {
        let told = await run(
            plan(profile: .fast, targets: Targets(rto: hour)), [FakeDriver(points: [point("p", hoursBefore: 1)])])
        #expect(told.verdict(of: "RTO", nil) == .skipped && told.verdict == .passed)
        #expect(told.outcome?.unproven.contains { $0.contains("fast") } == true)
        #expect(told.outcome?.objectives?.rto.verdict == .skipped)
    }

    @Test(arguments: [(5.9, Verdict.passed), (6.0, .failed), (7.0, .failed)]) func anRPOIsJudged(_ hours: Double, _ verdict: Verdict) async
    {
        let told = await run(
            plan(targets: Targets(rpo: .seconds(6 * 3600))), [FakeDriver(points: [point("p", hoursBefore: hours)])])
        #expect(told.verdict(of: "RPO") == verdict && told.verdict == verdict)
        #expect(told.rules.contains("rpo-missed") == (verdict == .failed))
    }

    @Test func withoutTargetsNothingIsJudged() async {
        let told = await run(plan(), [FakeDriver(points: [point("p", hoursBefore: 1)])])
        #expect(told.verdict(of: "RTO", nil) == .skipped && told.verdict(of: "RPO") == .skipped && told.verdict == .passed)
        #expect(told.verdict(of: "RPO worst case") == nil)
    }

    @Test func aWorstCaseWarnsAndFailsWhereItIsPromised() async {
        func drill(_ targets: Targets, _ worst: WorstCase?) async -> Told {
            await run(plan(targets: targets), [FakeDriver(points: [point("p", hoursBefore: 1)], worstCase: worst)])
        }
        let six = Duration.seconds(6 * 3600)
        let warned = await drill(Targets(rpo: six), worst(24))
        #expect(warned.verdict == .passed && warned.verdict(of: "RPO") == .passed)
        #expect(warned.cases.flatMap(\.findings).map(\.severity) == [.warning])
        // A gap of just under six hours and the minute that the backup takes are more than six hours.
        let enforced = await drill(Targets(rpo: six, rpoWorstCase: six), worst(5.99))
        #expect(enforced.verdict(of: "RPO worst case") == .failed && enforced.verdict(of: "RPO") == .passed && enforced.verdict == .failed)
        #expect(enforced.cases.flatMap(\.findings).count { $0.rule.name == "rpo-worst-case-missed" } == 1, "said once")
        #expect(await drill(Targets(rpoWorstCase: six), worst(5)).verdict == .passed)
        let unknown = await drill(Targets(rpoWorstCase: six), nil)
        #expect(unknown.verdict(of: "RPO worst case") == .error && unknown.verdict == .error)
    }
}
