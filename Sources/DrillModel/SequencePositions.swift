// Which sequences a dump sets to where they stood in the source.

/// What a dump says of its sequences' positions: it makes a sequence in one place, and sets it in another.
public struct SequencePositions: Sendable, Hashable {
    /// `schema name owner`, as an archive's table of contents has them.
    private var entries: [String] = []
    /// `schema.name` or `name`, without quotes, as a script has them.
    private var names: Set<String> = []

    /// - Parameter contents: An archive's table of contents, as `pg_restore -l` prints it.
    public init(contents: String) {
        entries = contents.split(separator: "\n").compactMap { line in
            line.firstRange(of: " SEQUENCE SET ").map { String(line[$0.upperBound...]) }
        }
    }

    /// - Parameter names: What the `setval` calls of a script name, as they stand there.
    public init(names: Set<String>) {
        self.names = Set(names.map { $0.filter { $0 != "\"" } })
    }

    public func holds(schema: String, name: String) -> Bool {
        let (schema, name) = (schema.filter { $0 != "\"" }, name.filter { $0 != "\"" })
        return names.contains("\(schema).\(name)") || names.contains(name)
            || entries.contains { $0.filter { $0 != "\"" }.hasPrefix("\(schema) \(name) ") }
    }
}
