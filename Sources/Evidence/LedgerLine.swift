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

    private init(payload: String, keyID: String, signature: String) {
        self.payload = payload
        self.keyID = keyID
        self.signature = signature
    }

    /// - Parameter bytes: Without the line feed.
    static func read(_ bytes: Data) -> Reading {
        guard !bytes.isEmpty else { return .foreign }
        var cursor = Cursor(rest: bytes)
        do throws(Cursor.Stop) {
            try cursor.take(start)
            let payload = try cursor.text(isBase64)
            try cursor.take(beforeKey)
            let key = try cursor.text(isHex)
            try cursor.take(beforeSignature)
            let signature = try cursor.text(isBase64)
            try cursor.take(end)
            guard cursor.rest.isEmpty, key.utf8.count == 16, isCanonical(payload), isCanonical(signature) else { return .foreign }
            return .whole(LedgerLine(payload: payload, keyID: key, signature: signature))
        } catch {
            return error == .ended ? .torn : .foreign
        }
    }

    /// Base64 has bits at its end that mean nothing: another byte there would be the same payload.
    private static func isCanonical(_ text: String) -> Bool { Data(base64Encoded: text)?.base64EncodedString() == text }

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

    private struct Cursor {
        enum Stop: Error { case ended, other }
        var rest: Data

        mutating func take(_ literal: String) throws(Stop) {
            let expected = Data(literal.utf8)
            guard rest.prefix(expected.count) == expected else { throw expected.prefix(rest.count) == rest ? .ended : .other }
            rest = rest.dropFirst(expected.count)
        }

        mutating func text(_ isPart: (UInt8) -> Bool) throws(Stop) -> String {
            guard let end = rest.firstIndex(where: { !isPart($0) }) else { throw .ended }
            let text = String(decoding: rest[..<end], as: UTF8.self)
            rest = rest[end...]
            return text
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
