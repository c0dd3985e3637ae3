// An archive of the write-ahead log, judged by its names and by a look at each file.

import BackupCatalog
import DrillModel
import Foundation
import Glibc
import Testing

@testable import Inspection

/// Two stores' archives, made of nothing but names and of noise behind the header of an encrypted file.
private final class Archive {
    let folder = FileManager.default.temporaryDirectory.appending(path: "wal-\(UUID().uuidString)")
    var stores = ["primary", "dr"]
    var zones = ["primary": "ksdc", "dr": "dr"]
    var now = Date()
    var oldestBase: Date?
    var newestBase: Date?

    deinit { try? FileManager.default.removeItem(at: folder) }

    func url(_ name: String, in store: String) -> URL { folder.appending(path: "\(store)/wal/\(name)") }

    func add(_ name: String, in only: String? = nil, hoursAgo: Double = 2, _ bytes: [UInt8]? = nil) throws {
        for store in stores where only == nil || store == only {
            let file = url(name, in: store)
            try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            let noise = Array("Salted__".utf8) + (0..<2000).map { _ in UInt8.random(in: .min ... .max) }
            try Data(bytes ?? noise).write(to: file)
            try FileManager.default.setAttributes(
                [.posixPermissions: 0o600, .modificationDate: now.addingTimeInterval(-hoursAgo * 3600)], ofItemAtPath: file.path)
        }
    }

    /// Of timeline 1, with the usual 256 parts.
    func addSegments(_ numbers: ClosedRange<Int>, timeline: Int = 1, in store: String? = nil, hoursAgo: Double = 2) throws {
        for number in numbers { try add(Self.name(number, timeline), in: store, hoursAgo: hoursAgo) }
    }

    static func name(_ number: Int, _ timeline: Int = 1) -> String {
        String(format: "%08X%08X%08X.enc", timeline, number / 256, number % 256)
    }

    func ask() -> [CaseResult] {
        let wal = WALArchive(
            stores: stores, match: "wal/*", encryption: Encryption(format: .opensslEnc(iterations: 10_000, digest: "sha256"), key: "k"))
        let set = BackupSet(name: "base", service: "postgres", kind: .baseBackup, stores: stores, match: "base/*", wal: wal)
        let named = stores.map { Store(name: $0, location: .folder(folder.appending(path: $0)), zone: zones[$0]) }
        let estate = Estate(
            name: "e", timeZone: .gmt, stores: Dictionary(uniqueKeysWithValues: named.map { ($0.name, $0) }), keys: [:], services: [:],
            seals: SealPolicy(), file: folder)
        let catalogue = Catalogue(estate: estate, set: set, trusted: [], decryption: nil)
        let listings = named.map { store in
            WALPromises.Listing(store: store, files: Result { () throws(DrillFailure) in try catalogue.walFiles(in: store) })
        }
        return WALPromises(set: set, archive: wal, listings: listings, oldestBase: oldestBase, newestBase: newestBase, now: now).ask()
    }

    func findings() -> [String] { ask().flatMap(\.findings).map { "\($0.rule) \($0.severity) \($0.object)" } }
}

@Suite struct WALPromisesTests {
    private let gap = "postgres base: the write-ahead log has no gap"

    @Test func aWholeArchive() throws {
        let archive = Archive()
        // Over the end of a log, and with what a promotion leaves.
        try archive.addSegments(250...260)
        try archive.add("00000002.history.enc")
        try archive.addSegments(260...262, timeline: 2)
        archive.newestBase = archive.now.addingTimeInterval(-3 * 3600)
        let cases = archive.ask()
        #expect(cases.map(\.verdict) == [.passed, .passed, .passed, .passed, .passed] && cases.flatMap(\.findings) == [])
        #expect(cases.allSatisfy { $0.group == .policy })
    }

    @Test func aSegmentThatIsMissing() throws {
        let archive = Archive()
        try archive.addSegments(250...255)
        try archive.addSegments(258...260)
        for store in archive.stores { #expect(archive.findings().contains("wal-gap critical \(store):000000010000000100000000")) }
        #expect(archive.ask().first?.findings.first?.actual == "2 missing")
        // Other tools' base backups leave their history files, too: they say nothing of those that are kept.
        try archive.add("000000010000000100000002.00000028.backup.enc")
        #expect(archive.ask().first?.verdict == .failed)
        // Nobody needs what was stored long before the oldest base backup.
        archive.oldestBase = archive.now.addingTimeInterval(-20 * 3600)
        #expect(archive.ask().first?.verdict == .failed)
        try archive.addSegments(258...258, hoursAgo: 50)
        #expect(archive.ask().first?.verdict == .passed)
        #expect(archive.findings().allSatisfy { $0.hasPrefix("wal-gap warning") } && archive.findings().count == 2)
    }

    /// A server takes the first history file that it misses for the end, and so does everybody who only counts segments.
    /// Where the archive of the new timeline begins too late, the gap lies between the two.
    @Test func aTimelineThatBeginsTooLate() throws {
        let archive = Archive()
        archive.stores = ["primary"]
        try archive.addSegments(1...4)
        try archive.addSegments(6...8, timeline: 2)
        try archive.add("00000002.history.enc")
        #expect(archive.findings().filter { !$0.hasPrefix("one-zone") } == ["wal-gap critical 000000020000000000000005"])
        try archive.addSegments(5...5, timeline: 2)
        #expect(archive.findings().filter { !$0.hasPrefix("one-zone") } == [])
        // A third is known by its history alone.
        try archive.add("00000003.history.enc")
        #expect(archive.findings().filter { !$0.hasPrefix("one-zone") } == ["timeline-without-segments note 00000003.history"])
        #expect(!archive.ask().contains { $0.verdict == .failed })
        // What was left long before the oldest base backup leads nowhere.
        archive.oldestBase = archive.now.addingTimeInterval(-3 * 3600)
        try archive.addSegments(1...4, hoursAgo: 60)
        try FileManager.default.removeItem(at: archive.url(Archive.name(5, 2), in: "primary"))
        #expect(archive.findings().filter { $0.hasPrefix("wal-gap critical") } == [])
    }

    @Test func aTimelineWithoutItsHistory() throws {
        let archive = Archive()
        try archive.addSegments(1...4)
        try archive.addSegments(4...6, timeline: 2)
        let lost = "wal-timeline-broken critical"
        #expect(archive.findings() == archive.stores.map { "\(lost) \($0):00000002.history" })
        // Empty is none; and where another store has it, it is a copy that is missing.
        try archive.add("00000002.history", in: "primary", [])
        #expect(archive.ask().flatMap(\.findings).first { $0.object == "primary:00000002.history" }?.actual == "an empty file")
        try archive.add("00000002.history.enc", in: "dr")
        try FileManager.default.removeItem(at: archive.url("00000002.history", in: "primary"))
        #expect(archive.findings() == ["copy-missing critical primary:00000002.history"])
        try archive.add("00000002.history.enc")
        #expect(archive.findings() == [])
        // Of several switchovers one is missing; only those that somebody could come from count.
        try archive.addSegments(7...8, timeline: 4)
        try archive.add("00000004.history.enc")
        #expect(archive.findings() == archive.stores.map { "\(lost) \($0):00000003.history" })
        for store in archive.stores { try FileManager.default.removeItem(at: archive.url("00000002.history.enc", in: store)) }
        try archive.add("00000003.history.enc")
        #expect(archive.findings().allSatisfy { $0.hasPrefix(lost) && $0.hasSuffix("00000002.history") })
        archive.oldestBase = archive.now.addingTimeInterval(-20 * 3600)
        try archive.addSegments(1...4, hoursAgo: 90)
        #expect(archive.findings() == [])
    }

    /// A gap that spans most of a log, and a store that alone has one.
    @Test func gapsThatHide() throws {
        let archive = Archive()
        try archive.addSegments(0...3)
        try archive.addSegments(256...257)
        #expect(archive.ask().first?.findings.first?.actual == "252 missing")
        let other = Archive()
        try other.addSegments(1...9, in: "primary")
        try other.addSegments(1...4, in: "dr")
        try other.addSegments(6...9, in: "dr")
        #expect(other.findings() == ["wal-gap critical dr:000000010000000000000005", "copy-missing critical dr:000000010000000000000005"])
    }

    /// Larger segments have fewer parts: nothing is missing where a log ends early.
    @Test func segmentsOf64Megabytes() throws {
        let archive = Archive()
        for name in ["00000001000000000000003E", "00000001000000000000003F", "000000010000000100000000"] {
            try archive.add(name + ".enc")
            for store in archive.stores { truncate(archive.url(name + ".enc", in: store).path, 64 << 20) }
        }
        #expect(archive.ask().first?.verdict == .passed, "\(archive.findings())")
    }

    /// Compressed, the files' sizes tell nothing: the names have to.
    @Test func largerSegmentsInFewBytes() throws {
        let archive = Archive()
        for part in 0x38...0x3f { try archive.add(String(format: "0000000100000000%08X.gz.enc", part)) }
        for part in 0...2 { try archive.add(String(format: "0000000100000001%08X.gz.enc", part)) }
        #expect(archive.findings() == [], "64 MB each")
        let huge = Archive()
        for log in 1...3 { for part in 0...3 { try huge.add(String(format: "00000001%08X%08X.zst.enc", log, part)) } }
        #expect(huge.findings() == [], "1 GB each")
        try FileManager.default.removeItem(at: huge.url("000000010000000200000002.zst.enc", in: "dr"))
        #expect(huge.findings().first == "wal-gap critical dr:000000010000000200000002")
        // Usual ones, and by chance a gap that begins behind a power of two.
        let usual = Archive()
        for part in 0x30...0x3f { try usual.add(String(format: "0000000100000000%08X.gz.enc", part)) }
        for part in 1...2 { try usual.add(String(format: "0000000100000001%08X.gz.enc", part)) }
        #expect(usual.findings().contains("wal-gap critical dr:000000010000000000000040"))
    }

    @Test func anArchiveThatStoodStill() throws {
        let archive = Archive()
        try archive.addSegments(1...4, hoursAgo: 30)
        archive.newestBase = archive.now.addingTimeInterval(-7 * 3600)
        #expect(archive.findings() == ["wal-missing critical postgres/base"])
        try archive.addSegments(5...5, hoursAgo: 6.9)
        #expect(archive.findings() == [])
        archive.newestBase = archive.now.addingTimeInterval(-600)
        #expect(archive.ask().contains { $0.verdict == .skipped && $0.reason.contains("younger than an hour") })
        archive.newestBase = nil
        #expect(archive.ask().contains { $0.verdict == .skipped && $0.reason == "there is no base backup" })
    }

    /// Each grace to the second.
    @Test func justInTime() throws {
        func archive(_ now: Date = Date(timeIntervalSince1970: Date().timeIntervalSince1970.rounded())) -> Archive {
            let archive = Archive()
            archive.now = now
            return archive
        }
        let still = archive()
        try still.addSegments(1...4, hoursAgo: 30)
        for (later, findings) in [(300.0, []), (301, ["wal-missing critical postgres/base"])] {
            still.newestBase = still.now.addingTimeInterval(later - 30 * 3600)
            #expect(still.findings() == findings, "\(later)")
        }
        for (age, isYoung) in [(3600.0, true), (3601, false)] {
            still.newestBase = still.now.addingTimeInterval(-age)
            #expect(still.ask().contains { $0.reason.contains("younger than an hour") } == isYoung, "\(age)")
        }
        let lone = archive()
        try lone.addSegments(1...3)
        try lone.addSegments(4...4, in: "primary", hoursAgo: 1)
        #expect(lone.findings() == [])
        lone.now += 1
        #expect(lone.findings() == ["copy-missing critical dr:000000010000000000000004"])
        // A day older than the oldest base backup is no part of what it needs.
        let old = archive()
        try old.addSegments(1...2, hoursAgo: 50)
        try old.addSegments(4...6, hoursAgo: 50)
        for (earlier, gaps) in [(0.0, 2), (1, 0)] {
            old.oldestBase = old.now.addingTimeInterval(earlier - 26 * 3600)
            #expect(old.findings().filter { $0.hasPrefix("wal-gap critical") }.count == gaps, "\(earlier) \(old.findings())")
        }
    }

    @Test func nothingAtAll() throws {
        let archive = Archive()
        for store in archive.stores {
            try FileManager.default.createDirectory(at: archive.url("x", in: store), withIntermediateDirectories: true)
        }
        #expect(archive.ask().map(\.verdict) == [.failed] && archive.findings().allSatisfy { $0 == "wal-missing critical postgres/base" })
        try archive.addSegments(1...3, in: "primary")
        #expect(archive.findings() == ["wal-missing critical postgres/base"], "and not each file again as a copy that is missing")
        try FileManager.default.removeItem(at: archive.folder.appending(path: "dr"))
        #expect(archive.ask().first?.verdict == .failed && archive.ask().first?.findings.first?.rule.name == "store-missing")
    }

    @Test func theNewestMayStillBeOnItsWay() throws {
        let archive = Archive()
        try archive.addSegments(1...3)
        try archive.addSegments(4...4, in: "primary", hoursAgo: 0.5)
        #expect(archive.findings() == [])
        try archive.addSegments(4...4, in: "primary", hoursAgo: 1.5)
        #expect(archive.findings() == ["copy-missing critical dr:000000010000000000000004"])
        archive.zones = ["primary": "ksdc", "dr": "ksdc"]
        #expect(archive.findings().contains("one-zone warning postgres/base"))
    }

    @Test func plainTextOpenFilesAndPipes() throws {
        let archive = Archive()
        try archive.addSegments(1...3)
        try archive.add(Archive.name(4), in: "primary", [UInt8](repeating: 0x41, count: 9000))
        try archive.add(Archive.name(4), in: "dr")
        #expect(archive.findings() == ["artifact-not-encrypted critical postgres/base: primary:000000010000000000000004.enc"])
        try archive.add(Archive.name(4))
        chmod(archive.url(Archive.name(2), in: "dr").path, 0o602)
        #expect(archive.findings() == ["world-writable critical postgres/base: dr:000000010000000000000002.enc"])
        chmod(archive.url(Archive.name(2), in: "dr").path, 0o600)
        let pipe = archive.url(Archive.name(3), in: "dr")
        try FileManager.default.removeItem(at: pipe)
        try #require(mkfifo(pipe.path, 0o600) == 0)
        #expect(archive.findings().contains { $0.contains("000000010000000000000003") }, "\(archive.findings())")
    }
}
