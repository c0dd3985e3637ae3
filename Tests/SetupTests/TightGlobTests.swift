// A series' glob takes nothing of its neighbours.

import Testing

@testable import Setup

@Suite struct TightGlobTests {
    private let days = ["2026-11-28", "2026-11-29", "2026-11-30"]

    private func fit(_ match: String, _ own: (String) -> String, besides others: [String]) -> (match: String, strangers: [String]) {
        let paths = days.map(own)
        return TightGlob.fitted(match, to: paths, among: Set(paths + others))
    }

    @Test func aNeighbourOfTheSameBeginning() {
        let others = days.map { "shop-test-\($0).dump" }
        #expect(fit("shop-*.dump", { "shop-\($0).dump" }, besides: []).match == "shop-*.dump")
        let tight = fit("shop-*.dump", { "shop-\($0).dump" }, besides: others)
        #expect(tight.match == "shop-[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9].dump" && tight.strangers.isEmpty)
        #expect(fit("shop-test-*.dump", { "shop-test-\($0).dump" }, besides: days.map { "shop-\($0).dump" }).match == "shop-test-*.dump")
    }

    @Test func whatLiesBesideIt() {
        let digits = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]"
        #expect(fit("shop.dump.*", { "shop.dump.\($0)" }, besides: days.map { "shop.dump.\($0).md5" }).match == "shop.dump.\(digits)")
        #expect(fit("*", { $0 }, besides: ["lost+found", "backup.log"]).match == digits)
        #expect(fit("*/shop.dump", { "\($0)/shop.dump" }, besides: ["manual/shop.dump"]).match == "\(digits)/shop.dump")
        // A seal is no stranger, nor is what lies deeper or is hidden.
        let none = fit("shop-*", { "shop-\($0)" }, besides: ["shop-2026-11-30.seal.json", "shop-x/y", ".shop-x"])
        #expect(none.match == "shop-*" && none.strangers.isEmpty)
    }

    /// Where digits don't tell them apart, it is said.
    @Test func aStrangerThatLooksAlike() {
        let fitted = fit("shop-*.dump", { "shop-\($0).dump" }, besides: ["shop-1999-01-01.dump", "shop-old.dump"])
        #expect(fitted.strangers == ["shop-1999-01-01.dump"])
        let mixed = TightGlob.fitted("s-*", to: ["s-20261128", "s-2026-11-29"], among: ["s-20261128", "s-2026-11-29", "s-x"])
        #expect(mixed.match == "s-*" && mixed.strangers == ["s-x"])
    }

    /// Weekdays and months have no digits: their letters stand in their place.
    @Test func aRotationByWeekday() {
        func fit(_ match: String, _ own: [String], besides others: [String]) -> (match: String, strangers: [String]) {
            TightGlob.fitted(match, to: own, among: Set(own + others))
        }
        let week = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"].map { "shop-\($0).dump" }
        let short = fit("shop-*.dump", week, besides: ["shop-web.dump", "shop-2026-11.dump", "shop-test-mon.dump", "shop-monitoring.dump"])
        #expect(short.match == "shop-[fmstw][aehoru][deintu].dump" && short.strangers.isEmpty)
        let days = ["Monday", "Wednesday", "Sunday"].map { "\($0)/shop.sql" }
        let long = fit("*/shop.sql", days, besides: ["Monthly/shop.sql", "staging/shop.sql", "Sun/shop.sql"])
        #expect(long.match == "[FMSTW][aehoru][deintu]*[dD][aA][yY]/shop.sql" && long.strangers.isEmpty)
        let months = ["january", "may", "december"].map { "shop-\($0).dump" }
        let year = fit("shop-*.dump", months, besides: ["shop-test.dump"])
        #expect(year.strangers.isEmpty && year.match.hasSuffix("]*.dump"))
        #expect(fit("shop-*.dump", week, besides: ["shop-wet.dump"]).strangers == ["shop-wet.dump"])
    }

    @Test(arguments: [
        ("shop-mon.dump", "shop-*.dump"), ("shop_Monday.sql.gz", "shop_*.sql.gz"), ("Fri/shop.dump", "*/shop.dump"),
        ("shop-week-48.dump", "shop-week-*.dump"), ("shop-kw7.dump", "shop-kw*.dump"), ("shop.may.dump", "shop.*.dump"),
        ("monitoring.dump", nil), ("shop-week.dump", nil), ("shop-week-2026.dump", nil), ("sunshine/a.dump", nil),
    ])
    func rotations(path: String, pattern: String?) {
        #expect(SeriesName(path).rotating?.pattern == pattern)
    }
}
