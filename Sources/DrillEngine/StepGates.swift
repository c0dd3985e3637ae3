// Services go through the steps side by side; where a hook or a person stands between two steps, they wait for each other here.

import DrillModel

/// The doors between the steps of one drill. A step without anything around it has none.
actor StepGates {
    private let services: Set<String>
    private let surroundings: StepSurroundings
    /// What the drill as a whole does once every service has identified its backups: the step *stop*. nil: nothing, and no waiting.
    private let stop: (@Sendable () async throws -> Void)?

    private var openings: [Step: Task<Void, any Error>] = [:]
    private var closings: [Step: Task<Void, any Error>] = [:]
    private var waiting: [Step: [CheckedContinuation<Void, Never>]] = [:]
    private var arrived: [Step: Set<String>] = [:]
    private var gone: Set<String> = []
    private var failed: Set<Step> = []
    private var toldOfFailure: Set<Step> = []

    init(services: Set<String>, surroundings: StepSurroundings, stop: (@Sendable () async throws -> Void)?) {
        self.services = services
        self.surroundings = surroundings
        self.stop = stop
    }

    /// The first to come to a step runs what is before it; all others wait for that.
    func enter(_ step: Step, _ service: String) async throws {
        guard surroundings.hasBefore(step) else { return }
        let surroundings = surroundings
        let task = openings[step] ?? Task { try await surroundings.before(step) }
        openings[step] = task
        try await Self.wait(for: task)
    }

    /// The last to leave a step runs what is after it; all others wait for that. Whoever comes by again, with an older backup, passes.
    func leave(_ step: Step, _ service: String, isRed: Bool) async throws {
        if isRed { failed.insert(step) }
        guard isGated(step) else { return }
        if let closed = closings[step] {
            try await Self.wait(for: closed)
            guard isRed, toldOfFailure.insert(step).inserted else { return }
            return try await surroundings.onFailure(step)
        }
        arrived[step, default: []].insert(service)
        if isComplete(step) {
            close(step)
        } else {
            // No cancellation to listen for: the others are cancelled too then, and their leaving opens the door.
            await withCheckedContinuation { waiting[step, default: []].append($0) }
        }
        try Task.checkCancellation()
        if let closing = closings[step] { try await Self.wait(for: closing) }
    }

    /// A service's way is over: nobody waits for it any more.
    func ended(_ service: String) async {
        gone.insert(service)
        for step in Step.allCases where closings[step] == nil && isComplete(step) {
            guard !Task.isCancelled else {
                // Nothing is run any more, but nobody is left standing.
                release(step)
                continue
            }
            close(step)
            if let closing = closings[step] { try? await Self.wait(for: closing) }
        }
    }

    private func isGated(_ step: Step) -> Bool { surroundings.hasAfter(step) || (step == .identify && stop != nil) }

    private func isComplete(_ step: Step) -> Bool {
        guard let here = arrived[step], !here.isEmpty else { return false }
        return services.isSubset(of: here.union(gone))
    }

    private func close(_ step: Step) {
        let (surroundings, stop, isRed) = (surroundings, stop, failed.contains(step))
        if isRed { toldOfFailure.insert(step) }
        closings[step] = Task {
            try await surroundings.after(step, failed: isRed)
            if step == .identify { try await stop?() }
        }
        release(step)
    }

    private func release(_ step: Step) {
        for continuation in waiting.removeValue(forKey: step) ?? [] { continuation.resume() }
    }

    /// The task isn't a child of whoever waits, and must still end with it.
    private static func wait(for task: Task<Void, any Error>) async throws {
        try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            task.cancel()
        }
    }
}
