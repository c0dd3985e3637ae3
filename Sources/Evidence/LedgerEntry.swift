// The lines of a ledger, each held against the keys that are trusted: what is read of one line says nothing of another.

import Cryptography
import Foundation
import Glibc
import Seals

/// An entry whose signature holds.
struct LedgerEntry: Sendable {
    /// In the ledger, from 1.
    var line: Int
    /// SHA-256 of the line without its line feed, in hex.
    var hash: String
    var statement: VouchedStatement
    /// nil where nobody asked for it, and where what it says besides can't be read.
    var record: LedgerRecord?

    var sequence: Int { statement.predicate.sequence }
    var run: String { statement.predicate.run }

    /// What a line turned out to be.
    enum Reading: Sendable {
        case entry(LedgerEntry)
        case altered(String)
        /// An interrupted append, of so many bytes.
        case torn(Int)
        /// By the name of the key that signed it.
        case untrusted(String)
        /// Of a layout that this muster doesn't know.
        case newer(Int)
        case obstacle(String)
    }

    /// Reads every line of a ledger, in their order.
    ///
    /// - Parameter collectingRecords: Whether all that an entry says is wanted, and not only what verifying takes.
    static func read(_ text: LedgerText, trusted: [Ed25519PublicKey], collectingRecords: Bool) -> [Reading] {
        text.lines.mapParts(of: 32) { lines in
            let start = lines.first?.lowerBound ?? 0
            guard let bytes = text.bytes(of: start..<(lines.last?.upperBound ?? start)) else {
                return lines.map { _ in .obstacle("it can't be read") }
            }
            return bytes.withUnsafeBytes { bytes in
                zip(lines.indices, lines).map { index, range in
                    read(
                        UnsafeRawBufferPointer(rebasing: bytes[(range.lowerBound - start)..<(range.upperBound - start)]), line: index + 1,
                        trusted: trusted, collectingRecords: collectingRecords)
                }
            }
        }
    }

    private static func read(
        _ bytes: UnsafeRawBufferPointer, line: Int, trusted: [Ed25519PublicKey], collectingRecords: Bool
    ) -> Reading {
        let entry: LedgerLine
        switch LedgerLine.read(bytes) {
        case .foreign: return .altered("it is no entry as muster writes them")
        case .torn: return .torn(bytes.count)
        case .whole(let read): entry = read
        }
        switch entry.envelope.open(trusted: trusted.filter { $0.keyID == entry.keyID }) {
        case .unreadable: return .altered("its payload or its signature is not base64")
        case .forged: return .altered("the signature of key \(entry.keyID) does not hold")
        case .untrusted(let names):
            // The name of the key is not signed: it may have been altered alone.
            if case .vouched = entry.envelope.open(trusted: trusted) {
                return .altered("it names the key \(entry.keyID), and another one signed it")
            }
            return .untrusted(names.joined(separator: ", "))
        case .vouched(let payload):
            guard let hash = digest(bytes) else { return .obstacle("it can't be digested") }
            let reading: VouchedStatement.Reading
            var record: LedgerRecord?
            if collectingRecords, let whole = RecordedStatement.read(payload) {
                reading = .statement(VouchedStatement(whole))
                record = LedgerRecord(whole, line: line)
            } else {
                reading = VouchedStatement.read(payload)
            }
            switch reading {
            case .statement(let statement): return .entry(LedgerEntry(line: line, hash: hash, statement: statement, record: record))
            case .newer(let layout): return .newer(layout)
            case .none: return .altered("it is signed, and is no statement of a run")
            }
        }
    }

    private static func digest(_ bytes: UnsafeRawBufferPointer) -> String? {
        guard let stream = try? SHA256Stream() else { return nil }
        return (try? stream.update(bytes)).flatMap { try? stream.finish() }
    }
}
