// Configuration and code under the policy: no seal is asked for, and a mirror is judged by what it can tell.

import DrillModel
import Foundation
import Testing

@testable import BackupPolicy

@Suite struct FileBackupTests {
    private func series(_ kind: BackupSet.Kind, seals: SealPolicy = SealPolicy()) -> Series {
        var series = Series(now: "2026-11-20 12:00")
        series.set.kind = kind
        series.set.service = kind.engine.rawValue
        if kind == .gitMirror { series.set.encryption = nil }
        series.seals = seals
        return series
    }

    private func add(
        _ series: inout Series, _ time: String, _ source: RecoveryPoint.TimeSource, path: String = "code/app.git", in stores: Int = 2
    ) {
        for store in series.stores.prefix(stores) {
            let point = RecoveryPoint(
                service: series.set.service, backup: series.set.name, store: store.name, zone: store.zone, path: path,
                location: URL(fileURLWithPath: "/\(store.name)/\(path)"), size: 1000, time: series.date(time), timeSource: source,
                sealState: .missing)
            let content = StoredContent(kind: .folder, permissions: 0o700)
            series.copies.append(
                StoredCopy(point, content: series.set.kind == .gitMirror ? content : Series.encrypted, comparison: .identical))
        }
    }

    private func judge(_ series: Series) -> [CaseResult] {
        BackupPolicy.judge(
            BackupSeries(
                set: series.set, seals: series.seals, stores: series.stores, timeZone: series.zone, now: series.now, clock: series.now,
                copies: series.copies))
    }

    private func findings(_ series: Series) -> [String] { judge(series).flatMap(\.findings).map(\.rule.name) }

    /// `seals: {required: true}` is a promise about data: nobody could keep it here.
    @Test func noSealIsAskedFor() {
        var series = series(.env, seals: SealPolicy(required: true))
        for day in 10...20 { add(&series, "2026-11-\(day) 02:00", .name, path: "env/\(day).env.enc") }
        let cases = judge(series)
        #expect(findings(series) == [])
        let seals = cases.first { $0.name.contains("sealed") }
        #expect(seals?.verdict == .skipped && seals?.reason.contains("no seal is made of kind env") == true)
        #expect(cases.contains { $0.name == "daily: made every day at 02:00, within 30m" && $0.verdict == .passed })
    }

    @Test func aMissingDayIsTold() {
        var series = series(.env)
        for day in 10...20 where day != 15 { add(&series, "2026-11-\(day) 02:00", .name, path: "env/\(day).env.enc") }
        #expect(findings(series) == ["backup-missing"])
    }

    @Test func aFreshMirrorIsGreen() {
        var series = series(.gitMirror)
        series.set.retention = Retention([.daily: 30])
        add(&series, "2026-11-20 02:10", .lastFetch)
        let cases = judge(series)
        #expect(findings(series) == [])
        #expect(cases.contains { $0.name == "daily: fetched every day at 02:00" && $0.verdict == .passed })
        #expect(cases.contains { $0.name == "daily: it is in primary and dr" && $0.verdict == .passed })
        #expect(cases.contains { $0.name == "daily: kept as long as promised" && $0.verdict == .skipped })
    }

    @Test func aStaleMirrorIsRed() {
        var series = series(.gitMirror)
        add(&series, "2026-11-18 02:10", .lastFetch)
        #expect(Set(findings(series)) == ["gap-too-long"])
    }

    /// What can't be told is neither green nor red.
    @Test func aMirrorThatTellsNothing() {
        for (time, source) in [("2026-01-01 00:00", RecoveryPoint.TimeSource.modificationTime), ("2026-11-21 02:00", .lastFetch)] {
            var series = series(.gitMirror)
            add(&series, time, source)
            #expect(findings(series) == [])
            #expect(judge(series).first { $0.name == "daily: fetched every day at 02:00" }?.verdict == .skipped)
        }
    }

    @Test func aMirrorThatIsInOneStoreOnly() {
        var series = series(.gitMirror)
        add(&series, "2026-11-20 11:59", .lastFetch, in: 1)
        #expect(findings(series) == ["copy-missing"])
    }
}
