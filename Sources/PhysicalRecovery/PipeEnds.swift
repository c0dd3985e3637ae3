// A pipe between a thread of ours and a program.

import CLinux
import Foundation
import Glibc
import Synchronization

/// The reader went away.
struct BrokenPipe: Error {}

/// Both ends of one pipe. Programs open theirs by its path under /proc, so nothing is inherited.
final class PipeEnds: Sendable {
    let reading: Int32
    private let writing: Int32
    private let open = Mutex((reading: true, writing: true))

    init() throws {
        var ends: [Int32] = [0, 0]
        guard muster_pipe(&ends) == 0 else {
            throw StoredFileProblem(.machine, "no pipe can be made", hint: "raise the limit of open files: ulimit -n")
        }
        (reading, writing) = (ends[0], ends[1])
        // A larger pipe means fewer turns between the two sides; a refusal costs nothing else. 1031 is F_SETPIPE_SZ.
        _ = fcntl(writing, 1031, 1 << 20)
    }

    deinit {
        closeReading()
        closeWriting()
    }

    var readingPath: URL { URL(fileURLWithPath: "/proc/self/fd/\(reading)") }
    var writingPath: URL { URL(fileURLWithPath: "/proc/self/fd/\(writing)") }

    func closeReading() {
        open.withLock { state in
            if state.reading { close(reading) }
            state.reading = false
        }
    }

    func closeWriting() {
        open.withLock { state in
            if state.writing { close(writing) }
            state.writing = false
        }
    }

    /// - Throws: ``BrokenPipe`` where nobody reads any more.
    func write(_ bytes: UnsafeRawBufferPointer) throws {
        var written = 0
        while written < bytes.count {
            let count = Glibc.write(writing, bytes.baseAddress.map { $0 + written }, bytes.count - written)
            if count >= 0 {
                written += count
            } else if errno != EINTR {
                throw BrokenPipe()
            }
        }
    }
}
