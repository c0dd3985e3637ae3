// The six steps of the recovery plan.

/// A step of the plan's restoration procedure, in its order.
public enum Step: String, Sendable, Hashable, Codable, CaseIterable {
    /// Confirm the loss and choose the recovery point.
    case identify
    /// Keep everything from writing.
    case stop
    /// Fetch the artifacts, check and decrypt them.
    case retrieve
    /// Turn the artifacts into running servers.
    case restore
    /// Ask the checks.
    case verify
    /// Bring the services back.
    case restart
}

/// What one service did in one step: an interval on the drill's clock.
public struct StepActivity: Sendable, Hashable {
    public var step: Step
    /// nil for what the drill does as a whole.
    public var service: String?
    /// Since the declared incident.
    public var start: Duration
    public var end: Duration
    public var verdict: Verdict
    /// What was done, in one line, such as `restored 14 tables with 2 jobs`; the reason where it was skipped.
    public var detail: String

    public init(step: Step, service: String?, start: Duration, end: Duration, verdict: Verdict, detail: String) {
        self.step = step
        self.service = service
        self.start = start
        self.end = end
        self.verdict = verdict
        self.detail = detail
    }
}

/// One step of the drill as a whole.
public struct StepResult: Sendable, Hashable {
    public var step: Step
    public var verdict: Verdict
    /// The time in which at least one service was in this step. Steps of different services may overlap, so
    /// the sum over the steps can exceed the drill's RTO; it never falls short of it by more than the gaps between.
    public var duration: Duration
    public var activities: [StepActivity]

    public init(step: Step, verdict: Verdict, duration: Duration, activities: [StepActivity]) {
        self.step = step
        self.verdict = verdict
        self.duration = duration
        self.activities = activities
    }
}
