// The DSSE envelope: a payload in base64, its type, and signatures over the two.

import Cryptography
import Foundation

/// A Dead Simple Signing Envelope, version 1 (github.com/secure-systems-lab/dsse).
struct Envelope: Codable {
    struct Signature: Codable {
        /// Which key signed: a hint that is not itself signed.
        var keyid: String?
        var sig: String
    }
    static let sealType = "application/vnd.muster.seal+json"

    var payloadType: String
    var payload: String
    var signatures: [Signature]

    init(signing payload: Data, with key: Ed25519PrivateKey) throws(CryptographyError) {
        payloadType = Self.sealType
        self.payload = payload.base64EncodedString()
        let signature = try key.sign(Self.signedBytes(type: payloadType, payload: payload))
        signatures = [Signature(keyid: try key.publicKey().keyID, sig: Data(signature).base64EncodedString())]
    }

    /// What the signature covers: type and payload, each with its length, so that no byte can move from one to the other.
    static func signedBytes(type: String, payload: Data) -> [UInt8] {
        Array("DSSEv1 \(type.utf8.count) \(type) \(payload.count) ".utf8) + payload
    }

    enum Opening {
        /// The payload, which a trusted key vouches for.
        case vouched(Data)
        /// A trusted key is named, and the signature isn't its.
        case forged
        /// Only keys that nobody trusts; their names as they call themselves.
        case untrusted([String])
        case unreadable
    }

    /// The payload, if one of the keys vouches for it. Nothing of it is looked at before.
    func open(trusted: [Ed25519PublicKey]) -> Opening {
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
