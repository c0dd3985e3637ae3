// Runs blocking work on a thread of its own, off the cooperative pool, and lets it be cancelled.

import Dispatch
import Foundation
import Synchronization

/// Asked between two chunks of work.
final class StopFlag: Sendable {
    private let raised = Atomic(false)

    func raise() { raised.store(true, ordering: .relaxed) }

    func check() throws(CancellationError) {
        if raised.load(ordering: .relaxed) { throw CancellationError() }
    }
}

enum BlockingQueue {
    /// Waits for the body. Where the task is cancelled, the body's next check of the flag throws.
    static func run<Value: Sendable>(_ body: @escaping @Sendable (StopFlag) throws -> Value) async throws -> Value {
        let flag = StopFlag()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                DispatchQueue(label: "muster.physical").async {
                    continuation.resume(with: Result { try body(flag) })
                }
            }
        } onCancel: {
            flag.raise()
        }
    }
}

extension BlockingQueue {
    /// Runs the body once for each number below the count, on as many threads as there are cores, two at the least.
    static func forEach(_ count: Int, _ body: @escaping @Sendable (Int, StopFlag) throws -> Void) async throws {
        let next = NextNumber()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<max(2, ProcessInfo.processInfo.activeProcessorCount) {
                group.addTask {
                    try await run { flag in
                        while true {
                            let number = next.take()
                            guard number < count else { return }
                            try flag.check()
                            try body(number, flag)
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    private final class NextNumber: Sendable {
        private let value = Atomic(0)

        func take() -> Int { value.wrappingAdd(1, ordering: .relaxed).oldValue }
    }
}
