// Which of the kept backups is drawn, and what is not judged of it.

import DrillEngine
import DrillModel
import Foundation
import Testing

@Suite struct SampleTests {
    private let points = (0..<12).map { point("p\($0)", hoursBefore: Double($0) * 730 + 1) }

    private func sample(
        _ selection: Recovery.Selection, within: Duration? = nil, seed: UInt64? = nil, of points: [RecoveryPoint]? = nil,
        targets: Targets = Targets(), drilled: Set<String> = [], _ script: Script = Script()
    ) async -> Told {
        var plan = plan(targets: targets, selection: selection)
        plan.recover[0].within = within
        plan.seed = seed
        plan.drilledBefore = EarlierRuns(backups: drilled)
        let points = points ?? self.points
        return await run(plan, [FakeDriver(points: points, scripts: points.map { _ in script })])
    }

    private func fact(_ name: String, of told: Told) -> String? { told.report?.facts.first { $0.name == "s.\(name)" }?.value }

    @Test func theOldestAndNoOther() async {
        let green = await sample(.oldest, of: points + [point("p11", hoursBefore: 11 * 730 + 1, store: "secondary")])
        #expect(green.verdict == .passed && green.report?.points.map { "\($0.path) \($0.store)" } == ["p11 primary"])
        #expect(fact("selected", of: green) == "the oldest of 12")
        // A sample that is bad is red, and nobody goes on to another one.
        let bad = await sample(
            .oldest,
            Script(verify: { $0.record(.judged(.rows, service: "s", name: "t", findings: [finding("rows-differ")])) }))
        #expect(bad.verdict == .failed && bad.report?.points.count == 1)
    }

    @Test func oneAtRandomAndTheSeedRepeatsIt() async throws {
        var drawn: Set<String> = []
        for seed in 0..<60 as Range<UInt64> {
            let first = await sample(.random, seed: seed)
            let again = await sample(.random, seed: seed)
            #expect(first.report?.points == again.report?.points && first.report?.points.count == 1)
            drawn.formUnion(first.report?.points.map(\.path) ?? [])
        }
        // The same sixty seeds each time: all twelve come up, or all but a few.
        #expect(drawn.count >= 10)
        let told = await sample(.random)
        let words = try #require(fact("selected", of: told)?.wholeMatch(of: /chosen at random of 12 \(--seed (\d+) repeats it\)/))
        let repeated = await sample(.random, seed: UInt64(words.output.1))
        #expect(repeated.report?.points == told.report?.points)
    }

    @Test func withinASpanOfTime() async {
        for seed in 0..<20 as Range<UInt64> {
            let told = await sample(.random, within: .seconds(92 * 86400), seed: seed)
            #expect(["p0", "p1", "p2", "p3"].contains(told.report?.points.first?.path))
            #expect(fact("selected", of: told) == "chosen at random of 4 within 92d (--seed \(seed) repeats it)")
        }
        let none = await sample(.random, within: .seconds(60))
        #expect(none.verdict == .failed && none.rules.contains("no-recovery-point-within") && none.report?.points.isEmpty == true)
    }

    /// A backup of last winter loses nothing: its age is no RPO, and meets or misses no target.
    @Test func itsAgeIsNoLoss() async {
        let told = await sample(.oldest, targets: Targets(rpo: .seconds(3600), rpoWorstCase: .seconds(7200)))
        #expect(told.verdict == .passed && told.verdict(of: "RPO") == .skipped && told.verdict(of: "RPO worst case") == nil)
        #expect(told.outcome?.objectives?.rpo.isEmpty == true && told.outcome?.objectives?.skew == nil)
    }

    @Test func whichOfTheKeptOnesWereEverRestored() async {
        let told = await sample(.latest, drilled: ["s/p3", "s/p1", "other/p2", "s/gone"])
        #expect(fact("backups-kept", of: told) == "12" && fact("drilled-before", of: told) == "2 of them: p1, p3")
        #expect(fact("drilled-before", of: await sample(.latest)) == "0 of them")
    }
}
