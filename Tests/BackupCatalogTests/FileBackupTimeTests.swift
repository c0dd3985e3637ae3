// The time in an artifact's name, where nothing inside it has one.

import DrillModel
import Foundation
import Testing

@testable import BackupCatalog

@Suite struct FileBackupTimeTests {
    private let zone = TimeZone(secondsFromGMT: 19_800) ?? .gmt

    @Test(arguments: [
        ("app-20261123T020000+0530.env.enc", "2026-11-22T20:30:00Z"), ("app-20261123T020000Z.bundle", "2026-11-23T02:00:00Z"),
        ("2026-11-23_02-00.bundle.gz", "2026-11-22T20:30:00Z"), ("app_20261123-020015.env", "2026-11-22T20:30:15Z"),
        ("app.2026-11-23T02:00:15-03:00.env", "2026-11-23T05:00:15Z"), ("202611230200.env", "2026-11-22T20:30:00Z"),
    ])
    func isRead(name: String, expected: String) throws {
        #expect(FileBackupTime.instant(in: name, zone)?.formatted(.iso8601) == expected)
    }

    @Test(arguments: [
        "app.env.enc", "app-20261123.env", "app-2026-11-23.bundle", "app-20261340T020000Z.env", "app-20261123T250000Z.env", "v1.2.3.bundle",
    ])
    func isNone(name: String) {
        #expect(FileBackupTime.instant(in: name, zone) == nil)
    }

    @Test func aNameFromTheFutureIsNotBelieved() {
        let item = StoredItem(
            path: "a", location: URL(fileURLWithPath: "/x/app-20261123T020000Z.env"), isFolder: false, size: 1,
            modified: Date(timeIntervalSince1970: 1_700_000_000))
        #expect(FileBackupTime(timeZone: zone).time(of: item, kind: .env).1 == .modificationTime)
    }
}
