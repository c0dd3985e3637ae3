// What drills and inspections say alike of files that are encrypted in a form that isn't read.

extension Finding {
    /// Encrypted, and something is around it.
    public static func enclosed(_ enclosure: StoredContent.Enclosure, object: String, expected: String) -> Finding {
        Finding(
            Rule("encryption-form-unsupported"), object: object, expected: expected, actual: enclosure.words,
            message: "the stored file is encrypted, and something is around it that isn't taken off",
            hint: "undo it with \(enclosure.undo), and have the backup job encrypt last: compress first, and leave the rest out")
    }

    /// Random bytes that don't begin as the format's files do.
    ///
    /// - Parameter format: The estate file's word for it.
    public static func headerless(object: String, format: String, expected: String) -> Finding {
        let isOpenSSL = format == "openssl"
        return Finding(
            Rule("artifact-unknown-kind"), object: object, expected: expected, actual: "random bytes without its header",
            message: "the stored file is not in the \(isOpenSSL ? "openssl enc" : format) format: noise that doesn't begin as that does",
            hint: (isOpenSSL ? "openssl enc -nosalt isn't read: have the backup job leave -nosalt out; else " : "")
                + "its beginning is lost or damaged: fetch another copy; if no program encrypted it (some packers look alike), it's disclosed"
        )
    }
}
