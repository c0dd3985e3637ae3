// The times that are set inside of archives and snapshots.

import ArtifactFormats
import Foundation
import Testing

@testable import Lab

@Suite struct ClockTests {
    private let instant = Date(timeIntervalSince1970: 1_764_000_007)

    @Test func checksumIsJones() {
        #expect(SnapshotClock.checksum(Array("123456789".utf8)[...]) == 0xe9c6_d914_c4b8_d9ca)
    }

    @Test func snapshotWithoutCreationTimeIsRefused() {
        var bytes = Array("REDIS0010".utf8) + [UInt8](repeating: 0xff, count: 200)
        let before = bytes
        #expect(!SnapshotClock.set(&bytes, to: instant))
        #expect(bytes == before)
    }

    @Test func snapshotWithoutChecksumStaysWithoutOne() {
        var bytes = Array("REDIS0010".utf8) + [0xfa, 5] + Array("ctime".utf8) + [0xc2, 1, 2, 3, 4]
        bytes += [UInt8](repeating: 0xfe, count: 60) + [0xff] + [UInt8](repeating: 0, count: 8)
        #expect(SnapshotClock.set(&bytes, to: instant))
        #expect(RDBHeader(bytes)?.created == instant)
        #expect(bytes.suffix(8).allSatisfy { $0 == 0 })
    }

    @Test(arguments: [(14, [0, 6, 0, 0, 0]), (15, [1])] as [(UInt8, [UInt8])])
    func archiveTimeIsSet(minor: UInt8, compression: [UInt8]) throws {
        var bytes = Array("PGDMP".utf8) + [1, minor, 0, 4, 8, 1] + compression
        for number in [1, 2, 3, 4, 5, 120, 0] as [UInt8] { bytes += [0, number, 0, 0, 0] }
        for text in ["domainscope", "15.18", "15.18"] { bytes += [0, UInt8(text.utf8.count), 0, 0, 0] + Array(text.utf8) }
        #expect(DumpClock.set(&bytes, to: instant))
        let header = try #require(ArchiveHeader(bytes, timeZone: .gmt))
        #expect(header.created == instant)
        #expect(header.database == "domainscope")
    }

    @Test func whatIsNoArchiveStaysAsItIs() {
        var bytes = [UInt8](repeating: 7, count: 100)
        #expect(!DumpClock.set(&bytes, to: instant))
        #expect(bytes == [UInt8](repeating: 7, count: 100))
    }
}
