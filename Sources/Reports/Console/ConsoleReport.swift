// The console: the one report that people watch while it is made.

public import DrillModel
import Foundation

/// Shows a run as it happens, then what came of it.
///
/// On a terminal a live line is redrawn in place, at most ten times a second. Otherwise there are plain lines without any
/// control character. Passed cases are counted, never listed.
public actor ConsoleReport: Recorder {
    private static let redrawInterval = Duration.milliseconds(100)
    /// CI servers stop jobs that stay silent for long.
    private static let heartbeat = Duration.seconds(30)

    private let options: ConsoleOptions
    private let sink: @Sendable (String) -> Void
    private var report = RunReport()
    private var progress = ProgressLine()
    private var lastDrawn: Duration?
    private var isLiveLineShown = false
    private var isFinished = false

    /// - Parameter sink: Takes text as it is to appear, line breaks included.
    public init(options: ConsoleOptions, sink: @escaping @Sendable (String) -> Void) {
        self.options = options
        self.sink = sink
    }

    public func record(_ event: Event) {
        report.apply(event)
        if options.quiet { return recordQuietly(event) }
        switch event.kind {
        case .runStarted(let info):
            print(RunLines.opening(info))
        case .drillStarted(let info):
            progress.clear()
            print(RunLines.opening(info))
        case .stepStarted(let step, let service):
            progress.started(step, service: service)
            lastDrawn = event.elapsed
            options.live ? draw() : print(ConsoleLine("  · ", .dim).adding(RunLines.name(of: step, service)))
        case .progress(let progress):
            self.progress.advanced(progress, at: event.elapsed)
            show(at: event.elapsed)
        case .pointChosen(let point):
            print(RunLines.chosen(point, in: report.drills.last?.info.timeZone ?? .gmt))
        case .caseFinished(let result):
            if result.verdict == .failed || result.verdict == .error { print(RunLines.red(result)) }
        case .activityFinished(let activity):
            progress.finished(activity.step, service: activity.service)
            // On a terminal the table at the end says it; in a log each line is a sign of life.
            options.live ? draw() : print(RunLines.finished(activity))
        case .fact:
            break
        case .drillFinished:
            progress.clear()
            if let drill = report.drills.last {
                print(DrillSummary(drill: drill, duration: report.duration(of: drill)).lines(width: options.wrap))
            }
        case .runFinished:
            progress.clear()
            print(RunLines.closing(report))
            isFinished = true
        }
    }

    /// Ends the live line and, where the run was cut off, says so and shows what was known.
    public func finish() {
        progress.clear()
        erase()
        guard !isFinished else { return }
        isFinished = true
        if let drill = report.drills.last, drill.interrupted {
            let summary = DrillSummary(drill: drill, duration: report.duration(of: drill))
            print(options.quiet ? summary.quietLines() : summary.lines(width: options.wrap))
        }
        print(RunLines.closing(report))
    }

    /// A line a drill and what is red; the live line goes on.
    private func recordQuietly(_ event: Event) {
        switch event.kind {
        case .stepStarted(let step, let service): progress.started(step, service: service)
        case .progress(let progress):
            self.progress.advanced(progress, at: event.elapsed)
            if options.live { show(at: event.elapsed) }
        case .activityFinished(let activity): progress.finished(activity.step, service: activity.service)
        case .drillFinished:
            progress.clear()
            if let drill = report.drills.last { print(DrillSummary(drill: drill, duration: report.duration(of: drill)).quietLines()) }
        case .runFinished:
            progress.clear()
            // Each drill has said it for itself; a run of none has not.
            if report.drills.isEmpty { print(RunLines.closing(report)) }
            isFinished = true
        default: break
        }
    }

    /// Says where the reports lie. Called once, after everything else.
    public func footer(paths: [String]) {
        // What is green needs no reading.
        guard !paths.isEmpty, !options.quiet || report.conclusion != .passed else { return }
        print([ConsoleLine(), ConsoleLine("Reports", .bold)] + paths.map { ConsoleLine("  \($0)") })
    }

    private func show(at now: Duration) {
        let pause = options.live ? Self.redrawInterval : Self.heartbeat
        guard let last = lastDrawn, now - last < pause else {
            lastDrawn = now
            if options.live { return draw() }
            if let words = progress.words() { print(ConsoleLine("    … ", .dim).adding(words)) }
            return
        }
    }

    /// Lines that stay; the live line moves below them.
    private func print(_ lines: [ConsoleLine]) {
        erase()
        let text = lines.flatMap { $0.wrapped(to: options.wrap) }.map { $0.rendered(color: options.color) + "\n" }.joined()
        if !text.isEmpty { sink(text) }
        draw()
    }

    private func print(_ line: ConsoleLine) {
        print([line])
    }

    private func draw() {
        guard options.live else { return }
        // The last column stays free: some terminals wrap as soon as it is written.
        guard let line = progress.line(width: options.width - 1) else { return erase() }
        sink("\r\u{1B}[2K" + line.rendered(color: options.color, limit: options.width - 1))
        isLiveLineShown = true
    }

    private func erase() {
        guard isLiveLineShown else { return }
        sink("\r\u{1B}[2K")
        isLiveLineShown = false
    }
}
