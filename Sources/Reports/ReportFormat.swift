// The table of the reports that a run leaves: a new format is one new file and one line here.

public import Foundation

/// One kind of report file.
public struct ReportFormat: Sendable {
    /// What people call it: `junit`.
    public var name: String
    /// Its name in the run's folder.
    public var fileName: String
    /// Makes the recorder that writes the given file; its folder must exist.
    public var make: @Sendable (URL) throws(ReportError) -> any Recorder

    public init(name: String, fileName: String, make: @escaping @Sendable (URL) throws(ReportError) -> any Recorder) {
        self.name = name
        self.fileName = fileName
        self.make = make
    }

    /// All of them. The event log comes first: it is the one that survives a kill.
    public static let all: [ReportFormat] = [
        ReportFormat(name: "events", fileName: "events.jsonl") { (file) throws(ReportError) in try EventLog(file: file) },
        ReportFormat(name: "markdown", fileName: "summary.md") { FinalReport(file: $0) { Data(MarkdownReport.render($0).utf8) } },
        ReportFormat(name: "metrics", fileName: "metrics.prom") { FinalReport(file: $0, render: MetricsReport.render) },
        ReportFormat(name: "json", fileName: "report.json") { FinalReport(file: $0, render: JSONReport.render) },
        ReportFormat(name: "html", fileName: "report.html") { FinalReport(file: $0, render: HTMLReport.render) },
        ReportFormat(name: "junit", fileName: "junit.xml") { FinalReport(file: $0) { Data(JUnitReport.render($0).utf8) } },
    ]
}
