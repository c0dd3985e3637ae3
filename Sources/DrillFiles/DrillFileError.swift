// Everything that is wrong with a set of drill files, with its place and its mend.

/// All that is wrong with the files that were asked for, in one go, sorted by place.
///
/// No message ever holds the value of a password, a key, a query or a connection detail.
public struct DrillFileError: Error, Sendable, Hashable, CustomStringConvertible {
    /// One mistake.
    public struct Problem: Sendable, Hashable, CustomStringConvertible {
        /// The path as the caller would write it.
        public var file: String
        /// From 1; 0 where the file as a whole is meant.
        public var line: Int
        /// From 1, in Unicode scalars; 0 where the file as a whole is meant.
        public var column: Int
        /// Lower case, no full stop.
        public var message: String
        /// What mends it.
        public var hint: String

        public init(file: String, line: Int, column: Int, message: String, hint: String) {
            self.file = file
            self.line = line
            self.column = column
            self.message = message
            self.hint = hint
        }

        /// `drills/x.yaml:12:5: unknown key "targts"`, and the hint on a line of its own.
        public var description: String {
            let place = line == 0 ? file : "\(file):\(line):\(column)"
            let head = place.isEmpty ? message : "\(place): \(message)"
            return hint.isEmpty ? head : "\(head)\nhint: \(hint)"
        }
    }

    /// At least one; sorted by file, line and column.
    public var problems: [Problem]

    public init(problems: [Problem]) {
        // An aliased block is read once for each alias: the same mistake in it is told once.
        var seen = Set<Problem>()
        self.problems = problems.filter { seen.insert($0).inserted }
            .sorted { ($0.file, $0.line, $0.column, $0.message) < ($1.file, $1.line, $1.column, $1.message) }
    }

    public var description: String {
        problems.map(\.description).joined(separator: "\n")
    }
}
