// pg_waldump: reads the write-ahead log of its own major version, and checks each record's checksum on the way.

public import Foundation
public import ScratchHost

/// How it ends counts only where it was to read segments to their end: of a segment that is partly written it ends with 1 where the written
/// part does.
public struct PgWaldump: Sendable {
    /// The program's path.
    public var program: String

    public init(program: String) { self.program = program }

    /// Reads every record from one segment to another, both in a folder, and prints none.
    public func check(from first: String, to last: String, timeline: UInt32, in folder: URL) -> [String] {
        [program, "--quiet", "--timeline=\(timeline)", "--path=\(folder.path)", first, last]
    }

    /// Prints the records of commits and aborts.
    public func transactions(in segment: URL) -> [String] { [program, "--rmgr=Transaction", segment.path] }

    /// Which records are printed.
    public enum Records: String, Sendable {
        case transactions = "Transaction"
        /// Of the log itself: checkpoints, switches of segments.
        case log = "XLOG"
    }

    /// Prints those of all segments of a folder between two positions.
    public func records(_ kind: Records, from start: String, to end: String, timeline: UInt32, in folder: URL) -> [String] {
        [program, "--rmgr=\(kind.rawValue)", "--start=\(start)", "--end=\(end)", "--timeline=\(timeline)", "--path=\(folder.path)"]
    }

    /// Where the record begins that leaves the rest of a segment unused; nil of another line.
    public static func switched(_ line: some StringProtocol) -> UInt64? {
        guard let words = line.range(of: "desc: "), line[words.upperBound...].hasPrefix("SWITCH") else { return nil }
        return TransactionEnd.field("lsn: ", in: line[..<words.lowerBound]).flatMap { position(in: String($0)) }
    }

    /// The end of a transaction, as a line of those tells it.
    public struct TransactionEnd: Sendable, Hashable {
        public var isCommit: Bool
        /// Without its epoch.
        public var transaction: UInt32
        /// Where its record begins.
        public var position: UInt64

        public init(isCommit: Bool, transaction: UInt32, position: UInt64) {
            self.isCommit = isCommit
            self.transaction = transaction
            self.position = position
        }

        /// nil of a record that ends none.
        public init?(_ line: some StringProtocol) {
            let found = (Array(line.utf8) + [UInt8(ascii: "\n")]).withUnsafeBytes { Self(bytes: $0) }
            guard let found else { return nil }
            self = found
        }

        /// The same of a line as it was written, its line break included: an archive holds millions.
        public init?(bytes line: UnsafeRawBufferPointer) {
            guard line.last == UInt8(ascii: "\n"), let words = Self.behind("desc: ", line) else { return nil }
            let isCommit = Self.begins(words, "COMMIT")
            guard isCommit || Self.begins(words, "ABORT") else { return nil }
            let rest = UnsafeRawBufferPointer(rebasing: words[(isCommit ? 6 : 5)...])
            // The header of what ends a prepared one bears the session's own number, or none.
            let number: UInt64?
            if Self.begins(rest, "_PREPARED ") {
                number = Self.number(UnsafeRawBufferPointer(rebasing: rest[10...]), radix: 10)?.value
            } else if Self.begins(rest, " ") || Self.begins(rest, "\n") {
                number = Self.behind("tx: ", line).flatMap { Self.number($0, radix: 10)?.value }
            } else {
                return nil
            }
            guard let number = number.flatMap({ UInt32(exactly: $0) }), number > 0, let place = Self.behind("lsn: ", line),
                let high = Self.number(place, radix: 16), Self.begins(high.rest, "/"),
                let low = Self.number(UnsafeRawBufferPointer(rebasing: high.rest[1...]), radix: 16)
            else { return nil }
            self.init(isCommit: isCommit, transaction: number, position: high.value << 32 | low.value)
        }

        private static func behind(_ name: StaticString, _ line: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
            guard let base = line.baseAddress else { return nil }
            var place = 0
            while let found = memchr(base + place, Int32(name.utf8Start.pointee), line.count - place) {
                place = UnsafeRawPointer(found) - base
                let rest = UnsafeRawBufferPointer(rebasing: line[place...])
                if begins(rest, name) { return UnsafeRawBufferPointer(rebasing: rest[name.utf8CodeUnitCount...]) }
                place += 1
            }
            return nil
        }

        private static func begins(_ bytes: UnsafeRawBufferPointer, _ word: StaticString) -> Bool {
            guard let base = bytes.baseAddress, bytes.count >= word.utf8CodeUnitCount else { return false }
            return memcmp(base, word.utf8Start, word.utf8CodeUnitCount) == 0
        }

        /// A number behind any blanks, in a line that ends with something else.
        private static func number(
            _ bytes: UnsafeRawBufferPointer, radix: Int32
        ) -> (value: UInt64, rest: UnsafeRawBufferPointer)? {
            guard let start = bytes.bindMemory(to: CChar.self).baseAddress, bytes.count > 1 else { return nil }
            var end: UnsafeMutablePointer<CChar>?
            let value = strtoul(start, &end, radix)
            guard let end, UnsafePointer(end) > start else { return nil }
            return (UInt64(value), UnsafeRawBufferPointer(rebasing: bytes[(UnsafePointer(end) - start)...]))
        }

        static func field<Text: StringProtocol>(_ name: String, in line: Text) -> Text.SubSequence? {
            guard let found = line.range(of: name) else { return nil }
            return line[found.upperBound...].drop { $0 == " " }.prefix { $0 != "," && $0 != " " }
        }
    }

    /// What the end of ``check(from:to:timeline:in:)`` means.
    public enum Reading: Sendable, Hashable {
        case whole
        /// The log's fault: a record doesn't hold at a position, or none begins behind it.
        case broken(at: UInt64, findsNoRecord: Bool)
        /// No record begins at a position, or behind the record there, as where the written part of the newest segment ends: zeros, or pages that
        /// an earlier use of the file left. So does a lost page: whether records stand behind it, the segment tells.
        case ended(at: UInt64)
        /// This machine's.
        case unread(String)
    }

    /// - Parameter words: Its standard error. Only a position of it may be shown: the rest may hold what stands in the log.
    public static func reading(_ result: ToolResult, words: @autoclosure () -> String) -> Reading {
        guard !result.succeeded else { return .whole }
        let words = words()
        guard result.exitCode == 1, let position = position(in: words) else { return .unread(result.ending) }
        let last = words.split(whereSeparator: \.isNewline).last { $0.contains("error: ") } ?? ""
        if last.contains(/invalid record length at .*, got 0$/) { return .ended(at: position) }
        // The position behind these may be that which stands in the page; the line begins with the last record that was read.
        if last.contains(/unexpected pageaddr|invalid magic number 0000/), let record = Self.positions(in: String(last)).first {
            return .ended(at: record)
        }
        return .broken(at: position, findsNoRecord: words.contains("could not find a valid record"))
    }

    static func position(in text: String) -> UInt64? { positions(in: text).last }

    /// `1A/2B3C4D`
    private static func positions(in text: String) -> [UInt64] {
        text.matches(of: /\b([0-9A-F]{1,8})\/([0-9A-F]{1,8})\b/).compactMap { match in
            guard let high = UInt64(match.1, radix: 16), let low = UInt64(match.2, radix: 16) else { return nil }
            return high << 32 | low
        }
    }
}
