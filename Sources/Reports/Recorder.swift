// What every report is: something that reads the one event stream.

public import DrillModel

/// Something that makes a report from the events of a run.
///
/// Events arrive in order, one at a time. A recorder never stops a drill: what goes wrong while it writes is kept,
/// and ``finish()`` throws it, so that a run whose report is lost ends as an error.
public protocol Recorder: Sendable {
    func record(_ event: Event) async
    /// Called once, after the last event; also when the run was interrupted, and then no `runFinished` came before it.
    func finish() async throws(ReportError)
}
