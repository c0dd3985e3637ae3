// A run's event log read back, so that every report can be made anew from it.

public import DrillModel
public import Foundation

/// A log or a report that can't be read back.
public struct ReplayError: Error, Sendable, Hashable, CustomStringConvertible {
    public enum Kind: Sendable, Hashable {
        /// There is none of that name.
        case notFound
        /// It was damaged, is of a newer version, or may not be read.
        case unreadable
        /// The run was cut off before its first drill began, or is about to begin it.
        case empty
    }
    public var kind: Kind
    /// One sentence, lower case, no full stop; it names the file.
    public var message: String
    public var hint: String

    init(_ kind: Kind, _ message: String, hint: String) {
        self.kind = kind
        self.message = message
        self.hint = hint
    }

    public var description: String { "\(message)\nhint: \(hint)" }
}

/// Reads `events.jsonl`.
public enum EventReplay {
    /// How a log ends.
    public enum Ending: Sendable, Hashable {
        /// With the run's end.
        case whole
        /// Before it: the run was killed, or is not over.
        case broken
    }

    /// Hands the events over in their order. Times are those that were written: to the millisecond.
    ///
    /// A last line that broke off is passed over, as a kill leaves it. Kinds of events that a newer version added are passed over too.
    ///
    /// - Throws: ``ReplayError``: the file can't be read, a line of it was damaged, or its layout is newer.
    public static func read(_ file: URL, _ body: (Event) async -> Void) async throws -> Ending {
        let data: Data
        do {
            // Mapped: a log of many thousand cases is read without being held.
            data = try Data(contentsOf: file, options: .mappedIfSafe)
        } catch {
            throw ReplayError(.unreadable, "\(file.path) can't be read", hint: "check its permissions, and that the run's folder is whole")
        }
        let decoder = JSONDecoder()
        var rest = data[...]
        var line = 0
        var ending = Ending.broken
        while !rest.isEmpty {
            line += 1
            let end = rest.firstIndex(of: UInt8(ascii: "\n"))
            let text = rest[..<(end ?? rest.endIndex)]
            rest = end.map { rest[($0 + 1)...] } ?? rest[rest.endIndex...]
            do {
                if try decoder.decode(Layout.self, from: text).v > EventDocument.layout {
                    throw ReplayError(
                        .unreadable, "\(file.path) was written by a newer version of muster, in another layout",
                        hint: "read it with that version")
                }
                guard let event = try Event(decoder.decode(EventDocument.self, from: text)) else { continue }
                await body(event)
                if case .runFinished = event.kind { ending = .whole }
            } catch let error as ReplayError {
                throw error
            } catch {
                guard end != nil else { break }
                throw ReplayError(
                    .unreadable, "line \(line) of \(file.path) can't be read",
                    hint: "it was damaged or edited since: compare it with another copy; report.json is the run's own summary")
            }
        }
        return ending
    }

    private struct Layout: Decodable {
        var v: Int
    }
}

/// A word that this version doesn't know where one of a few is expected.
private struct UnknownWord: Error {}

private func known<Value: RawRepresentable>(_ word: Value.RawValue) throws -> Value {
    guard let value = Value(rawValue: word) else { throw UnknownWord() }
    return value
}

extension Event {
    /// - Returns: nil for a kind that this version doesn't know.
    init?(_ document: EventDocument) throws {
        guard let kind = try Self.kind(document) else { return nil }
        self.init(time: document.time.date, elapsed: document.elapsed.duration, kind: kind)
    }

    private static func kind(_ document: EventDocument) throws -> Kind? {
        if let start = document.runStart {
            return .runStarted(RunInfo(musterVersion: start.musterVersion, host: start.host, runID: start.id, drills: start.drills))
        }
        if let start = document.drillStart { return .drillStarted(try DrillInfo(start)) }
        if let start = document.stepStart { return .stepStarted(try known(start.step), service: start.service) }
        if let progress = document.progress {
            return .progress(
                Progress(
                    step: try known(progress.step), service: progress.service, label: progress.label, completed: progress.completed,
                    total: progress.total, unit: try known(progress.unit)))
        }
        if let result = document.case { return .caseFinished(try CaseResult(result)) }
        if let point = document.point { return .pointChosen(try ChosenPoint(point)) }
        if let fact = document.fact { return .fact(Fact(fact.name, fact.value)) }
        if let activity = document.activity { return .activityFinished(try StepActivity(activity)) }
        if let outcome = document.outcome { return .drillFinished(try DrillOutcome(outcome)) }
        return document.runEnd.map { .runFinished($0.verdict) }
    }
}

extension DrillInfo {
    fileprivate init(_ start: EventDocument.DrillStart) throws {
        guard let zone = TimeZone(identifier: start.timeZone) else { throw UnknownWord() }
        self.init(
            kind: try start.kind.map { try known($0) } ?? .drill, name: start.name, estate: start.estate, estateFile: start.estateFile,
            namedEstateFile: start.estateFileNamed,
            // An inspection has neither.
            scenario: try start.scenario.map { try known($0) } ?? .databaseCorruption,
            profile: try start.profile.map { try known($0) } ?? .production, disaster: start.disaster.date, timeZone: zone)
    }
}

extension CaseResult {
    init(_ document: CaseDocument) throws {
        self.init(
            try known(document.group), service: document.service, name: document.name, verdict: document.verdict,
            duration: document.duration.duration, reason: document.reason ?? "",
            findings: try document.findings.map { finding in
                Finding(
                    Rule(finding.rule), try known(finding.severity), object: finding.object, expected: finding.expected,
                    actual: finding.actual, message: finding.message, hint: finding.hint, diff: finding.diff)
            })
    }
}

extension ChosenPoint {
    fileprivate init(_ document: PointDocument) throws {
        self.init(
            service: document.service, backup: document.backup, store: document.store, path: document.path, size: document.size,
            time: document.time.date, timeSource: try known(document.timeSource), sealed: document.sealed,
            truth: try document.truth.map { try known($0) }, rejected: document.rejected)
    }
}

extension StepActivity {
    fileprivate init(_ document: ActivityDocument) throws {
        self.init(
            step: try known(document.step), service: document.service, start: document.start.duration, end: document.end.duration,
            verdict: document.verdict, detail: document.detail)
    }
}

extension DrillOutcome {
    fileprivate init(_ document: EventDocument.Outcome) throws {
        self.init(
            verdict: document.verdict, duration: document.duration.duration,
            steps: try document.steps.map { step in
                StepResult(
                    step: try known(step.step), verdict: step.verdict, duration: step.duration.duration,
                    activities: try step.activities.map { try StepActivity($0) })
            },
            objectives: try document.objectives.map { try Objectives($0) }, unproven: document.unproven)
    }
}

extension Objectives {
    fileprivate init(_ document: ObjectivesDocument) throws {
        let time = document.rto
        self.init(
            rto: RecoveryTime(
                measured: time.measured?.duration,
                allowances: time.allowances.map { Allowance(name: $0.name, duration: $0.duration.duration) },
                target: time.target?.duration, profile: try known(time.profile), accepting: time.accepting.mapValues(\.duration)),
            rpo: try document.rpo.map { age in
                RecoveryPointAge(
                    service: age.service, disaster: age.disaster.date, recovered: age.recovered?.date,
                    source: try age.timeSource.map { try known($0) },
                    worstCase: age.worstCase.map {
                        WorstCase(from: $0.from.date, to: $0.to.date, backupDuration: $0.backupDuration.duration, points: $0.points)
                    }, target: age.target?.duration)
            }, skew: document.skew?.duration)
    }
}
