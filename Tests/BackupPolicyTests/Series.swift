// Series of backups as the tests want them: a sound one, and what is done to it.

import DrillModel
import Foundation
import Testing

@testable import BackupPolicy

/// Makes recovery points out of local times.
struct Series {
    var zone = TimeZone(identifier: "Asia/Kolkata") ?? .gmt
    var set = BackupSet(
        name: "daily", service: "postgres", kind: .pgDump, stores: ["primary", "dr"], match: "daily/*",
        encryption: Encryption(format: .opensslEnc(iterations: 10_000, digest: "sha256"), key: "backup"),
        schedule: Schedule(interval: .day, at: TimeOfDay(hour: 2, minute: 0)))
    var seals = SealPolicy()
    var stores = [
        Store(name: "primary", location: .folder(URL(fileURLWithPath: "/p")), zone: "ksdc"),
        Store(name: "dr", location: .folder(URL(fileURLWithPath: "/d")), zone: "dr"),
    ]
    var now: Date
    /// What time it really is; nil: the instant that is judged for.
    var clock: Date?
    var copies: [StoredCopy] = []

    init(now: String, zone: String = "Asia/Kolkata", _ schedule: Schedule? = nil, _ retention: [Retention.Tier: Int] = [:]) {
        self.zone = TimeZone(identifier: zone) ?? .gmt
        self.now = Self.date(now, self.zone)
        if let schedule { set.schedule = schedule }
        if !retention.isEmpty { set.retention = Retention(retention) }
    }

    /// `2026-11-03 02:00` on the clocks of a zone.
    static func date(_ text: String, _ zone: TimeZone) -> Date {
        let numbers = text.split { !$0.isNumber }.compactMap { Int($0) }
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = zone
        let parts = DateComponents(
            year: numbers[0], month: numbers[1], day: numbers[2], hour: numbers.count > 3 ? numbers[3] : 0,
            minute: numbers.count > 4 ? numbers[4] : 0)
        return calendar.date(from: parts) ?? .distantPast
    }

    func date(_ text: String) -> Date { Self.date(text, zone) }

    static let encrypted = StoredContent(kind: .encrypted("an openssl-encrypted file"), entropy: 7.95, sampled: 4080, permissions: 0o600)

    /// An encrypted, sealed backup in both stores.
    mutating func add(_ time: String, size: Int64 = 100_000) { add(date(time), size: size) }

    mutating func add(_ time: Date, size: Int64 = 100_000) {
        let path = "daily/\(Int(time.timeIntervalSince1970)).dump.enc"
        for store in stores {
            let artifact = Seal.Artifact(name: path, size: size, sha256: String(repeating: "a", count: 64))
            let seal = Seal(
                estate: "e", service: set.service, backup: set.name, truth: .source, snapshotTime: time, backupSeconds: 40,
                artifact: artifact)
            let point = RecoveryPoint(
                service: set.service, backup: set.name, store: store.name, zone: store.zone, path: path,
                location: URL(fileURLWithPath: "/\(store.name)/\(path)"), size: size, time: time, timeSource: .seal,
                sealState: .valid(seal))
            copies.append(
                StoredCopy(
                    point, content: Self.encrypted, comparison: store.name == stores.first?.name ? nil : .identical))
        }
    }

    /// One a day at a local time, from a date through another.
    mutating func addDaily(_ first: String, through last: String, at hour: Int = 2, minute: Int = 0) {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = zone
        var day = date(first)
        while day <= date(last) {
            if let time = calendar.date(bySettingHour: hour, minute: minute, second: 0, of: day) { add(time) }
            day = calendar.date(byAdding: .day, value: 1, to: day) ?? .distantFuture
        }
    }

    mutating func remove(_ time: String) {
        let moment = date(time)
        let before = copies.count
        copies.removeAll { $0.point.time == moment }
        #expect(copies.count < before, "\(time) was there")
    }

    /// Changes the copies of one instant, in one store or in all.
    mutating func change(_ time: String, in store: String? = nil, _ body: (inout StoredCopy) -> Void) {
        let moment = date(time)
        for index in copies.indices where copies[index].point.time == moment && (store == nil || copies[index].point.store == store) {
            body(&copies[index])
        }
    }

    func judged() -> [CaseResult] {
        let order = stores.map(\.name)
        let sorted = order.flatMap { name in copies.filter { $0.point.store == name } }
        return BackupPolicy.judge(
            BackupSeries(set: set, seals: seals, stores: stores, timeZone: zone, now: now, clock: clock ?? now, copies: sorted))
    }

    /// All findings, as `rule object`.
    func findings() -> [String] { judged().flatMap(\.findings).map { "\($0.rule) \($0.object)" } }

    func verdict(_ name: String) -> Verdict? { judged().first { $0.name.contains(name) }?.verdict }

    /// Five weeks and twelve months, as the plan promises them.
    static func regime() -> Series {
        var series = Series(
            now: "2026-11-23 11:00", Schedule(interval: .day, at: TimeOfDay(hour: 2, minute: 0)), [.daily: 30, .monthly: 12])
        for month in ["2025-11", "2025-12"] { series.add("\(month)-01 02:00") }
        for month in 1...10 { series.add("2026-\(month < 10 ? "0" : "")\(month)-01 02:00") }
        series.addDaily("2026-10-25", through: "2026-11-23")
        return series
    }
}
