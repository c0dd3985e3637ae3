// Fetches one object in parallel ranges, and goes on where a range broke off.

import Foundation
import Glibc
import ScratchHost
import Synchronization

/// One transfer into a file.
struct RangeFetch: Sendable {
    var rclone: Rclone
    /// Bytes of a range.
    var chunk: Int64 = 64 << 20

    /// Fetches an object of a known size.
    ///
    /// - Parameter progress: Bytes that have arrived so far.
    /// - Returns: Whether all of it came. False: the store gave less than it had listed.
    /// - Throws: `DrillFailure`, after a bounded number of attempts; ``ScratchError``; `CancellationError`.
    func fetch(_ object: RemoteObject, to target: URL, progress: @escaping @Sendable (Int64) -> Void) async throws -> Bool {
        let file = open(target.path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw ScratchError.system(errno, "cannot write", target.path) }
        close(file)
        let starts = Array(stride(from: Int64(0), to: object.size, by: Int64.Stride(chunk)))
        let arrived = ArrivedBytes(progress)
        return try await withThrowingTaskGroup(of: Bool.self) { group in
            var next = 0
            var whole = true
            func add() {
                guard next < starts.count else { return }
                let start = starts[next]
                next += 1
                group.addTask {
                    try await range(start..<min(start + chunk, object.size), of: object, to: target, arrived: arrived)
                }
            }
            for _ in 0..<rclone.connection.width { add() }
            while let range = try await group.next() {
                whole = whole && range
                add()
            }
            return whole
        }
    }

    private func range(_ range: Range<Int64>, of object: RemoteObject, to target: URL, arrived: ArrivedBytes) async throws -> Bool {
        let file = open(target.path, O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { throw ScratchError.system(errno, "cannot write", target.path) }
        defer { close(file) }
        lseek(file, off_t(range.lowerBound), SEEK_SET)
        // The child moves the offset that it shares with us, so the offset tells what has come.
        let watch = Task {
            while true {
                try await Task.sleep(for: .milliseconds(200))
                arrived.set(Int64(lseek(file, 0, SEEK_CUR)) - range.lowerBound, of: range.lowerBound)
            }
        }
        var last = range.lowerBound
        var cut: Int64?
        do {
            try await rclone.retrying(of: object) {
                let position = Int64(lseek(file, 0, SEEK_CUR))
                // What it wrote is the range's, as far as it goes: an attempt that broke off is gone on with.
                guard position < range.upperBound else { return }
                last = position
                do {
                    try await rclone.run(
                        ["cat", "--offset", String(position), "--count", String(range.upperBound - position)], on: [object.path],
                        output: .open(file))
                } catch let trouble as RemoteTrouble where trouble.kind == .cutShort && rclone.connection.isForeign {
                    // A connection breaks anywhere; what an encrypted remote cuts twice at one place lies there cut.
                    let reached = Int64(lseek(file, 0, SEEK_CUR))
                    guard cut != reached else { throw RemoteTrouble(.damaged, cause: trouble.cause) }
                    cut = reached
                    throw trouble
                }
                // rclone says nothing of an object that is gone or shorter.
                let reached = Int64(lseek(file, 0, SEEK_CUR))
                if reached < range.upperBound, reached > last { throw RemoteTrouble(.unreachable) }
            }
        } catch {
            watch.cancel()
            _ = await watch.result
            throw error
        }
        watch.cancel()
        // The descriptor must not be watched once it is closed: its number may be another file's then.
        _ = await watch.result
        let reached = Int64(lseek(file, 0, SEEK_CUR))
        arrived.set(reached - range.lowerBound, of: range.lowerBound)
        return reached == range.upperBound
    }
}

/// Adds up what the ranges have brought.
private final class ArrivedBytes: Sendable {
    private let ranges = Mutex<[Int64: Int64]>([:])
    private let report: @Sendable (Int64) -> Void

    init(_ report: @escaping @Sendable (Int64) -> Void) { self.report = report }

    func set(_ bytes: Int64, of start: Int64) {
        report(
            ranges.withLock {
                $0[start] = bytes
                return $0.values.reduce(0, +)
            })
    }
}
