// What a recovering server says of its way, read from its own log.

import ArtifactFormats
public import Foundation

/// The server's words about one recovery. It writes them in English: Muster starts it with LC_ALL=C.
public struct RecoveryLog: Sendable, Hashable {
    /// `recovery stopping …`: the target was reached.
    public var stopped: String?
    /// Where replay ended.
    public var replayedTo: UInt64?
    /// The last transaction that came back, by the source's clock.
    public var lastCommit: Date?
    /// The transaction that recovery stopped at, where the target is about transactions.
    public var stoppedAtTransaction: UInt64?
    public var newTimeline: UInt32?
    /// The last file that came from the archive.
    public var lastFile: String?
    public var isConsistent: Bool
    /// Where that was.
    public var consistentAt: UInt64?
    /// `recovery ended before configured recovery target was reached`
    public var endedBeforeTarget: Bool
    /// The target lies before the base backup's end.
    public var targetBeforeConsistency: Bool
    public var endedBeforeConsistency: Bool
    /// What the server said last of a record that it couldn't read: a position, and what was wrong with it.
    public var unreadable: String?
    /// The last FATAL or PANIC.
    public var fatal: String?

    public init(_ text: String) {
        isConsistent = text.contains("consistent recovery state reached")
        endedBeforeTarget = text.contains("recovery ended before configured recovery target was reached")
        targetBeforeConsistency = text.contains("requested recovery stop point is before consistent recovery point")
        endedBeforeConsistency =
            text.contains("WAL ends before end of online backup") || text.contains("WAL ends before consistent recovery point")
        for line in text.split(separator: "\n") {
            if let found = line.firstRange(of: "recovery stopping ") {
                stopped = String(line[found.lowerBound...])
                if let word = line.firstRange(of: "of transaction ") {
                    stoppedAtTransaction = UInt64(line[word.upperBound...].prefix { $0.isNumber })
                }
            } else if let found = line.firstRange(of: "consistent recovery state reached at ") {
                consistentAt = WALPosition.parse(line[found.upperBound...].prefix { $0 != " " })
            } else if let found = line.firstRange(of: "redo done at ") {
                replayedTo = WALPosition.parse(line[found.upperBound...].prefix { $0 != " " })
            } else if let found = line.firstRange(of: "last completed transaction was at log time ") {
                lastCommit = ServerClock.date(line[found.upperBound...], zone: .gmt)
            } else if let found = line.firstRange(of: "selected new timeline ID: ") {
                newTimeline = UInt32(line[found.upperBound...].prefix { $0.isNumber })
            } else if replayedTo == nil, let found = line.firstRange(of: "LOG:  "), Self.speaksOfRecord(line[found.upperBound...]) {
                unreadable = String(line[found.upperBound...])
            } else if let found = line.firstRange(of: "restored log file \"") {
                lastFile = String(line[found.upperBound...].prefix { $0 != "\"" })
            } else if let found = line.firstRange(of: "FATAL:  ") ?? line.firstRange(of: "PANIC:  ") {
                // What a client hears that knocks too early, or too late, is no reason for anything.
                guard !line[found.upperBound...].hasPrefix("the database system is ") else { continue }
                fatal = String(line[found.upperBound...])
            }
        }
    }

    /// The reader's own words (xlogreader.c), which name positions and lengths, and nothing of what stands there.
    private static func speaksOfRecord(_ words: Substring) -> Bool {
        let beginnings = [
            "invalid ", "incorrect ", "unexpected pageaddr", "out-of-sequence timeline ID", "record with ", "record length ",
            "there is no contrecord flag",
            "contrecord ", "missing contrecord", "WAL file is from different database system", "could not decompress image",
            "successfully skipped missing contrecord",
        ]
        return words.firstMatch(of: #/\ (?:at\ [0-9A-F]+/[0-9A-F]+|in\ (?:log|WAL)\ segment)/#) != nil
            && beginnings.contains { words.hasPrefix($0) }
    }
}
