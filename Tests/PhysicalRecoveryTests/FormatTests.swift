// What names, labels, histories and times of the write-ahead log are read as.

import ArtifactFormats
import Foundation
import Testing

@Suite struct WALNameTests {
    @Test func plainNameOfWhatArchiversAppend() {
        #expect(WALFileName(stored: "000000010000000A000000FF")?.plain == "000000010000000A000000FF")
        #expect(WALFileName(stored: "000000010000000A000000FF.zst.enc")?.plain == "000000010000000A000000FF")
        #expect(WALFileName(stored: "00000002.history.enc") == .history(2))
        #expect(WALFileName.partial(stored: "000000010000000A000000FF.partial.gz")?.text == "000000010000000A000000FF")
        #expect(WALFileName.partial(stored: "000000010000000A000000FF.gz") == nil && WALFileName.partial(stored: "x.partial") == nil)
        #expect(WALFileName(stored: "000000010000000000000002.00000028.backup.gz")?.plain == "000000010000000000000002.00000028.backup")
    }

    @Test(arguments: ["000000010000000A000000FF.partial", "000000010000000a000000ff", "readme", "0000000100000000", ".history"])
    func whatNoRecoveryAsksFor(name: String) {
        #expect(WALFileName(stored: name) == nil)
    }

    @Test func numbersRunOnAcrossLogs() throws {
        let last = try #require(WALSegmentName("0000000100000000000000FF"))
        #expect(last.number(size: 16 << 20) == 255)
        #expect(WALSegmentName(timeline: 1, number: 256, size: 16 << 20).text == "000000010000000100000000")
        #expect(WALSegmentName(timeline: 1, number: 4, size: 1 << 30).text == "000000010000000100000000")
    }
}

@Suite struct LabelTests {
    private let text = """
        START WAL LOCATION: 0/2000028 (file 000000010000000000000002)
        STOP WAL LOCATION: 0/2000100 (file 000000010000000000000002)
        CHECKPOINT LOCATION: 0/2000060
        BACKUP METHOD: streamed
        START TIME: 2026-11-23 06:20:00 IST
        LABEL: pg_basebackup base backup
        START TIMELINE: 1
        STOP TIME: 2026-11-23 06:21:26 IST
        STOP TIMELINE: 1
        """

    @Test func startAndEnd() throws {
        let label = try #require(BackupLabel(text))
        #expect(label.start == 0x200_0028 && label.startFile == "000000010000000000000002" && label.timeline == 1)
        let zone = try #require(TimeZone(identifier: "Asia/Kolkata"))
        #expect(label.stopped(in: zone) == ServerClock.date("2026-11-23 00:51:27", zone: .gmt))
        // An abbreviation that isn't the estate's own could be any of several zones.
        #expect(label.stopped(in: try #require(TimeZone(identifier: "Europe/Berlin"))) == nil)
    }

    @Test func history() throws {
        let history = try #require(TimelineHistory(timeline: 3, text: "1\t0/5000000\tno recovery target specified\n\n2\t0/9000148\tx\n"))
        #expect(history.begin(of: 1) == 0 && history.begin(of: 2) == 0x500_0000 && history.begin(of: 3) == 0x900_0148)
        #expect(history.begin(of: 4) == nil)
        #expect(TimelineHistory(timeline: 3, text: "one two\n") == nil)
        // Empty, with a comment alone, and with an ancestor that is none.
        for text in ["", "# nothing\n", "3\t0/5000000\tx\n"] { #expect(TimelineHistory(timeline: 3, text: text) == nil) }
    }

    @Test func clock() {
        #expect(ServerClock.date("2026-11-23 06:21:26.5+05:30", zone: .gmt)?.timeIntervalSince1970 == 1_795_395_086.5)
        #expect(ServerClock.date("2026-11-23 06:21:26+00", zone: .gmt) == ServerClock.date("2026-11-23 06:21:26 GMT", zone: .gmt))
        #expect(ServerClock.date("yesterday", zone: .gmt) == nil)
    }
}
