// Waits until an application is well: every probe holds, and has held for as long as was promised.

public import DrillModel
import Foundation
import ScratchHost

/// The answer to one probe.
public enum ProbeAnswer: Sendable, Hashable {
    case holds
    /// What was expected and what was there, without a word of what was answered.
    case fails(expected: String, actual: String)
    /// It could not be asked, and may be later.
    case unasked(Finding)
}

/// One wait for one application.
public struct HealthWatch: Sendable {
    /// Between two rounds of probes.
    static let pause = Duration.milliseconds(100)

    let application: ScratchApplication
    let ask: @Sendable (HealthProbe) async throws -> ProbeAnswer

    /// - Parameter ask: Asks one probe once, within seconds.
    public init(_ application: ScratchApplication, ask: @escaping @Sendable (HealthProbe) async throws -> ProbeAnswer) {
        self.application = application
        self.ask = ask
    }

    /// - Returns: The end of the first round of those that held to the end: only then had every probe been answered.
    /// - Throws: ``DrillFailure``: failed where it ended by itself or didn't become well; `CancellationError`.
    public func wait() async throws -> ContinuousClock.Instant {
        let promise = application.application.health
        let start = ContinuousClock.now
        var since: ContinuousClock.Instant?
        var breaks = 0
        var last: (probe: HealthProbe, answer: ProbeAnswer)?
        while true {
            try Task.checkCancellation()
            let red = try await round()
            if let ending = application.process.ending { throw application.death(ending, after: start.duration(to: .now)) }
            let now = ContinuousClock.now
            if let red {
                if since != nil { breaks += 1 }
                since = nil
                last = red
            } else {
                let began = since ?? now
                if now - began >= promise.hold { return began }
                since = began
            }
            // Once they hold, they are let hold to the end: how long that may take in all is the RTO's question.
            if since == nil, now - start >= promise.within { throw failure(last, breaks: breaks) }
            try await Task.sleep(for: Self.pause)
        }
    }

    /// Asks once more, later: people and hooks take their time, and it is to be well when they are through.
    ///
    /// - Throws: As ``wait()``.
    public func confirm() async throws {
        let start = ContinuousClock.now
        while true {
            try Task.checkCancellation()
            let red = try await round()
            if let ending = application.process.ending {
                throw application.death(ending, after: application.application.health.hold)
            }
            guard let red else { return }
            guard start.duration(to: .now) >= Self.forgiven else {
                try await Task.sleep(for: Self.pause)
                continue
            }
            var failure = failure(red, breaks: 0)
            if failure.verdict == .failed { failure.finding.message = "the application was well, and is no longer" }
            throw failure
        }
    }

    /// How long a probe may fail then, as any may for a moment.
    private static let forgiven = Duration.seconds(2)

    /// - Returns: The first probe that doesn't hold.
    private func round() async throws -> (probe: HealthProbe, answer: ProbeAnswer)? {
        for probe in application.application.health.probes {
            if application.process.ending != nil { return nil }
            let answer = try await ask(probe)
            if answer != .holds { return (probe, answer) }
        }
        return nil
    }

    private func failure(
        _ last: (probe: HealthProbe, answer: ProbeAnswer)?, breaks: Int
    ) -> DrillFailure {
        let promise = application.application.health
        let name = application.application.name
        var finding = Finding(
            .applicationUnhealthy, object: name, expected: "every probe holds for \(Self.text(promise.hold))", actual: "",
            message: "the application was not well within \(Self.text(promise.within))",
            hint: "run again with --keep, and read a/application.log in the scratch folder")
        if breaks > 0 { finding.message += "; its probes began to hold and broke off \(breaks) \(breaks == 1 ? "time" : "times")" }
        guard let last else { return .failed(finding) }
        switch last.answer {
        case .unasked(let reason): return .error(reason)
        case .fails(let expected, let actual):
            finding.object = "\(name): \(last.probe.name)"
            finding.expected = expected
            finding.actual = actual
        case .holds: break
        }
        return .failed(finding)
    }

    private static func text(_ duration: Duration) -> String {
        duration.formatted(
            .units(allowed: [.hours, .minutes, .seconds, .milliseconds], width: .narrow, maximumUnitCount: 2).locale(.english))
    }
}
