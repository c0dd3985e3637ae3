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

    /// Passed: whole. Failed: altered. Error: it could not be verified.
    public var verdict: Verdict { !problems.isEmpty ? .failed : obstacles.isEmpty ? .passed : .error }

    private struct Entry {
        var line: Int
        var hash: String
        var statement: VouchedStatement
        var sequence: Int { statement.predicate.sequence }
        var run: String { statement.predicate.run }
    }

    /// - Parameters:
    ///   - keys: Files of the public keys, PEM, whose entries hold.
    ///   - anchor: What is remembered of the ledger's head, elsewhere.
    ///   - allowsMissingRuns: A run's folder may be gone as a whole, as `--keep-runs` leaves it.
    /// - Throws: ``CommandFailure``: there is no ledger, or it or a key can't be read.
    public init(
        folder: URL, trusting keys: [URL], anchor: LedgerHead? = nil, allowsMissingRuns: Bool = false
    ) throws(CommandFailure) {
        try self.init(folder: folder, trusted: RunEvidence.keys(keys), anchor: anchor, allowsMissingRuns: allowsMissingRuns)
    }

    init(
        folder: URL, trusted: [Ed25519PublicKey], anchor: LedgerHead? = nil, allowsMissingRuns: Bool = false
    ) throws(CommandFailure) {
        let text = try Self.text(Ledger(folder: folder).file)
        let (found, foreignLines, untrusted) = readLines(of: text, trusted: trusted)
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
        judgeFiles(chain.values.sorted { $0.line < $1.line }, in: folder, allowsMissingRuns)
        entries = found.count
        runs = Set(found.map(\.run)).count
        head = chain.values.max { $0.sequence < $1.sequence }.map { LedgerHead(sequence: $0.sequence, hash: $0.hash) }
        if entries == 0, problems.isEmpty { obstacles.append("the ledger holds no entry") }
        if anchor == nil {
            notes.append("whether newer entries were cut off the end can't be seen: give a head that was kept elsewhere with --head")
        }
        problems.sort { ($0.line ?? .max, $0.description) < ($1.line ?? .max, $1.description) }
    }

    /// Taken while nobody appends.
    private static func text(_ file: URL) throws(CommandFailure) -> Data {
        let descriptor = open(file.path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else {
            throw CommandFailure(
                .unverified, errno == ENOENT ? "there is no ledger \(file.path)" : "\(file.path) can't be read",
                hint: "name the folder of the runs with --output; an estate with evidence: {…} writes one at its next run")
        }
        defer { close(descriptor) }
        flock(descriptor, LOCK_SH)
        guard let data = try? Data(contentsOf: file, options: .mappedIfSafe) else {
            throw CommandFailure(.unverified, "\(file.path) can't be read", hint: "check its permissions")
        }
        return data
    }

    // MARK: Each line

    /// - Returns: The entries that a trusted key vouches for, the lines that are none, and those that other keys signed.
    private mutating func readLines(of text: Data, trusted: [Ed25519PublicKey]) -> ([Entry], damaged: [Int], untrusted: [Int: String]) {
        var entries: [Entry] = []
        var damaged: [Int] = []
        var untrusted: [Int: String] = [:]
        var number = 0
        let lines = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        // Behind the last line feed there is no line.
        for line in lines.last?.isEmpty == true ? lines.dropLast() : lines[...] {
            let line = Data(line)
            number += 1
            func alter(_ what: String) {
                damaged.append(number)
                problems.append(Problem(line: number, message: "altered: \(what)"))
            }
            switch LedgerLine.read(line) {
            case .foreign: alter("it is no entry as muster writes them")
            case .torn:
                notes.append(
                    "line \(number): an interrupted append, \(line.count) bytes of an entry: its run was killed, and is not in the ledger")
            case .whole(let entry):
                switch entry.envelope.open(trusted: trusted.filter { $0.keyID == entry.keyID }) {
                case .unreadable: alter("its payload or its signature is not base64")
                case .forged: alter("the signature of key \(entry.keyID) does not hold")
                case .untrusted(let names):
                    // The name of the key is not signed: it may have been altered alone.
                    if case .vouched = entry.envelope.open(trusted: trusted) {
                        alter("it names the key \(entry.keyID), and another one signed it")
                    } else {
                        untrusted[number] = names.joined(separator: ", ")
                    }
                case .vouched(let payload):
                    guard let hash = try? SHA256Stream.digest(Array(line)) else { continue }
                    switch VouchedStatement.read(payload) {
                    case .statement(let statement): entries.append(Entry(line: number, hash: hash, statement: statement))
                    case .newer(let layout):
                        damaged.append(number)
                        obstacles.append("line \(number): the layout \(layout) is newer than this muster: verify it with that version")
                    case .none: alter("it is signed, and is no statement of a run")
                    }
                }
            }
        }
        if let last = text.last, last != UInt8(ascii: "\n"), !entries.isEmpty, entries.last?.line == number {
            notes.append("line \(number): its line feed is missing: its run was killed, and the entry is whole")
        }
        return (entries, damaged, untrusted)
    }

    // MARK: The chain

    /// - Returns: The entries by their numbers.
    private mutating func judgeOrder(of entries: [Entry], damaged: [Int]) -> [Int: Entry] {
        var chain: [Int: Entry] = [:]
        for entry in entries where chain[entry.sequence] == nil { chain[entry.sequence] = entry }
        var seen: Set<Int> = []
        var expected = 1
        var lastLine = 0
        func tell(_ entry: Entry, _ message: String) {
            problems.append(Problem(line: entry.line, run: entry.run, message: message))
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
                        : "inserted: there is another entry \(sequence) in line \(first?.line ?? 0)")
                continue
            }
            if sequence < expected {
                // Told where it is missing, if that was before.
                tell(entry, "reordered: entry \(sequence) stands behind entry \(expected - 1)")
                continue
            }
            let missing = (expected..<sequence).filter { chain[$0] == nil }
            if let first = missing.first, let last = missing.last, missing.count > between {
                tell(entry, "removed: before it, \(Self.missing(first, last))")
            } else if missing.isEmpty, sequence > expected {
                tell(entry, "reordered: entry \(sequence) stands where entry \(expected) belongs")
            }
            expected = sequence + 1
        }
        for entry in chain.values.sorted(by: { $0.sequence < $1.sequence }) {
            let previous = entry.statement.predicate.previous
            if entry.sequence == 1, previous != nil { tell(entry, "inserted: the first entry names one before it") }
            guard let before = chain[entry.sequence - 1] else { continue }
            if previous != before.hash {
                tell(entry, "replaced: entry \(before.sequence) in line \(before.line) is not the one that it was chained to")
            } else if before.statement.predicate.recorded > entry.statement.predicate.recorded {
                notes.append("line \(entry.line): \(entry.run): the clock went backwards since the entry before it")
            }
        }
        return chain
    }

    private static func missing(_ first: Int, _ last: Int) -> String {
        first == last ? "entry \(first) is missing" : "entries \(first) to \(last) are missing"
    }

    private mutating func judgeEnd(_ chain: [Int: Entry], _ anchor: LedgerHead) {
        let last = chain.keys.max() ?? 0
        if let entry = chain[anchor.sequence] {
            guard entry.hash != anchor.hash else { return }
            problems.append(
                Problem(
                    line: entry.line, run: entry.run, message: "replaced: entry \(anchor.sequence) is not the one that --head remembers"))
        } else if anchor.sequence > last {
            problems.append(Problem(message: "cut off: at the end, \(Self.missing(last + 1, anchor.sequence))"))
        }
    }

    // MARK: The files

    private mutating func judgeFiles(_ entries: [Entry], in folder: URL, _ allowsMissingRuns: Bool) {
        var known: [String: Set<String>] = [:]
        var gone: Set<String> = []
        // The entries of one run name the same files.
        var looked: [String: RunFile] = [:]
        for entry in entries {
            var status = stat()
            guard lstat("\(folder.path)/\(entry.run)", &status) == 0 || errno != ENOENT else {
                if gone.insert(entry.run).inserted, !allowsMissingRuns {
                    problems.append(
                        Problem(
                            line: entry.line, run: entry.run,
                            message: "removed: the run's folder is gone (--allow-missing-runs, where --keep-runs removed it)"))
                }
                continue
            }
            for subject in entry.statement.subject {
                let name = subject.name
                func tell(_ message: String) { problems.append(Problem(line: entry.line, run: entry.run, message: message)) }
                guard name.hasPrefix("\(entry.run)/"), !name.contains("..") else {
                    tell("\(name) is no file of the run's folder")
                    continue
                }
                let isFirst = known[entry.run, default: []].insert(name).inserted
                let file = looked[name] ?? RunFile.look(at: "\(folder.path)/\(name)")
                looked[name] = file
                switch file {
                case .missing: tell("removed: \(name)")
                case .foreign: tell("replaced: \(name) is no file any more")
                case .unreadable: obstacles.append("\(name) can't be read")
                case .regular(let digest) where digest == subject.digest.sha256: files += isFirst ? 1 : 0
                case .regular: tell("altered: \(name)")
                }
            }
        }
        if !gone.isEmpty, allowsMissingRuns {
            notes.append("\(gone.count) \(gone.count == 1 ? "run's folder is" : "runs' folders are") gone; what their entries say holds")
        }
        for run in ((try? RunHistory(folder: folder).runs()) ?? []).reversed() {
            guard let names = known[run] else {
                notes.append("\(run) is not in the ledger")
                continue
            }
            let present = (try? FileManager.default.contentsOfDirectory(atPath: "\(folder.path)/\(run)")) ?? []
            for name in present.sorted() where !names.contains("\(run)/\(name)") { notes.append("\(run)/\(name) is not in the ledger") }
        }
    }
}
