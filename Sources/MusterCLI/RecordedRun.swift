// What every recorded command shares: a folder of its own, the event stream, the recorders and the end.

import DrillEngine
import DrillModel
import Evidence
import Foundation
import Glibc
import Notifications
import Reports

/// One run with its reports.
struct RecordedRun: Sendable {
    /// How many drills, or inspections, it is to have.
    var drills: Int
    var output: URL
    /// The file of a collector, beside the run's own reports.
    var metrics: MetricsFile?
    /// What its folder and its reports are called.
    let name: String

    /// How many runs are left in the folder, this one among them; nil: all.
    var kept: Int?
    /// What puts it into the ledger; nil where nobody wants that.
    var evidence: RunEvidence?
    /// Who is told how it ended; nil where nobody wants to be.
    var notifications: RunNotifications?

    /// The console says only what is red.
    let quiet: Bool

    init(
        drills: Int, output: URL, kept: Int?, metrics: MetricsFile?, evidence: RunEvidence?, notifications: RunNotifications?,
        quiet: Bool = false
    ) {
        self.quiet = quiet
        self.drills = drills
        self.output = output
        self.kept = kept
        self.metrics = metrics
        self.evidence = evidence
        self.notifications = notifications
        name = RunFolder.name(for: Date())
    }

    /// - Parameter body: Emits what happens between the run's start and its end.
    /// - Returns: The run's verdict, which the exit code is made of.
    /// - Throws: ``CommandFailure`` where the run could not begin or its reports could not be written; ``ExitCode`` after a signal.
    func run(_ body: @escaping @Sendable (EventHub) async throws -> Verdict) async throws -> Verdict {
        let folder = output.appendingPathComponent(name, isDirectory: true)
        do throws(ReportError) { try RunFolder.make(folder) } catch {
            _ = try? await tell(RunReport(), in: folder, .success(.error), problem: error.message)
            throw CommandFailure(.unverified, error.message, hint: error.hint)
        }
        for untold in notifications?.unready ?? [] { Console.complain(untold.failure.description) }
        let hub = EventHub()
        var options = Console.options
        options.quiet = quiet
        let console = ConsoleReport(options: options, sink: { Console.write($0) })
        let recorders: RecorderGroup
        do throws(ReportError) {
            recorders = try RecorderGroup(folder: folder, and: [console])
        } catch {
            _ = try? await tell(RunReport(), in: folder, .success(.error), problem: error.message)
            throw CommandFailure(.unverified, error.message, hint: error.hint)
        }
        let metrics = self.metrics?.recorder()
        let hints = CommandOptions.ofThisCommand
        let isFolded = evidence != nil || notifications != nil
        let listener = Task {
            var report = RunReport()
            for await event in hub.events {
                let event = hints.fitting(event)
                if isFolded { report.apply(event) }
                await recorders.record(event)
                await metrics?.record(event)
            }
            return report
        }
        hub.emit(
            .runStarted(
                RunInfo(musterVersion: Muster.version, host: Self.hostName, runID: name, drills: drills)))
        let outcome: Result<Verdict, any Error>
        do {
            outcome = .success(try await SignalGuard.run { try await body(hub) })
        } catch {
            outcome = .failure(error)
        }
        if case .success(let verdict) = outcome { hub.emit(.runFinished(verdict)) }
        hub.finish()
        let report = await listener.value
        let ledger: Result<LedgerHead?, CommandFailure>
        do throws(ReportError) {
            try await recorders.finish()
            ledger = Result { () throws(CommandFailure) in try evidence?.append(report, in: folder) }
            // Last: whoever is told that a drill was green must find its reports.
            try await metrics?.finish()
        } catch {
            // A run whose reports are lost has proven nothing to anybody.
            _ = try? await tell(report, in: folder, outcome, problem: error.message)
            throw CommandFailure(.unverified, error.message, hint: error.hint)
        }
        await console.footer(paths: ReportFormat.all.map { folder.appendingPathComponent($0.fileName).relativePath })
        var failure: (any Error)?
        switch ledger {
        case .success(let head): if let head { Console.print("  ledger \(head)") }
        case .failure(let problem):
            failure = problem
            Console.complain(problem.description)
        }
        do {
            try await tell(report, in: folder, outcome, ledger: try? ledger.get(), problem: (failure as? CommandFailure)?.message)
        } catch {
            failure = error
        }
        // Only now: whoever is told that a drill is green again must be found red in the run before. What is in the way of it breaks no run.
        if let kept { RunHistory(folder: output).keep(kept, with: name).forEach { Console.complain("note: \($0)") } }
        // What was found in the backups, and a signal, outweigh that this can't be proven later, or that somebody doesn't know of it.
        if failure != nil, case .success(let verdict) = outcome, verdict != .failed { throw failure as? DrillModel.ExitCode ?? .unverified }
        return try outcome.get()
    }

    /// - Throws: ``ExitCode``: somebody could not be told, or a signal came first.
    private func tell(
        _ report: RunReport, in folder: URL, _ outcome: Result<Verdict, any Error>, ledger: LedgerHead? = nil, problem: String?
    ) async throws {
        let isStopped = if case .failure(is DrillModel.ExitCode) = outcome { true } else { false }
        try await notifications?.report {
            await $0.tell(report, in: folder, ledger: ledger.map { "\($0)" }, problem: problem, at: isStopped ? .hurried : .usual)
        }
    }

    static var hostName: String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, 255) == 0 else { return "unknown" }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
