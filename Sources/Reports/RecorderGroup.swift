// Several recorders behind one: each gets every event, and one that fails doesn't take the others along.

public import DrillModel
public import Foundation

/// Hands every event to each of its recorders, in their order.
public struct RecorderGroup: Recorder {
    private let recorders: [any Recorder]

    public init(_ recorders: [any Recorder]) {
        self.recorders = recorders
    }

    /// The recorders of all report files of a run, and others beside them.
    ///
    /// - Throws: ``ReportError`` where a file can't be opened.
    public init(folder: URL, and others: [any Recorder] = []) throws(ReportError) {
        var recorders = others
        for format in ReportFormat.all {
            recorders.append(try format.make(folder.appending(path: format.fileName)))
        }
        self.recorders = recorders
    }

    public func record(_ event: Event) async {
        for recorder in recorders { await recorder.record(event) }
    }

    /// Finishes them all, then throws the first error, if there was one, with the number of the others.
    public func finish() async throws(ReportError) {
        var errors: [ReportError] = []
        for recorder in recorders {
            do throws(ReportError) { try await recorder.finish() } catch { errors.append(error) }
        }
        guard var first = errors.first else { return }
        if errors.count > 1 { first.message += " (and \(errors.count - 1) more that could not be written)" }
        throw first
    }
}
