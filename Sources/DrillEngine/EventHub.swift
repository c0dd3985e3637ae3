// Where events are stamped, put in order and handed to whoever listens.

public import DrillModel
import Foundation
import Synchronization

/// The run's one event stream. Emitting never waits; listeners read in their own time and in order.
public final class EventHub: Sendable {
    private struct State {
        var lastProgress: [String: ContinuousClock.Instant] = [:]
        var finished = false
    }

    /// All events, in order. Read by one listener.
    public let events: AsyncStream<Event>
    private let continuation: AsyncStream<Event>.Continuation
    private let started = ContinuousClock.now
    private let state = Mutex(State())

    public init() {
        (events, continuation) = AsyncStream.makeStream()
    }

    /// Stamps an event and passes it on. Progress that comes faster than eyes can follow is dropped.
    public func emit(_ kind: Event.Kind) {
        state.withLock { state in
            let now = ContinuousClock.now
            if case .progress(let progress) = kind {
                let key = "\(progress.service)/\(progress.step)"
                // The last of a piece of work is passed on in any case, so that what is done also looks done.
                let done = progress.completed == progress.total
                if !done, let last = state.lastProgress[key], now - last < .milliseconds(100) { return }
                state.lastProgress[key] = now
            }
            guard !state.finished else { return }
            // Inside the lock: two emitters must not overtake each other between stamp and stream.
            continuation.yield(Event(time: Date(), elapsed: now - started, kind: kind))
        }
    }

    /// No event comes after this one.
    public func finish() {
        state.withLock { $0.finished = true }
        continuation.finish()
    }
}
