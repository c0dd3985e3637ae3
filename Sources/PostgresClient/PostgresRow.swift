// One row of an answer, in text form.

/// One row. Values are the server's text output; NULL is nil.
public struct PostgresRow: Sendable {
    /// The columns' names, in order; shared between the rows of one answer.
    public let columns: [String]
    public let values: [String?]

    public init(columns: [String], values: [String?]) {
        self.columns = columns
        self.values = values
    }

    /// The value at a position from 0; nil where it is NULL or there is no such column.
    public subscript(index: Int) -> String? {
        values.indices.contains(index) ? values[index] : nil
    }

    /// The value of the first column of that name; nil where it is NULL or there is no such column.
    public subscript(name: String) -> String? {
        columns.firstIndex(of: name).flatMap { self[$0] }
    }
}
