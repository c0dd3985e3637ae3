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
    static func read(_ text: Data, trusted: [Ed25519PublicKey], collectingRecords: Bool) -> [Reading] {
        lines(of: text).mapParts(of: 32) { lines in
            text.withUnsafeBytes { bytes in
                zip(lines.indices, lines).map { index, range in
                    read(
                        UnsafeRawBufferPointer(rebasing: bytes[range]), line: index + 1, trusted: trusted,
                        collectingRecords: collectingRecords)
                }
            }
        }
    }

    /// Where each line lies, without its line feed. Behind the last line feed there is no line.
    private static func lines(of text: Data) -> [Range<Int>] {
        text.withUnsafeBytes { bytes in
            var lines: [Range<Int>] = []
            var start = 0
            while start < bytes.count, let base = bytes.baseAddress {
                let found = memchr(base + start, Int32(UInt8(ascii: "\n")), bytes.count - start)
                let end = found.map { UnsafeRawPointer($0) - base } ?? bytes.count
                lines.append(start..<end)
                start = end + 1
            }
            return lines
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
            if collectingRecords, let whole = Statement.read(payload) {
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
