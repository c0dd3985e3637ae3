// Reads large files on a thread that may block.

import Dispatch

/// Work that waits for the disk, kept off Swift's own threads.
enum BlockingRead {
    static func run<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        let result: Result<Value, any Error> = await withCheckedContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(returning: Result { try work() }) }
        }
        return try result.get()
    }
}
