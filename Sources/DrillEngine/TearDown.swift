// What a drill must end, registered where it is made: the last that was made is ended first.

public import DrillModel
import Synchronization

/// One try at something that leaves things to be ended: of a service from one recovery point, of an application, of a zone's loss.
public struct Attempt: Sendable {
    /// 1 for the first.
    public let number: Int
    let step: AttemptLog
    let tearDown: TearDown

    public var log: any StepLog { step }

    /// Registers how something is ended that was just made, or is about to be, and whose end may fail: what is left is a finding.
    public func reportAtEnd(_ action: @escaping @Sendable () async -> [Finding]) { tearDown.add(.end(action)) }

    /// Registers how something is ended that was just made, or is about to be.
    public func atEnd(_ action: @escaping @Sendable () async -> Void) {
        tearDown.add(
            .end {
                await action()
                return []
            })
    }

    /// Registers what makes room for the next attempt. What the last one has made stays, for whoever wants to look at it.
    public func ifDiscarded(_ action: @escaping @Sendable () async -> Void) { tearDown.add(.discard(action)) }
}

/// The things to be ended, of a whole drill or of a part of it.
final class TearDown: Sendable {
    enum Action: Sendable {
        case end(@Sendable () async -> [Finding])
        case discard(@Sendable () async -> Void)
    }

    private let actions = Mutex<[Action]>([])

    func add(_ action: Action) { actions.withLock { $0.append(action) } }

    /// A part that is ended with the whole, unless it was before.
    func part() -> TearDown {
        let part = TearDown()
        add(.end { await part.run() })
        return part
    }

    /// Ends everything, the last first.
    ///
    /// - Parameter discarding: Whether what only makes room is done as well.
    /// - Returns: What could not be ended.
    func run(discarding: Bool = false) async -> [Finding] {
        var findings: [Finding] = []
        while let action = actions.withLock({ $0.popLast() }) {
            switch action {
            case .end(let end): findings += await end()
            case .discard(let discard): if discarding { await discard() }
            }
        }
        return findings
    }
}
