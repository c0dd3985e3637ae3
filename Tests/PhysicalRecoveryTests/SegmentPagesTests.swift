// Where a record ends, and whether one stands behind a place: on pages that are made by hand, at their very borders.

import ArtifactFormats
import Foundation
import Glibc
import Testing

@testable import PhysicalRecovery

@Suite struct SegmentPagesTests {
    private static let page = 8192
    private static let size = 3 * page
    private static let address: UInt64 = 0x500_0000

    /// Three pages of a segment, and records where they are put.
    private struct Segment {
        var bytes = Data(count: SegmentPagesTests.size)

        init() {
            for number in 0..<3 {
                let start = number * SegmentPagesTests.page
                put(0xd110, at: start, UInt16.self)
                put(number == 0 ? 2 : 0, at: start + 2, UInt16.self)
                put(1, at: start + 4, UInt32.self)
                put(SegmentPagesTests.address + UInt64(start), at: start + 8, UInt64.self)
            }
            put(UInt64(SegmentPagesTests.size), at: 32, UInt32.self)
            put(UInt64(SegmentPagesTests.page), at: 36, UInt32.self)
        }

        mutating func put<Number: FixedWidthInteger>(_ value: UInt64, at offset: Int, _: Number.Type) {
            let number = Number(truncatingIfNeeded: value).littleEndian
            withUnsafeBytes(of: number) { bytes.replaceSubrange(offset..<offset + $0.count, with: $0) }
        }

        /// - Parameter before: Where its predecessor begins.
        mutating func record(at offset: Int, length: Int, before: UInt64 = 0) {
            put(UInt64(length), at: offset, UInt32.self)
            put(before, at: offset + 8, UInt64.self)
        }

        func pages() throws -> SegmentPages {
            let file = FileManager.default.temporaryDirectory.appending(path: "segment-\(UUID().uuidString)")
            defer { try? FileManager.default.removeItem(at: file) }
            try bytes.write(to: file)
            return try #require(SegmentPages(file, size: UInt64(bytes.count)))
        }
    }

    private func place(_ offset: Int) -> UInt64 { Self.address + UInt64(offset) }

    @Test func whereARecordEnds() throws {
        func end(at offset: Int, length: Int, _ change: (inout Segment) -> Void = { _ in }) throws -> UInt64? {
            var segment = Segment()
            segment.record(at: offset, length: length)
            change(&segment)
            return try segment.pages().end(ofRecordAt: place(offset))
        }
        #expect(try end(at: 40, length: 24) == place(64))
        // The next begins at eight bytes' border.
        #expect(try end(at: 40, length: 25) == place(72) && end(at: 40, length: 16) == nil)
        #expect(try end(at: 40, length: Self.page - 40) == place(Self.page))
        #expect(try end(at: 40, length: Self.page - 39) == place(Self.page + 24 + 8))
        #expect(try end(at: 40, length: 2 * Self.page - 40 - 24) == place(2 * Self.page))
        #expect(try end(at: 40, length: 2 * Self.page - 40 - 23) == place(2 * Self.page + 24 + 8))
        // In the next segment, whose first page has the long header.
        #expect(try end(at: Self.size - 24, length: 24) == place(Self.size))
        #expect(try end(at: Self.size - 24, length: 32) == place(Self.size + 40 + 8))
        // A switch takes the rest of its segment.
        #expect(try end(at: 40, length: 24) { $0.put(0x40, at: 56, UInt8.self) } == place(Self.size))
        let last = Self.page - 24
        #expect(try end(at: last, length: 24) { $0.put(0x40, at: last + 16, UInt8.self) } == place(Self.size))
        let pages = try Segment().pages()
        #expect(pages.end(ofRecordAt: Self.address - 8) == nil && pages.end(ofRecordAt: place(Self.size)) == nil)
    }

    @Test func aRecordBehindAPlace() throws {
        func behind(_ position: Int, _ change: (inout Segment) -> Void) throws -> UInt64? {
            var segment = Segment()
            change(&segment)
            return try segment.pages().recordBehind(place(position))
        }
        #expect(try behind(40) { _ in } == nil)
        // The one that follows what can't be read: it names where that begins.
        #expect(try behind(40) { $0.record(at: 64, length: 24, before: place(40)) } == place(64))
        #expect(try behind(40) { $0.record(at: 64, length: 23, before: place(40)) } == nil)
        #expect(try behind(40) { $0.record(at: 64, length: 24, before: place(48)) } == nil)
        // The last place of a page that a record's head fits on.
        let last = Self.page - 24
        #expect(try behind(40) { $0.record(at: last, length: 24, before: place(40)) } == place(last))
        // Replay that ended with the segment before: behind that place is this one's first record.
        #expect(try behind(0) { $0.record(at: 64, length: 24, before: place(40)) } == place(64))
        // At a page's beginning a record begins behind the header.
        let second = Self.page + 24
        #expect(try behind(Self.page) { $0.record(at: second + 24, length: 24, before: place(second)) } == place(second + 24))
        // The first that begins on a later page, behind the rest of one that goes on there.
        #expect(try behind(40) { $0.record(at: second, length: 24, before: place(40)) } == place(second))
        #expect(try behind(40) { $0.record(at: second, length: 24, before: place(32)) } == nil, "of what was read")
        let goesOn: (inout Segment) -> Void = {
            $0.put(1, at: Self.page + 2, UInt16.self)
            $0.put(9, at: Self.page + 16, UInt32.self)
            $0.record(at: second + 16, length: 24, before: place(48))
        }
        #expect(try behind(40, goesOn) == place(second + 16))
        // The same, with just the room for a record's head behind it.
        #expect(
            try behind(40) {
                $0.put(1, at: Self.page + 2, UInt16.self)
                $0.put(UInt64(Self.page - 48), at: Self.page + 16, UInt32.self)
                $0.record(at: 2 * Self.page - 24, length: 24, before: place(48))
            } == place(2 * Self.page - 24))
        // A page that is left of an older segment says nothing.
        #expect(
            try behind(40) {
                goesOn(&$0)
                $0.put(Self.address - UInt64(Self.size), at: Self.page + 8, UInt64.self)
            } == nil)
        let pages = try Segment().pages()
        #expect(pages.recordBehind(Self.address - 8) == nil && pages.recordBehind(place(Self.size)) == nil)
    }

    /// A cluster may have segments of up to a gigabyte: more than is ever read of a log.
    @Test func aLargeSegmentIsOne() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "segment-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: file) }
        var segment = Segment()
        let size = 128 << 20
        segment.put(UInt64(size), at: 32, UInt32.self)
        segment.record(at: 40, length: 24)
        try segment.bytes.write(to: file)
        #expect(truncate(file.path, size) == 0)
        #expect(try #require(SegmentPages(file, size: UInt64(size))).end(ofRecordAt: place(40)) == place(64))
    }

    @Test func whatIsNoSegment() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "segment-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: file) }
        func isOne(size: Int = Self.size, _ change: (inout Segment) -> Void) throws -> Bool {
            var segment = Segment()
            change(&segment)
            try segment.bytes.write(to: file)
            return SegmentPages(file, size: UInt64(size)) != nil
        }
        #expect(try isOne { _ in } && !isOne(size: Self.size + 1) { _ in })
        for (page, expected) in [(512, true), (256, false), (8191, false)] {
            #expect(try isOne { $0.put(UInt64(page), at: 36, UInt32.self) } == expected, "\(page)")
        }
    }

    /// pg_controldata's words, where the size of a segment can't be one.
    @Test(arguments: [(1 << 20, true), (1 << 19, false), (3 << 20, false)]) func aSegmentsSize(bytes: Int, isOne: Bool) {
        #expect((ControlData("Database system identifier: 7\nBytes per WAL segment: \(bytes)\n") != nil) == isOne)
    }
}
