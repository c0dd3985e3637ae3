// The table of the files that a compliance report leaves: a new one is one new file and one line here.

public import Foundation

/// One file of a compliance report.
public struct ComplianceFormat: Sendable {
    public var fileName: String
    public var render: @Sendable (ComplianceReport) throws -> Data

    public init(fileName: String, render: @escaping @Sendable (ComplianceReport) throws -> Data) {
        self.fileName = fileName
        self.render = render
    }

    /// All of them; the page for people first.
    public static let all: [ComplianceFormat] =
        [
            ComplianceFormat(fileName: "compliance.html") { try ComplianceHTML.render($0) },
            ComplianceFormat(fileName: "compliance.md") { Data(ComplianceMarkdown.render($0).utf8) },
            ComplianceFormat(fileName: "compliance.json") { try ComplianceJSON.render($0) },
        ]
        + ComplianceCSV.tables.map { table in ComplianceFormat(fileName: table.name) { table.data(of: $0) } }
}
