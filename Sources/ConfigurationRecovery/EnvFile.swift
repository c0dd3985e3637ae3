// A `.env` file, read: names that may be shown, and values that may not.

import Cryptography

/// The keys and values of one `.env` file. Printing it, in whatever way, shows names alone.
public struct EnvFile: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let values: [String: Secret]
    /// Where each key stands, counted from 1.
    private let lines: [String: Int]
    /// Keys that are there more than once. As shells and most readers have it, the last one counts.
    public let duplicates: [String]
    /// Lines that can't be read, by their number from 1.
    public let malformedLines: [Int]

    init(values: [String: Secret], lines: [String: Int], duplicates: [String], malformedLines: [Int]) {
        self.values = values
        self.lines = lines
        self.duplicates = duplicates
        self.malformedLines = malformedLines
    }

    /// In their order by name.
    public var names: [String] { values.keys.sorted() }

    public var isEmpty: Bool { values.isEmpty }

    public func has(_ name: String) -> Bool { values[name] != nil }

    /// Whether the key is there, and without a value.
    public func isBlank(_ name: String) -> Bool { values[name]?.isEmpty ?? false }

    /// Whether both hold the same value of a key that both have.
    public func agrees(with other: EnvFile, on name: String) -> Bool {
        guard let mine = values[name], let theirs = other.values[name] else { return false }
        return mine.withBytes { own in theirs.withBytes { own.count == $0.count && own.elementsEqual($0) } }
    }

    /// Names and values for the environment of a process that is started with them. They are secrets: nothing else may be done with them.
    public var environment: [String: String] {
        values.mapValues { $0.withBytes { String(decoding: $0, as: UTF8.self) } }
    }

    /// What may be said of a key: its name where that has a common form, and its line otherwise. The last line of a key or certificate that
    /// somebody pasted without quotes can look like a name, too.
    ///
    /// - Parameter declared: Names that the estate itself says.
    public func label(_ name: String, declared: [String]) -> String {
        let isCommon = name.wholeMatch(of: /[A-Z_][A-Z0-9_]*|[a-z][a-z0-9_]*/) != nil && name.count <= 40
        return isCommon || declared.contains(name) ? name : "of line \(lines[name] ?? 0)"
    }

    public var description: String { "EnvFile(\(values.count) keys)" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
