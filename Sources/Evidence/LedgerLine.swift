// One line of the ledger: a DSSE envelope in the one form that muster writes, so that no byte of it can be another and mean the same.

import Cryptography
import Foundation
import Seals

/// `{"payload":"…","payloadType":"application/vnd.in-toto+json","signatures":[{"keyid":"…","sig":"…"}]}`
struct LedgerLine: Sendable {
    static let payloadType = "application/vnd.in-toto+json"

    var payload: String
    var keyID: String
    var signature: String

    init(signing statement: Data, with key: Ed25519PrivateKey) throws(CryptographyError) {
        let envelope = try Envelope(signing: statement, type: Self.payloadType, with: key)
        payload = envelope.payload
        keyID = envelope.signatures.first?.keyid ?? ""
        signature = envelope.signatures.first?.sig ?? ""
    }

    var text: String { Self.start + payload + Self.beforeKey + keyID + Self.beforeSignature + signature + Self.end }

    var envelope: Envelope {
        Envelope(payloadType: Self.payloadType, payload: payload, signatures: [Envelope.Signature(keyid: keyID, sig: signature)])
    }

    // MARK: Reading

    enum Reading {
        case whole(LedgerLine)
        /// It begins as one and breaks off: what a kill or a power cut in the middle of a write leaves.
        case torn
        case foreign
    }

    private static let start = #"{"payload":""#
    private static let beforeKey = #"","payloadType":"\#(payloadType)","signatures":[{"keyid":""#
    private static let beforeSignature = #"","sig":""#
    private static let end = #""}]}"#
    private static let parts = (
        start: Array(start.utf8), beforeKey: Array(beforeKey.utf8), beforeSignature: Array(beforeSignature.utf8), end: Array(end.utf8)
    )

    private init(payload: String, keyID: String, signature: String) {
        self.payload = payload
        self.keyID = keyID
        self.signature = signature
    }

    /// - Parameter bytes: Without the line feed.
    static func read(_ bytes: Data) -> Reading { bytes.withUnsafeBytes { read($0) } }

    /// - Parameter bytes: Without the line feed.
    static func read(_ bytes: UnsafeRawBufferPointer) -> Reading {
        guard !bytes.isEmpty else { return .foreign }
        var cursor = Cursor(rest: bytes)
        do throws(Cursor.Stop) {
            try cursor.take(parts.start)
            let payload = try cursor.take(while: isBase64)
            try cursor.take(parts.beforeKey)
            let key = try cursor.take(while: isHex)
            try cursor.take(parts.beforeSignature)
            let signature = try cursor.take(while: isBase64)
            try cursor.take(parts.end)
            guard cursor.rest.isEmpty, key.count == 16, isCanonical(payload), isCanonical(signature) else { return .foreign }
            return .whole(
                LedgerLine(
                    payload: String(decoding: payload, as: UTF8.self), keyID: String(decoding: key, as: UTF8.self),
                    signature: String(decoding: signature, as: UTF8.self)))
        } catch {
            return error == .ended ? .torn : .foreign
        }
    }

    /// Base64 has bits at its end that mean nothing: another letter there would be the same payload.
    ///
    /// - Parameter text: Of base64's letters and signs alone.
    static func isCanonical(_ text: UnsafeRawBufferPointer) -> Bool {
        let sign = UInt8(ascii: "=")
        let letters = text.prefix { $0 != sign }
        let signs = text.count - letters.count
        guard text.count.isMultiple(of: 4), signs <= 2, text.suffix(signs).allSatisfy({ $0 == sign }) else { return false }
        guard signs > 0, let last = letters.last else { return signs == 0 }
        // Of the last letter's six bits four are the payload's, or two.
        return value(of: last) & (signs == 1 ? 0b11 : 0b1111) == 0
    }

    /// Of a letter of base64.
    private static func value(of letter: UInt8) -> UInt8 {
        switch letter {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): letter - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): letter - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): letter - UInt8(ascii: "0") + 52
        case UInt8(ascii: "+"): 62
        default: 63
        }
    }

    private static func isBase64(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: "="):
            true
        default: false
        }
    }

    private static func isHex(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
    }

    /// Over the bytes as they lie in memory: each step of a `Data` is checked anew, which took most of the time of a long ledger.
    private struct Cursor {
        enum Stop: Error { case ended, other }
        var rest: UnsafeRawBufferPointer

        mutating func take(_ literal: [UInt8]) throws(Stop) {
            guard rest.starts(with: literal) else { throw literal.starts(with: rest) ? .ended : .other }
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(literal.count))
        }

        mutating func take(while isPart: (UInt8) -> Bool) throws(Stop) -> UnsafeRawBufferPointer {
            guard let end = rest.firstIndex(where: { !isPart($0) }) else { throw .ended }
            defer { rest = UnsafeRawBufferPointer(rebasing: rest[end...]) }
            return UnsafeRawBufferPointer(rebasing: rest[..<end])
        }
    }
}

/// A ledger's newest entry: who keeps it elsewhere can see that the end was cut off.
public struct LedgerHead: Sendable, Hashable, CustomStringConvertible {
    public var sequence: Int
    /// SHA-256 of the entry's line, without its line feed, in hex.
    public var hash: String

    init(sequence: Int, hash: String) {
        self.sequence = sequence
        self.hash = hash
    }

    /// Reads `12:9f86…`: the number of an entry, and 64 hex digits.
    public init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let sequence = Int(parts[0]), sequence > 0, parts[1].wholeMatch(of: /[0-9a-f]{64}/) != nil else {
            return nil
        }
        self.init(sequence: sequence, hash: String(parts[1]))
    }

    public var description: String { "\(sequence):\(hash)" }
}
