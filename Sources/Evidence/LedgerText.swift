// The ledger's file as it is read: where its lines lie, and their bytes when somebody wants them.

import DrillModel
import Foundation
import Glibc

/// A ledger that nobody appends to meanwhile.
///
/// It isn't held, nor mapped: of a long one that would be most of the memory that verifying takes.
final class LedgerText: Sendable {
    private let descriptor: Int32
    /// Without their line feeds. Behind the last line feed there is no line.
    let lines: [Range<Int>]
    let endsWithLineFeed: Bool

    private static let chunk = 1 << 20

    /// - Throws: ``CommandFailure``: there is none, or it can't be read.
    init(_ file: URL) throws(CommandFailure) {
        descriptor = open(file.path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else {
            throw CommandFailure(
                .unverified, errno == ENOENT ? "there is no ledger \(file.path)" : "\(file.path) can't be read",
                hint: "name the folder of the runs with --output; an estate with evidence: {…} writes one at its next run")
        }
        flock(descriptor, LOCK_SH)
        var lines: [Range<Int>] = []
        var buffer = [UInt8](repeating: 0, count: Self.chunk)
        var start = 0
        var offset = 0
        while true {
            let count = pread(descriptor, &buffer, buffer.count, off_t(offset))
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                close(descriptor)
                throw CommandFailure(.unverified, "\(file.path) can't be read", hint: "check its permissions")
            }
            if count == 0 { break }
            buffer.withUnsafeBytes { bytes in
                var place = 0
                while place < count, let base = bytes.baseAddress,
                    let found = memchr(base + place, Int32(UInt8(ascii: "\n")), count - place)
                {
                    let end = UnsafeRawPointer(found) - base
                    lines.append(start..<(offset + end))
                    start = offset + end + 1
                    place = end + 1
                }
            }
            offset += count
        }
        endsWithLineFeed = start == offset
        if start < offset { lines.append(start..<offset) }
        self.lines = lines
    }

    deinit { close(descriptor) }

    /// - Returns: nil where they can't be read.
    func bytes(of range: Range<Int>) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: range.count)
        var done = 0
        while done < range.count {
            let count = buffer.withUnsafeMutableBytes {
                pread(descriptor, $0.baseAddress?.advanced(by: done), range.count - done, off_t(range.lowerBound + done))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return nil }
            done += count
        }
        return buffer
    }
}
