// One table as a file of comma-separated values, safe to open in a spreadsheet.

import Foundation

/// A table: its columns, and how its rows come of a value.
struct CSVTable<Value>: Sendable {
    let name: String
    let columns: [String]
    let rows: @Sendable (Value) -> [[CSVCell]]

    func data(of value: Value) -> Data {
        var document = columns.joined(separator: ",") + "\r\n"
        for row in rows(value) { document += row.map(\.field).joined(separator: ",") + "\r\n" }
        return Data(document.utf8)
    }
}

/// One field of a row.
struct CSVCell: Sendable {
    /// As the file has it.
    let field: String

    /// Word for word, but for one thing: a spreadsheet takes what begins like a formula for one, and calculates it. An apostrophe before it
    /// is what spreadsheets themselves write for "this is text".
    static func text(_ text: String?) -> CSVCell {
        guard let text, let first = text.unicodeScalars.first else { return CSVCell(field: "") }
        return CSVCell(field: quoted("=+-@\t\r".unicodeScalars.contains(first) ? "'" + text : text))
    }

    static func number(_ number: Int?) -> CSVCell { CSVCell(field: number.map(String.init) ?? "") }

    static func flag(_ flag: Bool) -> CSVCell { CSVCell(field: flag ? "true" : "false") }

    /// With three decimals.
    static func seconds(_ duration: Duration?) -> CSVCell { CSVCell(field: duration.map { Seconds($0).text } ?? "") }

    static func moment(_ date: Date?) -> CSVCell { CSVCell(field: date.map { Timestamp.iso($0) } ?? "") }

    private static func quoted(_ text: String) -> String {
        // By scalars: for Swift, CR and LF are one character, which is neither of them.
        let needsQuotes = text.unicodeScalars.contains { $0 == "," || $0 == "\"" || $0 == "\r" || $0 == "\n" }
        return needsQuotes ? "\"\(text.replacing("\"", with: "\"\""))\"" : text
    }
}
