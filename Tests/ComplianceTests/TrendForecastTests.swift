// Forecasts of growth that is there, silence where it isn't, and how often either is wrong.

import Foundation
import Reports
import Testing

@testable import Compliance

struct TrendForecastTests {
    typealias Point = (time: Date, seconds: Double)

    static let end = Date(timeIntervalSince1970: 1_798_741_800)

    /// Days are counted back from the end.
    static func points(_ list: [(Double, Double)]) -> [Point] {
        list.map { (end.addingTimeInterval(-$0.0 * 86_400), $0.1) }
    }

    static func forecast(_ points: [Point], target: Double? = 14_400) -> (forecast: ComplianceReport.Forecast?, silence: String?) {
        TrendForecast.forecast(points: points, target: target, end: end)
    }

    /// In days from the end.
    static func days(_ date: Date) -> Double { date.timeIntervalSince(end) / 86_400 }

    @Test func aStraightLineCrossesWhereItMust() throws {
        // 12,000 s today, 20 s more each day: 120 days.
        let found = Self.forecast(Self.points((0..<10).map { (Double($0) * 20, 12_000 - Double($0) * 400) }))
        let forecast = try #require(found.forecast)
        #expect(found.silence == nil && abs(Self.days(forecast.likely) - 120) < 0.01)
        #expect(forecast.perMonth == .seconds(600) && forecast.perMonthLow <= .seconds(600) && forecast.perMonthHigh >= .seconds(600))
        let latest = try #require(forecast.latest)
        #expect(forecast.earliest <= forecast.likely && forecast.likely <= latest)
    }

    /// Slope and margin were reckoned outside of Swift.
    @Test func theIntervalIsThatOfTheBand() throws {
        let measured = Self.points([(150, 100), (120, 112), (90, 119), (60, 133), (30, 138), (0, 152)])
        let forecast = try #require(Self.forecast(measured, target: 200).forecast)
        let line = try #require(LeastSquaresLine(measured.map { (Self.days($0.time), $0.seconds) }))
        #expect(abs(line.slope - 0.3352) < 0.0001 && abs(line.slopeMargin - 0.0486) < 0.0001)
        for date in [forecast.earliest, try #require(forecast.latest)] {
            // There the band's edge is at the target.
            let x = Self.days(date)
            let margin = (pow(line.slopeMargin * (x + 75), 2) + pow(line.slopeMargin, 2) * 15_750 / 6).squareRoot()
            #expect(abs(abs(line.height(at: x) - 200) - margin) < 0.001)
        }
    }

    @Test(arguments: [
        (1, 12.706), (2, 4.303), (3, 3.182), (4, 2.776), (5, 2.571), (6, 2.447), (8, 2.306), (10, 2.228), (20, 2.086), (30, 2.042),
        (120, 1.980), (10_000, 1.960),
    ])
    func studentsTIsThatOfTheTables(_ degrees: Int, _ value: Double) {
        #expect(abs(LeastSquaresLine.quantile(degreesOfFreedom: degrees) - value) < 0.0011)
    }

    @Test func itIsSilentAndSaysWhy() {
        let rising: [(Double, Double)] = (0..<12).map { (Double($0) * 20, 12_000 - Double($0) * 400) }
        func silence(_ list: [(Double, Double)], target: Double? = 14_400) -> String {
            let found = Self.forecast(Self.points(list), target: target)
            return found.forecast == nil ? found.silence ?? "" : "a forecast"
        }
        #expect(silence(rising) == "a forecast")
        #expect(silence(rising, target: nil) == "there is no target")
        #expect(silence([]) == "0 drills measured it: a forecast takes 6")
        #expect(silence(Array(rising.prefix(1))) == "1 drill measured it: a forecast takes 6")
        #expect(silence(Array(rising.prefix(5))) == "5 drills measured it: a forecast takes 6")
        #expect(silence(rising.map { ($0.0 / 8, $0.1) }) == "the drills that measured it span 27 days: a forecast takes 60")
        #expect(silence(rising.map { ($0.0 / 1000, $0.1) }) == "all drills that measured it lie within one day")
        #expect(silence(rising.map { (7, $0.1) }) == "all drills that measured it lie within one day")
        let chance = "no growth that can be told from chance"
        #expect(silence(rising.map { ($0.0, 9000) }) == chance)
        #expect(silence(rising.map { ($0.0, 24_000 - $0.1) }) == chance)
        #expect(silence(rising.map { ($0.0, 9000.001) }) == chance)
        #expect(silence(rising.map { ($0.0, .nan) }) == "0 drills measured it: a forecast takes 6")
        // 2,400 s to go at 20 s a day are 120 days; ten times as many are not.
        #expect(silence(rising, target: 36_000) == "not within 440 days")
        #expect(silence(rising.map { ($0.0 * 6, $0.1) }, target: 36_000) == "not within 3 years")
        #expect(silence(rising, target: 1000) == "the target was exceeded before the first drill that measured it")
    }

    @Test func whatIsExceededAlreadyLiesInThePast() throws {
        let found = Self.forecast(Self.points((0..<12).map { (Double($0) * 20, 16_000 - Double($0) * 400) }))
        #expect(abs(Self.days(try #require(found.forecast).likely) + 80) < 0.01)
    }

    /// Wherever the odd figure stands, also where all the others lie close together and it alone has weight.
    @Test func oneOutlierIsNoGrowth() {
        var random = Noise(state: 11)
        for count in 6...30 {
            for odd in 0..<count {
                var list: [(Double, Double)] = (0..<count).map { (Double($0) * 180 / Double(count - 1), 9000 + random.normal()) }
                list[odd].1 = 14_000
                #expect(Self.forecast(Self.points(list)).forecast == nil, "\(count) \(odd)")
            }
            let close: [(Double, Double)] = (0..<count - 1).map { (100 + Double($0) / 100, 9000 + random.normal()) }
            #expect(Self.forecast(Self.points(close + [(0, 12_000)])).forecast == nil, "\(count)")
        }
    }

    @Test func orderAndEqualTimesAndNoNumbersChangeNothing() throws {
        let list: [(Double, Double)] = (0..<12).map { index in
            let step = Double(index)
            let scatter = Double(index % 3) * 50
            return (step * 20, 12_000 - step * 400 + scatter)
        }
        let straight = Self.forecast(Self.points(list))
        let backwards = Self.forecast(Self.points(list.reversed()))
        #expect(straight.forecast != nil && straight.forecast == backwards.forecast)
        let mixed = Self.points(list) + [(Self.end, .nan), (Self.end, .infinity), (Date(timeIntervalSince1970: .infinity), 1)]
        #expect(Self.forecast(mixed).forecast == straight.forecast)
        #expect(Self.forecast(Self.points(list + list)).forecast != nil)
        #expect(Self.forecast(Self.points(list), target: .nan).silence == "there is no target")
        let vast: [(Double, Double)] = list.map { ($0.0, $0.1 * 1e300) }
        #expect(Self.forecast(Self.points(vast)).silence == "0 drills measured it: a forecast takes 6")
    }

    @Test func withoutGrowthItIsSilent() {
        var random = Noise(state: 3)
        var shown = 0
        for _ in 0..<2000 {
            let count = Int.random(in: 6...24, using: &random)
            // The target lies so near that chance would reach it.
            let list: [(Double, Double)] = (0..<count).map { _ in (Double.random(in: 0...300, using: &random), 9000 + 600 * random.normal())
            }
            shown += Self.forecast(Self.points(list), target: 9600).forecast == nil ? 0 : 1
        }
        #expect(shown <= 100, "\(shown) of 2000")
    }

    @Test func withGrowthTheTrueCrossingLiesBetweenItsEnds() {
        var random = Noise(state: 5)
        var shown = 0
        var held = 0
        for _ in 0..<2000 {
            let count = Int.random(in: 8...24, using: &random)
            let scatter = Double.random(in: 50...400, using: &random)
            // 20 s a day towards 14,400 s: in 60 days.
            let list: [(Double, Double)] = (0..<count).map { _ in
                let day = Double.random(in: 0...240, using: &random)
                return (day, 13_200 - 20 * day + scatter * random.normal())
            }
            guard let forecast = Self.forecast(Self.points(list)).forecast else { continue }
            shown += 1
            let isAbove = forecast.latest.map { Self.days($0) >= 60 } ?? true
            held += Self.days(forecast.earliest) <= 60 && isAbove ? 1 : 0
        }
        #expect(shown > 1800, "\(shown) of 2000")
        #expect(Double(held) >= 0.93 * Double(shown), "\(held) of \(shown)")
    }
}

/// SplitMix64, and normal figures of it: the same in every run.
struct Noise: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
        return word ^ (word >> 31)
    }

    /// Of mean 0 and deviation 1, by Box and Muller.
    mutating func normal() -> Double {
        let (first, second) = (Double.random(in: 1e-12..<1, using: &self), Double.random(in: 0..<1, using: &self))
        return (-2 * log(first)).squareRoot() * cos(2 * .pi * second)
    }
}
