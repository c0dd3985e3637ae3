// What surrounds a step: commands of the drill's own, and what only a person can do.

/// A command of the drill file's.
public struct Hook: Sendable, Hashable {
    /// When it runs.
    public enum Moment: String, Sendable, Hashable, Codable, CaseIterable {
        case before, after
        case onFailure = "on-failure"
    }
    /// Program and arguments; run as Muster's own user, outside of the quarantine.
    public var run: [String]
    /// After that it is ended, with all that it started.
    public var timeout: Duration

    public init(run: [String], timeout: Duration = .seconds(60)) {
        self.run = run
        self.timeout = timeout
    }
}

/// A person's part of a step.
public struct ManualStep: Sendable, Hashable {
    public var step: Step
    public var name: String
    /// What it counts for, where nobody is asked.
    public var allowance: Duration

    public init(step: Step, name: String, allowance: Duration) {
        self.step = step
        self.name = name
        self.allowance = allowance
    }
}
