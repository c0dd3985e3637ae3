// How few bytes are nothing, and how few show nothing: at the very byte where an answer turns.

import DrillModel
import Foundation
import Testing

@testable import BackupCatalog

@Suite struct ProbeBorderTests {
    private func isEmpty(_ head: [UInt8], _ kind: BackupSet.Kind, size: Int64? = nil, isEncrypted: Bool = false) -> Bool {
        var set = BackupSet(name: "daily", service: "s", kind: kind, stores: [], match: "*")
        if isEncrypted { set.encryption = Encryption(format: .opensslEnc(iterations: 1, digest: "sha256"), key: "k") }
        let content = ContentProbe.judge(head: head, middle: nil, permissions: nil)
        if case .empty = content.doubted(as: set, head: head, size: size ?? Int64(head.count)).doubt { return true }
        return false
    }

    private func gzip(_ count: Int) -> [UInt8] { [0x1f, 0x8b, 8] + [UInt8](repeating: 0x55, count: count - 3) }
    private func openssl(_ count: Int) -> [UInt8] { Array("Salted__12345678".utf8) + [UInt8](repeating: 0x9c, count: count) }

    /// An empty database's dump takes more than that, and of commands one alone may be all there is.
    @Test func theFewestBytesOfABackup() {
        for kind in [BackupSet.Kind.pgDump, .rdb] {
            #expect(isEmpty(gzip(63), kind) && !isEmpty(gzip(64), kind), "\(kind)")
            #expect(isEmpty(openssl(63), kind, isEncrypted: true) && !isEmpty(openssl(64), kind, isEncrypted: true), "\(kind)")
        }
        #expect(isEmpty(gzip(32), .aof) && !isEmpty(gzip(33), .aof))
        // Of a larger file these are the first bytes alone.
        #expect(!isEmpty(gzip(63), .pgDump, size: 64) && isEmpty(gzip(63), .pgDump, size: 63))
    }

    @Test func whereTheSecondSampleBegins() {
        let sample = Int64(ContentProbe.sampleSize)
        #expect(ContentProbe.middle(of: 4 * sample) == nil && ContentProbe.middle(of: 4 * sample + 2) == 2 * sample)
        // Artifacts of like sizes are read at one place.
        #expect(ContentProbe.middle(of: 33 << 20) == 16 << 20 && ContentProbe.middle(of: (64 << 20) - 1) == 16 << 20)
    }

    @Test func theFewestBytesWhoseDistributionTells() {
        func entropy(_ count: Int) -> Double? {
            ContentProbe.judge(head: [UInt8](repeating: 0x55, count: count), middle: nil, permissions: nil).entropy
        }
        #expect(entropy(511) == nil && entropy(512) == 0)
    }

    /// Whoever begins plain text with the header of an encrypted file.
    @Test func aShortText() {
        func isText(_ bytes: [UInt8]) -> Bool {
            ContentProbe.judge(head: Array("Salted__12345678".utf8) + bytes, middle: nil, permissions: nil).plainBehindHeader != nil
        }
        func letters(_ count: Int) -> [UInt8] { [UInt8](repeating: UInt8(ascii: "a"), count: count) }
        #expect(!isText(letters(31)) && isText(letters(32)) && isText(letters(511)))
        // From here on the distribution tells, which is another row's.
        #expect(!isText(letters(512)))
        #expect(isText(letters(95) + [UInt8](repeating: 0x80, count: 5)) && !isText(letters(94) + [UInt8](repeating: 0x80, count: 6)))
        #expect(isText(letters(30) + [0x20, 0x7e]) && isText(letters(29) + [0x09, 0x0a, 0x0d]))
        #expect(!isText(letters(32) + [0x1f, 0x1f]) && !isText(letters(32) + [0x7f, 0x7f]))
    }

    /// An hour for clocks and zones that differ, and no more.
    @Test func aNameFromTheFuture() throws {
        let named = try Date("2026-11-23T02:00:00Z", strategy: .iso8601)
        func source(_ ahead: TimeInterval) -> RecoveryPoint.TimeSource {
            let item = StoredItem(
                path: "a", location: URL(fileURLWithPath: "/x/app-20261123T020000Z.env"), isFolder: false, size: 1,
                modified: named.addingTimeInterval(-ahead))
            return FileBackupTime(timeZone: .gmt).time(of: item, kind: .env).1
        }
        #expect(source(3599) == .name && source(3600) == .modificationTime)
    }
}
