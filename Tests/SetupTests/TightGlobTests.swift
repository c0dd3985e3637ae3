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
}
