// Questions of a drill file that a seal answers: what the source said at the backup's instant is what the restored database must say.

/// A query whose answer is sealed.
public struct SealedQuestion: Sendable, Hashable {
    /// How its answer is kept.
    public enum Values: String, Sendable, Hashable, Codable, CaseIterable {
        /// As a salted digest: whoever reads the seal or a report learns nothing, unless there are few answers to guess from.
        case hashed
        case plain
    }
    public var name: String
    public var query: String
    public var values: Values

    public init(name: String, query: String, values: Values = .hashed) {
        self.name = name
        self.query = query
        self.values = values
    }
}

/// What the source answered.
public struct SealedAnswer: Sendable, Hashable, Codable {
    public var name: String
    /// As it was asked: an answer to another query is none.
    public var query: String
    /// The answer itself, of plain ones; absent for NULL.
    public var value: String?
    /// Plain ones: it was SQL's NULL.
    public var isNull: Bool?
    /// Of hashed ones: hex of 16 random bytes.
    public var salt: String?
    /// Of hashed ones: SHA-256 over the salt as it stands here, a byte that is 0 for NULL and 1 otherwise, and the answer's text; lower-case hex.
    public var sha256: String?

    public init(
        name: String, query: String, value: String? = nil, isNull: Bool? = nil, salt: String? = nil, sha256: String? = nil
    ) {
        self.name = name
        self.query = query
        self.value = value
        self.isNull = isNull
        self.salt = salt
        self.sha256 = sha256
    }
}

extension DrillPlan {
    /// What a seal of a service is asked, by the database that each names; nil: the sealed one.
    public func sealedQuestions(of service: String) -> [(database: String?, question: SealedQuestion)] {
        (checks[service] ?? []).compactMap { check in
            switch check {
            case .sealed(let question): (nil, question)
            case .inDatabase(let database, .sealed(let question)): (database, question)
            default: nil
            }
        }
    }
}
