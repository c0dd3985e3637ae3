// What can be wrong with a seal, and how each is mended.

public import DrillModel

extension Rule {
    public static let sealUnreadable = Rule("seal-unreadable")
    public static let sealSignatureInvalid = Rule("seal-signature-invalid")
    public static let sealUntrustedKey = Rule("seal-untrusted-key")
    public static let sealVersionUnknown = Rule("seal-version-unknown")
    public static let sealNamesOtherArtifact = Rule("seal-names-other-artifact")
}

extension Finding {
    static func sealUnreadable(_ name: String, _ reason: String) -> Finding {
        Finding(
            .sealUnreadable, object: name, expected: "a signed seal", actual: reason, message: "the seal cannot be read: \(reason)",
            hint: name.hasSuffix(Seal.momentSuffix)
                ? "fetch it again from where it was sealed, or remove it and seal another moment"
                : "fetch the seal again from where the backup was made, or seal the artifact anew with `muster seal --existing`")
    }

    static func sealSignatureInvalid(_ name: String) -> Finding {
        Finding(
            .sealSignatureInvalid, object: name, expected: "a signature by a trusted key over every byte of the seal",
            actual: "a signature that does not fit the content", message: "the seal was changed after it was signed",
            hint: "find out who changed it; fetch the original, and take neither seal nor backup for good until then")
    }

    static func sealUntrusted(_ name: String, _ keys: [String], trusted: [String]) -> Finding {
        // A key names itself in the file, so the name is shown only where it looks like one.
        let named = keys.filter { $0.count <= 64 && $0.allSatisfy(\.isHexDigit) }.joined(separator: ", ")
        return Finding(
            .sealUntrustedKey, object: name, expected: trusted.isEmpty ? "a trusted key" : "key " + trusted.joined(separator: " or "),
            actual: named.isEmpty ? "a key without a name" : "key " + named,
            message: trusted.isEmpty
                ? "the seal is signed, but the estate trusts no key, so nobody vouches for it"
                : "the seal is signed by a key that the estate does not trust",
            hint: "if the key is yours, add its public half to the estate file: `seals: {trust: [seal.pub]}`")
    }

    static func sealVersionUnknown(_ name: String, _ version: Int) -> Finding {
        Finding(
            .sealVersionUnknown, object: name, expected: "version \(Seal.currentVersion) to \(Seal.momentVersion)",
            actual: "version \(version)",
            message: "the seal is of a version that this muster does not know",
            hint: "run the drill with the muster that made the seal, or a newer one")
    }

    static func sealOfOtherUse(_ name: String, isMoment: Bool) -> Finding {
        Finding(
            .sealNamesOtherArtifact, object: name, expected: isMoment ? "the seal of an artifact" : "a sealed moment",
            actual: isMoment ? "a sealed moment" : "the seal of an artifact",
            message: isMoment
                ? "a moment's seal lies where that of an artifact belongs, and says nothing of it"
                : "an artifact's seal lies where a sealed moment belongs, and no log can be rolled forward to it",
            hint: "put the file back under the name that it was written as")
    }

    static func sealNamesOtherArtifact(_ name: String, expected: String, actual: String) -> Finding {
        Finding(
            .sealNamesOtherArtifact, object: name, expected: expected, actual: actual,
            message: "the seal was made for another artifact",
            hint: "an artifact or its seal was renamed or swapped: put the two that belong together side by side under their first names")
    }
}
