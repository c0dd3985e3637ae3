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
            "error-message", "the backup job's error message was stored in the backup's place, and sealed",
            .content { bytes in
                bytes = Array("pg_dump: error: connection to server failed: FATAL:  the database system is starting up\n".utf8)
                return Harm(Rule("dump-with-messages"), object: "")
            }),
        Damage(
            "cut-script", "two scripts of pg_dump stand in one file, and the first is cut between two of its objects",
            .script { bytes in
                // Behind the last statement that lies in the first half.
                guard let end = bytes[..<(bytes.count / 2)].lastRange(of: Array(";\n\n".utf8))?.upperBound else { return nil }
                bytes = bytes[..<end] + bytes
                return Harm(Rule("script-truncated"), object: "")
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
        Damage(
            "other-service", "another service's backup with its genuine seal lies in its place",
            .sealed { seal in
                seal.service += "-other"
                return Harm(.sealNamesOtherSource, object: "")
            }),
    ]
}

extension Collection where Element: Equatable {
    fileprivate func lastRange(of other: [Element]) -> Range<Index>? { ranges(of: other).last }
}
