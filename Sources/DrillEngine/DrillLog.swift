// The memory of one drill: what was answered, and when each step ran.

import DrillModel
import Synchronization

/// Collects what the services' drivers tell and passes it on to the hub.
final class DrillLog: Sendable {
    struct Memory {
        var cases: [CaseResult] = []
        var activities: [StepActivity] = []
        var unproven: [String] = []
    }

    private struct Incident {
        var declared: ContinuousClock.Instant
        var isComing: Bool
    }

    private let began = ContinuousClock.now
    private let hub: EventHub
    private let memory = Mutex(Memory())
    private let incident = Mutex(Incident(declared: .now, isComing: false))

    init(hub: EventHub) {
        self.hub = hub
    }

    /// Since the declared incident.
    var elapsed: Duration { ContinuousClock.now - incident.withLock { $0.declared } }
    /// Since the drill began, what was made ready for it included.
    var duration: Duration { ContinuousClock.now - began }
    var snapshot: Memory { memory.withLock { $0 } }

    /// From now on, what stands for the living services is made: no part of the procedure, and not on its clock.
    func prepare() { incident.withLock { $0.isComing = true } }

    /// The clock starts.
    func declareIncident() { incident.withLock { $0 = Incident(declared: .now, isComing: false) } }

    private var isPreparing: Bool { incident.withLock { $0.isComing } }

    func record(_ result: CaseResult) {
        var result = result
        // What can't be made ready says nothing of the disaster: the question could not be asked.
        if isPreparing, result.verdict == .failed {
            result.verdict = .error
            result.reason = result.findings.first { $0.severity == .critical }?.message ?? result.reason
        }
        // What the machine couldn't give to a quarantine is no detail: the reports say it in words.
        if result.group == .quarantine, result.verdict == .skipped {
            unproven("\(result.service.map { "\($0): " } ?? "")\(result.name): \(result.reason).")
        }
        let recorded = result
        record(asItIs: recorded)
    }

    private func record(asItIs result: CaseResult) {
        memory.withLock { $0.cases.append(result) }
        hub.emit(.caseFinished(result))
    }

    func emit(_ kind: Event.Kind) {
        if isPreparing {
            switch kind {
            case .stepStarted, .progress: return
            default: break
            }
        }
        hub.emit(kind)
    }

    func unproven(_ sentence: String) {
        memory.withLock { memory in
            if !memory.unproven.contains(sentence) { memory.unproven.append(sentence) }
        }
    }

    /// A part of a step that has a case of its own, or needs none.
    func note(_ activity: StepActivity) {
        if isPreparing { return }
        memory.withLock { $0.activities.append(activity) }
        hub.emit(.activityFinished(activity))
    }

    func finish(_ activity: StepActivity, suffix: String = "") {
        if isPreparing { return }
        note(activity)
        let reason = activity.verdict == .passed ? "" : activity.detail
        record(
            CaseResult(
                .step, service: activity.service, name: activity.step.rawValue + suffix, verdict: activity.verdict,
                duration: activity.end - activity.start, reason: reason))
    }

    /// The six steps as the drill as a whole went through them.
    func steps() -> [StepResult] {
        let activities = snapshot.activities
        return Step.allCases.map { step in
            let own = activities.filter { $0.step == step }.sorted { $0.start < $1.start }
            return StepResult(
                step: step, verdict: own.isEmpty ? .skipped : Verdict.combined(own.map(\.verdict)), duration: Self.union(own),
                activities: own)
        }
    }

    /// The time that at least one of the intervals covers.
    static func union(_ activities: [StepActivity]) -> Duration {
        var covered = Duration.zero
        var reached: Duration?
        for activity in activities.sorted(by: { $0.start < $1.start }) {
            let start = max(activity.start, reached ?? activity.start)
            if activity.end > start { covered += activity.end - start }
            reached = max(activity.end, reached ?? activity.end)
        }
        return covered
    }
}

/// One attempt of one service in one step: adds the service, and the attempt to the names of cases asked twice.
struct AttemptLog: StepLog {
    let log: DrillLog
    /// nil for the drill as a whole.
    let service: String?
    let step: Step
    /// Empty for the first attempt.
    let suffix: String
    let attempt: AttemptMemory

    func record(_ result: CaseResult) {
        var result = result
        result.name += suffix
        attempt.note(result)
        log.record(result)
    }

    func fact(_ name: String, _ value: String) {
        log.emit(.fact(Fact("\(service.map { $0 + "." } ?? "")\(name)\(suffix)", value)))
    }

    func progress(_ label: String, completed: Int64, total: Int64?, unit: DrillModel.Progress.Unit) {
        log.emit(
            .progress(
                DrillModel.Progress(
                    step: step, service: service ?? "", label: label, completed: completed, total: total, unit: unit)))
    }

    func unproven(_ sentence: String) { log.unproven(sentence) }
}

/// What one attempt's cases came to.
final class AttemptMemory: Sendable {
    private let cases = Mutex<[CaseResult]>([])

    func note(_ result: CaseResult) { cases.withLock { $0.append(result) } }

    private var all: [CaseResult] { cases.withLock { $0 } }

    /// How many there are so far: with ``verdict(since:)`` the border of a step.
    var count: Int { cases.withLock(\.count) }

    /// What a step came to, by the cases that it noted.
    func verdict(since count: Int) -> Verdict {
        let own = all.dropFirst(count).map(\.verdict)
        return own.contains(.failed) ? .failed : own.contains(.error) ? .error : .passed
    }

    /// Groups that speak of the backup itself: a red one means that this point is not healthy.
    private static let ofTheBackup: Set<CaseResult.Group> = [.backup, .restore, .rows, .content, .schema, .keys]

    /// Groups that ask about what came back. Where none of these was answered, nothing was proven.
    static let ofWhatCameBack: Set<CaseResult.Group> = [.rows, .content, .schema, .keys, .declared]

    /// What a drill as a whole may be green by: also that an application is well again.
    static let ofTheDrill = ofWhatCameBack.union([.operation])

    var backupIsBad: Bool { all.contains { $0.verdict == .failed && Self.ofTheBackup.contains($0.group) } }
    /// Nobody can say whether it is healthy: the store keeps this one artifact from whoever wants to restore it.
    var backupIsOutOfReach: Bool {
        all.contains { result in
            result.verdict == .error && result.findings.contains { [.artifactArchived, .artifactAccessDenied].contains($0.rule) }
        }
    }
    var hasFailures: Bool { all.contains { $0.verdict == .failed } }
    var hasErrors: Bool { all.contains { $0.verdict == .error } }

    /// The estate's and the machine's own reasons for what was red.
    var standingReasons: Set<StandingReason> { StandingReason.of(all) }

    /// Whether any question about what came back was really answered since then. What the restore says of itself is no such question.
    func askedAnything(since count: Int) -> Bool {
        all.dropFirst(count).contains { Self.ofWhatCameBack.contains($0.group) && ($0.verdict == .passed || $0.verdict == .failed) }
    }
}
