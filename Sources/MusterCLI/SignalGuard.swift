// Turns Ctrl-C and SIGTERM into cancellation, so that every path cleans up.

import Dispatch
import DrillModel
import Glibc
import Synchronization

/// Runs work that can be stopped by a signal.
enum SignalGuard {
    /// Runs the body as a task. SIGINT, SIGTERM and SIGHUP cancel it, and it is waited for.
    ///
    /// - Parameter interrupts: Whether a SIGINT does, or is somebody else's: a program's on the same terminal.
    /// - Throws: ``ExitCode/interrupted`` or ``ExitCode/terminated`` after the clean-up, or what the body throws.
    static func run<Value: Sendable>(
        _ body: @escaping @Sendable () async throws -> Value, interruptedBy interrupts: @escaping @Sendable () -> Bool = { true }
    ) async throws -> Value {
        let received = Mutex<Int32>(0)
        let task = Task { try await body() }
        let queue = DispatchQueue(label: "muster.signals")
        let sources = [SIGINT, SIGTERM, SIGHUP].map { number in
            // The default action would end the process before the source sees the signal.
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler {
                if number == SIGINT, !interrupts() { return }
                let first = received.withLock { seen in
                    defer { if seen == 0 { seen = number } }
                    return seen == 0
                }
                if first { Console.complain("\nmuster: stopping, and cleaning up…") }
                task.cancel()
            }
            source.resume()
            return source
        }
        let result = await task.result
        sources.forEach { $0.cancel() }
        switch received.withLock({ $0 }) {
        case 0: return try result.get()
        case SIGINT: throw DrillModel.ExitCode.interrupted
        default: throw DrillModel.ExitCode.terminated
        }
    }
}
