// A thread for the writing of files, so that a slow disk never holds up Swift's cooperative pool.

import Dispatch

/// Runs the jobs of one actor on a queue of its own.
final class FileExecutor: SerialExecutor {
    private let queue: DispatchQueue

    init(label: String) {
        queue = DispatchQueue(label: label)
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }
}
