// events.jsonl: every event as it happens, so that a killed run leaves what was known.

public import DrillModel
public import Foundation

/// Appends one line an event to a file.
///
/// Each line goes to the system in one write as the event arrives; nothing is held back in this process. Only progress is
/// thinned out: at most one line a second for each step of a service.
public actor EventLog: Recorder {
    private struct Work: Hashable {
        var step: Step
        var service: String
    }

    private let file: URL
    private let handle: FileHandle
    private let encoder: JSONEncoder
    private let executor = FileExecutor(label: "muster.event-log")
    private var sequence = 0
    private var drill: String?
    private var lastProgress: [Work: Duration] = [:]
    private var failure: ReportError?

    public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// Creates the file, or empties it.
    public init(file: URL) throws(ReportError) {
        self.file = file
        encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            try Data().write(to: file)
            handle = try FileHandle(forWritingTo: file)
        } catch {
            throw ReportError(writing: file.path, error)
        }
    }

    public func record(_ event: Event) {
        if case .drillStarted(let info) = event.kind { drill = info.name }
        if case .runFinished = event.kind { drill = nil }
        // After a line that broke off, no later one could be read.
        guard failure == nil, isWorthALine(event) else { return }
        do {
            let document = EventDocument(event, seq: sequence + 1, drill: drill)
            try handle.write(contentsOf: encoder.encode(document) + Data("\n".utf8))
            sequence += 1
        } catch {
            failure = ReportError(writing: file.path, error)
        }
    }

    public func finish() throws(ReportError) {
        do {
            try handle.close()
        } catch {
            failure = failure ?? ReportError(writing: file.path, error)
        }
        if let failure { throw failure }
    }

    private func isWorthALine(_ event: Event) -> Bool {
        guard case .progress(let progress) = event.kind else { return true }
        let work = Work(step: progress.step, service: progress.service)
        if let last = lastProgress[work], event.elapsed - last < .seconds(1), progress.completed != progress.total { return false }
        lastProgress[work] = event.elapsed
        return true
    }
}
