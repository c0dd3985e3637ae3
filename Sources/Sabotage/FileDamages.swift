// Damage to stored files.

import DrillModel

extension Damage {
    static let fileDamages: [Damage] = [
        Damage(
            "flipped-bit", "one bit of the stored file is flipped",
            .artifact { bytes in
                guard bytes.count > 64 else { return nil }
                bytes[bytes.count / 2] ^= 0x10
                return Harm(Rule("artifact-digest-differs"), object: "")
            }),
        Damage(
            "truncated-file", "the stored file is cut short",
            .artifact { bytes in
                guard bytes.count > 1024 else { return nil }
                bytes.removeLast(bytes.count / 3)
                return Harm(Rule("artifact-truncated"), object: "")
            }),
        Damage(
            "emptied-file", "the stored file is empty",
            .artifact { bytes in
                bytes = []
                return Harm(Rule("artifact-empty"), object: "")
            }),
        Damage(
            "changed-seal", "one byte of the seal is changed",
            .seal { bytes in
                // Inside of the payload's base64, so that it stays a readable envelope.
                guard let start = bytes.firstRange(of: Array("\"payload\"".utf8))?.upperBound, bytes.count > start + 200 else { return nil }
                let place = start + 100
                bytes[place] = bytes[place] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
                return Harm(Rule("seal-signature-invalid"), object: "")
            }),
    ]
}
