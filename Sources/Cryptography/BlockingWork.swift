// Runs blocking work on a queue of its own, off the cooperative pool, and lets it be cancelled.

import Dispatch
import Synchronization

/// Asked between two chunks of work.
final class CancellationFlag: Sendable {
    private let raised = Atomic(false)

    func raise() { raised.store(true, ordering: .relaxed) }

    func isRaised() -> Bool { raised.load(ordering: .relaxed) }

    func check() throws(CryptographyError) {
        if isRaised() { throw .cancelled }
    }
}

enum BlockingWork {
    /// Waits for the body, which runs on the queue. Where the task is cancelled, the body's next check of the flag throws.
    static func run<Value: Sendable>(
        on queue: DispatchQueue, _ body: @escaping @Sendable (CancellationFlag) throws(CryptographyError) -> Value
    ) async throws(CryptographyError) -> Value {
        let flag = CancellationFlag()
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Result<Value, CryptographyError>, Never>) in
                queue.async {
                    continuation.resume(returning: Result { () throws(CryptographyError) in try body(flag) })
                }
            }
        } onCancel: {
            flag.raise()
        }
        return try result.get()
    }
}
