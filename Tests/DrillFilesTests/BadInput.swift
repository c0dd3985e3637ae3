// How a test says what is spoilt in a good file, and what must be said of it.

import Foundation
import Testing

@testable import DrillFiles

/// One spoilt place of a good file. A `‸` in the new text marks where the problem must be reported.
struct BadInput: Sendable, CustomTestStringConvertible {
    var name: String
    var replace: String
    var with: String
    var message: String
    var hint: String

    init(_ name: String, replace: String, with: String, _ message: String, hint: String) {
        self.name = name
        self.replace = replace
        self.with = with
        self.message = message
        self.hint = hint
    }

    var testDescription: String { name }

    /// The spoilt text without its mark, and the place of the mark.
    func spoil(_ good: String) throws -> (text: String, line: Int, column: Int) {
        try #require(good.ranges(of: replace).count == 1, "the good file holds the text to replace once: \(replace)")
        let marked = good.replacing(replace, with: with)
        let before = try #require(
            marked.ranges(of: "‸").count == 1 ? marked.split(separator: "‸", omittingEmptySubsequences: false).first : nil)
        let lines = before.split(separator: "\n", omittingEmptySubsequences: false)
        return (marked.replacing("‸", with: ""), lines.count, (lines.last?.unicodeScalars.count ?? 0) + 1)
    }

    /// Exactly this problem, and nothing that follows from it.
    func expect(_ problems: [DrillFileError.Problem], in file: String, line: Int, column: Int) {
        let expected = DrillFileError.Problem(file: file, line: line, column: column, message: message, hint: hint)
        #expect(problems == [expected])
    }
}
