// Where something stands in a file.

import Yams

/// A line and a column, both from 1; columns count Unicode scalars.
struct Place: Hashable, Sendable {
    var line: Int
    var column: Int
}

extension Place {
    init(_ mark: Mark) {
        self.init(line: mark.line, column: mark.column)
    }
}

extension Node {
    /// Where it begins; of an alias, where its anchor does.
    var place: Place? { mark.map { Place($0) } }
}
