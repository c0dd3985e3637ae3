// A ledger held against its keys, its own chain, the runs' files, and what somebody remembers of its end.

import Cryptography
public import DrillModel
public import Foundation
import Glibc
import Reports
import Seals

/// What verifying a ledger found.
public struct LedgerVerification: Sendable {
    /// Something is not as it was written.
    public struct Problem: Sendable, Hashable, CustomStringConvertible {
        /// In the ledger, from 1; nil where it is about no line of it.
        public var line: Int?
        public var run: String?
        public var message: String

        public var description: String {
            [line.map { "line \($0)" }, run, message].compactMap(\.self).joined(separator: ": ")
        }
    }

    public private(set) var problems: [Problem] = []
    /// What is no damage, and should be known.
    public private(set) var notes: [String] = []
    /// Why nothing can be said.
    public private(set) var obstacles: [String] = []
    public private(set) var entries = 0
    public private(set) var runs = 0
    /// How many are there and equal.
    public private(set) var files = 0
    public private(set) var head: LedgerHead?
    /// What the entries say whose signature holds, in the chain's order; empty unless it was asked for.
    public private(set) var records: [LedgerRecord] = []

    /// Passed: whole. Failed: altered. Error: it could not be verified.
    public var verdict: Verdict { !problems.isEmpty ? .failed : obstacles.isEmpty ? .passed : .error }

    /// Lines of which something is another than it was written, or may be.
    private var tainted: Set<Int> = []

    /// - Parameters:
    ///   - keys: Files of the public keys, PEM, whose entries hold.
    ///   - anchor: What is remembered of the ledger's head, elsewhere.
    ///   - allowsMissingRuns: A run's folder may be gone as a whole, as `--keep-runs` leaves it.
    ///   - collectingRecords: Whether ``records`` are wanted. An entry that can't be one is then an obstacle.
    /// - Throws: ``CommandFailure``: there is no ledger, or it or a key can't be read.
    public init(
        folder: URL, trusting keys: [URL], anchor: LedgerHead? = nil, allowsMissingRuns: Bool = false, collectingRecords: Bool = false
    ) throws(CommandFailure) {
        try self.init(
            folder: folder, trusted: RunEvidence.keys(keys), anchor: anchor, allowsMissingRuns: allowsMissingRuns,
            collectingRecords: collectingRecords)
    }

    init(
        folder: URL, trusted: [Ed25519PublicKey], anchor: LedgerHead? = nil, allowsMissingRuns: Bool = false,
        collectingRecords: Bool = false
    ) throws(CommandFailure) {
        let text = try LedgerText(Ledger(folder: folder).file)
        let (found, foreignLines, untrusted) = readLines(of: text, trusted: trusted, collectingRecords)
        if found.isEmpty, let signer = untrusted.values.sorted().first {
            obstacles.append(
                "no entry is signed by a key that is trusted: the ledger's is \(signer), and trusted "
                    + (trusted.count == 1 ? "is " : "are ") + trusted.map(\.keyID).joined(separator: ", "))
            return
        }
        for (line, signer) in untrusted {
            problems.append(Problem(line: line, message: "inserted or replaced: it is signed by \(signer), which is not trusted"))
        }
        let chain = judgeOrder(of: found, damaged: foreignLines + Array(untrusted.keys))
        if let anchor { judgeEnd(chain, anchor) }
        let runs = judgeFiles(chain.values.sorted { $0.line < $1.line }, in: folder, allowsMissingRuns)
        entries = found.count
        self.runs = Set(found.map(\.run)).count
        records = collect(found, chain, runs)
        head = chain.values.max { $0.sequence < $1.sequence }.map { LedgerHead(sequence: $0.sequence, hash: $0.hash) }
        if entries == 0, problems.isEmpty { obstacles.append("the ledger holds no entry") }
        if anchor == nil {
            notes.append("whether newer entries were cut off the end can't be seen: give a head that was kept elsewhere with --head")
        }
        problems.sort { ($0.line ?? .max, $0.description) < ($1.line ?? .max, $1.description) }
    }

    // MARK: Each line

    /// - Returns: The entries that a trusted key vouches for, the lines that are none, and those that other keys signed.
    private mutating func readLines(
        of text: LedgerText, trusted: [Ed25519PublicKey], _ collectingRecords: Bool
    ) -> ([LedgerEntry], damaged: [Int], untrusted: [Int: String]) {
        var entries: [LedgerEntry] = []
        var damaged: [Int] = []
        var untrusted: [Int: String] = [:]
        let readings = LedgerEntry.read(text, trusted: trusted, collectingRecords: collectingRecords)
        for (index, reading) in readings.enumerated() {
            let number = index + 1
            switch reading {
            case .entry(let entry):
                entries.append(entry)
                if collectingRecords, entry.record == nil {
                    obstacles.append("line \(number): it is signed, and says what this muster can't read")
                }
            case .altered(let what):
                damaged.append(number)
                problems.append(Problem(line: number, message: "altered: \(what)"))
            case .torn(let count):
                notes.append(
                    "line \(number): an interrupted append, \(count) bytes of an entry: its run was killed, and is not in the ledger")
            case .untrusted(let signer): untrusted[number] = signer
            case .newer(let layout):
                damaged.append(number)
                obstacles.append("line \(number): the layout \(layout) is newer than this muster: verify it with that version")
            case .obstacle(let what):
                damaged.append(number)
                obstacles.append("line \(number): \(what)")
            }
        }
        if !text.endsWithLineFeed, !entries.isEmpty, entries.last?.line == readings.count {
            notes.append("line \(readings.count): its line feed is missing: its run was killed, and the entry is whole")
        }
        return (entries, damaged, untrusted)
    }

    // MARK: The chain

    /// - Returns: The entries by their numbers.
    private mutating func judgeOrder(of entries: [LedgerEntry], damaged: [Int]) -> [Int: LedgerEntry] {
        var chain: [Int: LedgerEntry] = [:]
        for entry in entries where chain[entry.sequence] == nil { chain[entry.sequence] = entry }
        var seen: Set<Int> = []
        var expected = 1
        var lastLine = 0
        func tell(_ entry: LedgerEntry, _ message: String, tainting others: LedgerEntry?...) {
            problems.append(Problem(line: entry.line, run: entry.run, message: message))
            for case let other? in others { tainted.insert(other.line) }
        }
        for entry in entries {
            let sequence = entry.sequence
            // Each damaged line before it may have been one of those that are missing.
            let between = damaged.count { $0 > lastLine && $0 < entry.line }
            lastLine = entry.line
            guard seen.insert(sequence).inserted else {
                let first = chain[sequence]
                tell(
                    entry,
                    first?.hash == entry.hash
                        ? "repeated: entry \(sequence) stands in line \(first?.line ?? 0) already"
                        : "inserted: there is another entry \(sequence) in line \(first?.line ?? 0)",
                    // Which of the two was there first can't be said.
                    tainting: first?.hash == entry.hash ? nil : first, entry)
                continue
            }
            if sequence < expected {
                // Told where it is missing, if that was before.
                tell(entry, "reordered: entry \(sequence) stands behind entry \(expected - 1)", tainting: entry)
                continue
            }
            let missing = (expected..<sequence).filter { chain[$0] == nil }
            if let first = missing.first, let last = missing.last, missing.count > between {
                tell(entry, "removed: before it, \(Self.missing(first, last))")
            } else if missing.isEmpty, sequence > expected {
                tell(entry, "reordered: entry \(sequence) stands where entry \(expected) belongs", tainting: entry)
            }
            expected = sequence + 1
        }
        for entry in chain.values.sorted(by: { $0.sequence < $1.sequence }) {
            let previous = entry.statement.predicate.previous
            if entry.sequence == 1, previous != nil {
                tell(entry, "inserted: the first entry names one before it", tainting: entry)
            }
            guard let before = chain[entry.sequence - 1] else { continue }
            if previous != before.hash {
                tell(
                    entry, "replaced: entry \(before.sequence) in line \(before.line) is not the one that it was chained to",
                    tainting: before, entry)
            } else if before.statement.predicate.recorded > entry.statement.predicate.recorded {
                notes.append("line \(entry.line): \(entry.run): the clock went backwards since the entry before it")
            }
        }
        return chain
    }

    private static func missing(_ first: Int, _ last: Int) -> String {
        first == last ? "entry \(first) is missing" : "entries \(first) to \(last) are missing"
    }

    private mutating func judgeEnd(_ chain: [Int: LedgerEntry], _ anchor: LedgerHead) {
        let last = chain.keys.max() ?? 0
        if let entry = chain[anchor.sequence] {
            guard entry.hash != anchor.hash else { return }
            tainted.insert(entry.line)
            problems.append(
                Problem(
                    line: entry.line, run: entry.run, message: "replaced: entry \(anchor.sequence) is not the one that --head remembers"))
        } else if anchor.sequence > last {
            problems.append(Problem(message: "cut off: at the end, \(Self.missing(last + 1, anchor.sequence))"))
        }
    }

    // MARK: The files

    /// - Returns: What was found of each run, by its name.
    private mutating func judgeFiles(_ entries: [LedgerEntry], in folder: URL, _ allowsMissingRuns: Bool) -> [String: RunFiles] {
        let runs = Array(Dictionary(grouping: entries, by: \.run).values)
        let path = folder.path
        let found = Dictionary(
            runs.mapParts(of: 16) { $0.map { ($0[0].run, RunFiles($0, in: path)) } }, uniquingKeysWith: { first, _ in first })
        var gone: Set<String> = []
        for entry in entries {
            guard let run = found[entry.run] else { continue }
            obstacles += run.obstacles[entry.line] ?? []
            if run.isGone, gone.insert(entry.run).inserted, !allowsMissingRuns {
                problems.append(
                    Problem(
                        line: entry.line, run: entry.run,
                        message: "removed: the run's folder is gone (--allow-missing-runs, where --keep-runs removed it)"))
            }
        }
        for run in found.values {
            files += run.equal
            problems += run.problems
            tainted.formUnion(run.problems.compactMap(\.line))
        }
        if !gone.isEmpty, allowsMissingRuns {
            notes.append("\(gone.count) \(gone.count == 1 ? "run's folder is" : "runs' folders are") gone; what their entries say holds")
        }
        for run in ((try? RunHistory(folder: folder).runs()) ?? []).reversed() {
            guard let files = found[run], !files.names.isEmpty else {
                notes.append("\(run) is not in the ledger")
                continue
            }
            notes += files.strangers.map { "\(run)/\($0) is not in the ledger" }
        }
        return found
    }

    // MARK: What they say

    private func collect(_ entries: [LedgerEntry], _ chain: [Int: LedgerEntry], _ runs: [String: RunFiles]) -> [LedgerRecord] {
        entries.filter { $0.hash != chain[$0.sequence]?.hash || $0.line == chain[$0.sequence]?.line }
            .sorted { ($0.sequence, $0.line) < ($1.sequence, $1.line) }
            .compactMap { entry in
                guard var record = entry.record else { return nil }
                record.isFolderGone = runs[entry.run]?.isGone ?? false
                record.isIntact = !tainted.contains(entry.line) && runs[entry.run]?.obstacles[entry.line] == nil
                return record
            }
    }
}
