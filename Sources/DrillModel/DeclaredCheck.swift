// The questions that a drill file asks in its own words.

public import Foundation

/// A question from a drill file.
public enum DeclaredCheck: Sendable, Hashable {
    /// How many rows a table holds. The name is as written: `public.domains`, parts quoted as in SQL where needed.
    case rows(table: String, bounds: Bounds)
    /// A query whose single value must satisfy an expectation.
    case sql(name: String, query: String, expect: Expectation)
    /// How many Redis keys match a glob pattern in one database.
    case keys(database: Int, pattern: String, bounds: Bounds)
    /// One Redis key that must be there, of a type where one is given.
    case key(database: Int, name: String, type: String?)
    /// A query that must be answered as the source answered it when the backup was sealed.
    case sealed(SealedQuestion)
    /// A program of one's own that looks at the restored server.
    case command(CommandCheck)
    /// A question of Postgres' that is asked by a role of the restored database instead of by a superuser.
    indirect case asRole(String, DeclaredCheck)
    /// A question of Postgres' that names its database, and outside of ``asRole(_:_:)``: a cluster holds several.
    indirect case inDatabase(String, DeclaredCheck)
}

/// A program that ends by itself and says by its exit code, and by what it writes if asked for, whether all is well.
public struct CommandCheck: Sendable, Hashable {
    /// What is asked, in words.
    public var name: String
    /// Program and arguments. With a folder in its name, the program is one of the copied files.
    public var run: [Template]
    /// What is copied for it, and where it works in the copy; nil: the program alone, where it is a file of the user's.
    public var folder: URL?
    /// Beside what it is told of the server.
    public var environment: [String: Template]
    /// The code that it ends with where all is well.
    public var exitCode: Int32
    /// What its standard output must be, without white space around it; nil: anything.
    public var output: Expectation?
    public var timeout: Duration

    public init(
        name: String, run: [Template], folder: URL? = nil, environment: [String: Template] = [:], exitCode: Int32 = 0,
        output: Expectation? = nil, timeout: Duration = .seconds(60)
    ) {
        self.name = name
        self.run = run
        self.folder = folder
        self.environment = environment
        self.exitCode = exitCode
        self.output = output
        self.timeout = timeout
    }
}

extension DeclaredCheck {
    /// What its case is called, of one that is put to a database of Postgres'.
    public var name: String {
        switch self {
        case .rows(let table, let bounds): "rows of \(table): \(bounds)"
        case .sql(let name, _, _): name
        case .keys(let database, let pattern, _): "keys \(pattern) in db\(database)"
        case .key(let database, let name, _): "key \(name) in db\(database)"
        case .sealed(let question): question.name
        case .command(let command): command.name
        case .asRole(let role, let check): "\(check.name) as \(role)"
        case .inDatabase(let database, let check): "\(check.name) in \(database)"
        }
    }

    /// The question itself, and the role that asks it; nil: a superuser.
    public var unwrapped: (role: String?, question: DeclaredCheck) {
        guard case .asRole(let role, let question) = self else { return (nil, self) }
        return (role, question)
    }
}

/// Limits on a count, both inclusive.
public struct Bounds: Sendable, Hashable, CustomStringConvertible {
    public var atLeast: Int?
    public var atMost: Int?

    public init(atLeast: Int? = nil, atMost: Int? = nil) {
        self.atLeast = atLeast
        self.atMost = atMost
    }

    public func contains(_ count: Int) -> Bool {
        count >= (atLeast ?? .min) && count <= (atMost ?? .max)
    }

    public var description: String {
        switch (atLeast, atMost) {
        case (let low?, let high?) where low == high: "exactly \(low)"
        case (let low?, let high?): "\(low) to \(high)"
        case (let low?, nil): "at least \(low)"
        case (nil, let high?): "at most \(high)"
        case (nil, nil): "any number"
        }
    }
}

/// A comparison that a single value must satisfy, such as `> 0`, `= on` or `is null`.
public struct Expectation: Sendable, Hashable, CustomStringConvertible {
    public enum Comparison: String, Sendable, Hashable, CaseIterable {
        case equal = "="
        case notEqual = "!="
        case less = "<"
        case lessOrEqual = "<="
        case greater = ">"
        case greaterOrEqual = ">="
        case isNull = "is null"
        case isNotNull = "is not null"
    }
    public var comparison: Comparison
    /// Empty for the null comparisons.
    public var operand: String

    public init(comparison: Comparison, operand: String = "") {
        self.comparison = comparison
        self.operand = operand
    }

    /// Reads `> 0`, `= text`, `is not null`; a bare value means `=`. nil where nothing stands.
    public init?(parsing text: String) {
        let trimmed = text.trimmed()
        guard !trimmed.isEmpty else { return nil }
        if let null = [Comparison.isNull, .isNotNull].first(where: { $0.rawValue == trimmed.lowercased() }) {
            self.init(comparison: null)
            return
        }
        // Longest sign first, so that `>=` isn't read as `>`.
        let signs: [Comparison] = [.notEqual, .lessOrEqual, .greaterOrEqual, .equal, .less, .greater]
        for sign in signs where trimmed.hasPrefix(sign.rawValue) {
            let operand = trimmed.dropFirst(sign.rawValue.count).trimmed()
            guard !operand.isEmpty else { return nil }
            if ![.equal, .notEqual].contains(sign), Double(operand)?.isFinite != true { return nil }
            self.init(comparison: sign, operand: operand)
            return
        }
        self.init(comparison: .equal, operand: trimmed)
    }

    public var description: String {
        operand.isEmpty ? comparison.rawValue : "\(comparison.rawValue) \(operand)"
    }

    /// Whether a value, in its text form, satisfies it; nil is SQL's NULL.
    ///
    /// Orderings compare as numbers, and a value that is no number satisfies none. Equality compares as
    /// numbers where both sides are one, as text otherwise. NULL satisfies only `is null`.
    public func isSatisfied(by value: String?) -> Bool {
        guard let value else { return comparison == .isNull }
        switch comparison {
        case .isNull: return false
        case .isNotNull: return true
        case .equal: return same(value)
        case .notEqual: return !same(value)
        case .less, .lessOrEqual, .greater, .greaterOrEqual:
            if let left = Self.exact(value), let right = Self.exact(operand) { return ordered(left, right) }
            // Not the hexadecimal numbers of C.
            guard !value.lowercased().contains("x"), let left = Double(value), let right = Double(operand) else { return false }
            return ordered(left, right)
        }
    }

    private func ordered<Number: Comparable>(_ left: Number, _ right: Number) -> Bool {
        switch comparison {
        case .less: left < right
        case .lessOrEqual: left <= right
        case .greater: left > right
        default: left >= right
        }
    }

    private func same(_ value: String) -> Bool {
        if let left = Self.exact(value), let right = Self.exact(operand) { return left == right }
        return value == operand
    }

    /// A plain numeral as a decimal: binary numbers would take 9007199254740993 for its neighbour. nil for anything else.
    private static func exact(_ text: String) -> Decimal? {
        let digits = text.drop { $0 == "-" || $0 == "+" }
        guard text.count - digits.count <= 1, digits.count <= 38, digits.allSatisfy({ $0.isASCII && $0.isNumber || $0 == "." }),
            digits.filter({ $0 == "." }).count <= 1, digits.contains(where: \.isNumber)
        else { return nil }
        return Decimal(string: text, locale: Locale(identifier: "en_US_POSIX"))
    }
}

extension StringProtocol {
    fileprivate func trimmed() -> String {
        String(drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
    }
}
