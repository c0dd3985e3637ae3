// Bytes for a program's standard input that must stand on no disk.

import CLinux
public import Foundation
import Glibc

/// A file in memory alone, which ends with its last holder.
///
/// Unlike a pipe it holds any amount at once, and a program that doesn't read it breaks nothing.
public final class MemoryFile: Sendable {
    private let descriptor: Int32

    /// - Throws: ``ScratchError`` where the machine has no more of them, or no memory.
    public init(_ bytes: [UInt8]) throws(ScratchError) {
        descriptor = muster_memory_file()
        guard descriptor >= 0 else { throw .system(errno, "cannot make", "a file in memory") }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR { continue }
                throw .system(errno, "cannot write to", "a file in memory")
            }
            rest = rest.dropFirst(count)
        }
    }

    deinit { close(descriptor) }

    /// Opening it begins at its start, each time.
    public var url: URL { URL(fileURLWithPath: "/proc/self/fd/\(descriptor)", isDirectory: false) }
}
