// Where the model's own comparisons turn.

import DrillModel
import Foundation
import Testing

@testable import DrillEngine

@Suite struct ModelBorderTests {
    @Test(arguments: [
        ("< 10", "9", true), ("< 10", "10", false), ("<= 10", "10", true), ("<= 10", "11", false), ("> 10", "10", false),
        ("> 10", "11", true),
        (">= 10", "10", true), (">= 10", "9", false),
        // As exact as they are written: binary numbers would take the two for one.
        ("< -9007199254740992", "-9007199254740993", true), ("> 9007199254740993.25", "9007199254740993.5", true),
        ("< 99999999999999999999999999999999999999", "99999999999999999999999999999999999998", true),
    ])
    func anExpectation(text: String, value: String, holds: Bool) throws {
        #expect(try #require(Expectation(parsing: text)).isSatisfied(by: value) == holds)
    }

    @Test func bothBoundsAreWithin() {
        let bounds = Bounds(atLeast: 5, atMost: 6)
        #expect((4...7).map(bounds.contains) == [false, true, true, false])
    }

    @Test func aTimeOfDay() {
        #expect(TimeOfDay(parsing: "23:59") == TimeOfDay(hour: 23, minute: 59))
        for text in ["24:00", "02:60"] { #expect(TimeOfDay(parsing: text) == nil, "\(text)") }
    }

    /// Less than the target is less than it.
    @Test func anRTOOfJustTheTarget() {
        func verdict(_ measured: Duration, _ allowance: Duration = .zero) -> Verdict {
            RecoveryTime(
                measured: measured, allowances: [Allowance(name: "decide", duration: allowance)], target: .seconds(600),
                profile: .production, accepting: [:]
            ).verdict
        }
        #expect(verdict(.seconds(600)) == .failed && verdict(.milliseconds(599_999)) == .passed)
        #expect(verdict(.seconds(300), .seconds(300)) == .failed)
    }

    @Test func aWorstCaseOfJustTheTarget() async {
        let six = Duration.seconds(6 * 3600)
        for (second, isLate) in [(0.0, true), (1, false)] {
            let worst = WorstCase(
                from: disaster.addingTimeInterval(second - 6 * 3600 + 60), to: disaster, backupDuration: .seconds(60), points: 2)
            func rules(_ targets: Targets) async -> [String] {
                await run(plan(targets: targets), [FakeDriver(points: [point("p", hoursBefore: 1)], worstCase: worst)]).rules
            }
            #expect(await rules(Targets(rpo: six)) == (isLate ? ["rpo-worst-case-missed"] : []))
            #expect(await rules(Targets(rpoWorstCase: six)) == (isLate ? ["rpo-worst-case-missed"] : []))
        }
    }

    @Test func aMinuteIsOne() {
        #expect(ObjectiveCases.text(.seconds(60)) == "1m" && ObjectiveCases.text(.milliseconds(59_999)).hasPrefix("59s"))
    }
}
