// An answer that a person must read.

/// One thing that a person must read: what was expected of which object, what was there instead, and the mend.
///
/// No field ever holds a row value, a password, a key or a connection string: findings travel into CI logs and tickets.
public struct Finding: Sendable, Hashable, Codable {
    /// How much a finding weighs.
    public enum Severity: String, Sendable, Hashable, Codable, CaseIterable {
        /// The case that holds it is failed, or in error.
        case critical
        /// It does not turn a case red, but somebody should act.
        case warning
        /// Worth knowing.
        case note
    }

    public var rule: Rule
    public var severity: Severity
    /// The thing it speaks of, by its full name: `public.domains`, `index public.domains_name_key`, `db0 session:*`.
    public var object: String
    /// What should have been there, in words or numbers.
    public var expected: String
    /// What was there.
    public var actual: String
    /// One sentence, lower case, no full stop.
    public var message: String
    /// What mends it.
    public var hint: String
    /// Where a definition changed: the change as unified-diff lines, each beginning with ` `, `-` or `+`.
    public var diff: [String]

    public init(
        _ rule: Rule, _ severity: Severity = .critical, object: String, expected: String = "", actual: String = "", message: String,
        hint: String, diff: [String] = []
    ) {
        self.rule = rule
        self.severity = severity
        self.object = object
        self.expected = expected
        self.actual = actual
        self.message = message
        self.hint = hint
        self.diff = diff
    }
}

extension Finding {
    /// What mends a file of no known kind: behind a wrong key all is noise, and so is what needs a key that nobody names.
    ///
    /// - Parameter isDecrypted: Whether the estate names a key for it.
    public static func strangerHint(isDecrypted: Bool, then: String = "look at the file itself") -> String {
        isDecrypted
            ? "a wrong key can also look like this: try the key of that day, then \(then)"
            : "the estate says encryption: none; if the backup job encrypts, declare its format and key there, otherwise \(then)"
    }
}
