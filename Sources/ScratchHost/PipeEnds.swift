// A pipe between a thread of ours and a program.

import CLinux
public import Foundation
import Glibc
import Synchronization

/// The reader went away.
public struct BrokenPipe: Error {}

/// Both ends of one pipe. Programs open theirs by its path under /proc, so nothing is inherited.
public final class PipeEnds: Sendable {
    public let reading: Int32
    private let writing: Int32
    private let open = Mutex((reading: true, writing: true))

    /// - Throws: ``ScratchError`` where the machine has no more of them.
    public init() throws(ScratchError) {
        var ends: [Int32] = [0, 0]
        guard muster_pipe(&ends) == 0 else {
            throw ScratchError(.refused, "no pipe can be made", hint: "raise the limit of open files: ulimit -n")
        }
        (reading, writing) = (ends[0], ends[1])
        // A larger pipe means fewer turns between the two sides; a refusal costs nothing else. 1031 is F_SETPIPE_SZ.
        _ = fcntl(writing, 1031, 1 << 20)
    }

    deinit {
        closeReading()
        closeWriting()
    }

    public var readingPath: URL { URL(fileURLWithPath: "/proc/self/fd/\(reading)") }
    public var writingPath: URL { URL(fileURLWithPath: "/proc/self/fd/\(writing)") }

    public func closeReading() {
        open.withLock { state in
            if state.reading { close(reading) }
            state.reading = false
        }
    }

    public func closeWriting() {
        open.withLock { state in
            if state.writing { close(writing) }
            state.writing = false
        }
    }

    /// - Throws: ``BrokenPipe`` where nobody reads any more.
    public func write(_ bytes: UnsafeRawBufferPointer) throws {
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
