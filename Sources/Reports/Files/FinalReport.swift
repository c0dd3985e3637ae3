// A report that is written once, at the end, from the folded events.

public import DrillModel
public import Foundation

/// Folds the events of a run into one ``RunReport`` and writes a file from it when the run ends or is cut short.
///
/// The file appears whole or not at all: it is written under a temporary name and renamed.
public actor FinalReport: Recorder {
    private let file: URL
    private let render: @Sendable (RunReport) throws -> Data
    private let executor = FileExecutor(label: "muster.report")
    private var report = RunReport()

    public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    public init(file: URL, render: @escaping @Sendable (RunReport) throws -> Data) {
        self.file = file
        self.render = render
    }

    public func record(_ event: Event) {
        report.apply(event)
    }

    public func finish() throws(ReportError) {
        do {
            try render(report).write(to: file, options: .atomic)
        } catch let error as ReportError {
            throw error
        } catch {
            throw ReportError(writing: file.path, error)
        }
    }
}
