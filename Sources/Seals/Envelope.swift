// The DSSE envelope: a payload in base64, its type, and signatures over the two.

public import Cryptography
public import Foundation

/// A Dead Simple Signing Envelope, version 1 (github.com/secure-systems-lab/dsse).
public struct Envelope: Codable, Sendable {
    public struct Signature: Codable, Sendable {
        /// Which key signed: a hint that is not itself signed.
        public var keyid: String?
        public var sig: String

        public init(keyid: String?, sig: String) {
            self.keyid = keyid
            self.sig = sig
        }
    }
    static let sealType = "application/vnd.muster.seal+json"

    public var payloadType: String
    public var payload: String
    public var signatures: [Signature]

    public init(payloadType: String, payload: String, signatures: [Signature]) {
        self.payloadType = payloadType
        self.payload = payload
        self.signatures = signatures
    }

    public init(signing payload: Data, type: String, with key: Ed25519PrivateKey) throws(CryptographyError) {
        payloadType = type
        self.payload = payload.base64EncodedString()
        let signature = try key.sign(Self.signedBytes(type: payloadType, payload: payload))
        signatures = [Signature(keyid: try key.publicKey().keyID, sig: Data(signature).base64EncodedString())]
    }

    /// What the signature covers: type and payload, each with its length, so that no byte can move from one to the other.
    static func signedBytes(type: String, payload: Data) -> [UInt8] {
        Array("DSSEv1 \(type.utf8.count) \(type) \(payload.count) ".utf8) + payload
    }

    public enum Opening: Sendable {
        /// The payload, which a trusted key vouches for.
        case vouched(Data)
        /// A trusted key is named, and the signature isn't its.
        case forged
        /// Only keys that nobody trusts; their names as they call themselves.
        case untrusted([String])
        case unreadable
    }

    /// The payload, if one of the keys vouches for it. Nothing of it is looked at before.
    public func open(trusted: [Ed25519PublicKey]) -> Opening {
        guard let payload = Data(base64Encoded: payload), !signatures.isEmpty else { return .unreadable }
        let signed = Self.signedBytes(type: payloadType, payload: payload)
        for signature in signatures {
            guard let bytes = Data(base64Encoded: signature.sig) else { return .unreadable }
            // Every trusted key is tried: the name is a hint that anybody could have changed.
            if trusted.contains(where: { $0.isValid(signature: Array(bytes), for: signed) }) { return .vouched(payload) }
        }
        let named = signatures.compactMap(\.keyid)
        let known = trusted.contains { named.contains($0.keyID) }
        return known || named.isEmpty ? .forged : .untrusted(named)
    }
}
