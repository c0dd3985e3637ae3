// Is the key of a passphrase made slowly enough that whoever finds a file can't try them all?

public import DrillModel

extension Rule {
    static let keyDerivationWeak = Rule("key-derivation-weak")
}

extension Finding {
    /// The warning that goes with a derivation of few rounds.
    ///
    /// - Returns: nil where the format has another way, or enough of them.
    public static func weakDerivation(_ encryption: Encryption?, object: String) -> Finding? {
        guard case .opensslEnc(let iterations, let digest, let derivation)? = encryption?.format else { return nil }
        let rounds = derivation == .pbkdf2 ? iterations : 1
        guard rounds < fewestRounds else { return nil }
        return Finding(
            .keyDerivationWeak, .warning, object: object, expected: "a key derivation of \(fewestRounds) rounds or more",
            actual: "\(rounds == 1 ? "one round" : "\(rounds) rounds") of \(digest)",
            message: "whoever gets hold of a file can guess its passphrase at the full speed of a machine",
            hint: "have the backup job use openssl enc -pbkdf2 -iter 600000, and declare iterations: 600000; or age or gpg")
    }

    /// NIST SP 800-132 asks for no fewer. `openssl enc -pbkdf2` does ten times as many.
    private static let fewestRounds = 1000
}
