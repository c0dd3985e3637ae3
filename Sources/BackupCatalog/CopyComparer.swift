// Compares an artifact's copies byte by byte, and takes their digests only where they differ.

import Cryptography
import Dispatch
public import DrillModel
import Foundation
import Glibc
import Seals

/// Compares two stored artifacts. Comparing is several times as fast as digesting both.
public enum CopyComparer {
    private static let queue = DispatchQueue(label: "muster.copies", attributes: .concurrent)
    private static let chunk = 1 << 18

    /// - Throws: `CancellationError`.
    public static func compare(_ copy: RecoveryPoint, with first: RecoveryPoint) async throws -> CopyComparison {
        if isSameFile(copy.location.path, first.location.path) { return .sameFile }
        for point in [first, copy] {
            if let refused = StoredAccess.refused(of: point) { return .unasked(.accessDenied("\(point.store):\(point.path)", refused)) }
        }
        let isFolder = [copy, first].contains { (try? $0.location.resourceValues(forKeys: [.isDirectoryKey]).isDirectory) ?? false }
        if !isFolder {
            let same: Bool? = await withCheckedContinuation { continuation in
                queue.async { continuation.resume(returning: identical(copy.location.path, first.location.path)) }
            }
            if same == true { return .identical }
        }
        try Task.checkCancellation()
        do throws(SealError) {
            let one = try await Seal.Artifact.measuring(first.location)
            let other = try await Seal.Artifact.measuring(copy.location)
            if one.sha256 == other.sha256 { return .identical }
            return .different(sha256: other.sha256, size: other.size, firstSHA256: one.sha256, firstSize: one.size)
        } catch {
            if Task.isCancelled { throw CancellationError() }
            return .unreadable(error.message)
        }
    }

    /// By a link, or by a store that is another one's folder under a second name.
    private static func isSameFile(_ left: String, _ right: String) -> Bool {
        var (one, other) = (stat(), stat())
        return stat(left, &one) == 0 && stat(right, &other) == 0 && one.st_dev == other.st_dev && one.st_ino == other.st_ino
    }

    /// nil where one of them can't be read to its end.
    private static func identical(_ left: String, _ right: String) -> Bool? {
        let files = [left, right].map { (path: String) -> Int32 in open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
        defer { for file in files where file >= 0 { close(file) } }
        guard files.allSatisfy({ $0 >= 0 }) else { return nil }
        var sizes: [Int64] = []
        for file in files {
            var status = stat()
            guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
            sizes.append(Int64(status.st_size))
        }
        guard sizes[0] == sizes[1] else { return false }
        var buffers = [[UInt8](repeating: 0, count: chunk), [UInt8](repeating: 0, count: chunk)]
        var offset: Int64 = 0
        while offset < sizes[0] {
            var counts: [Int] = []
            for index in 0..<2 {
                let count = pread(files[index], &buffers[index], chunk, off_t(offset))
                guard count > 0 else { return nil }
                counts.append(count)
            }
            let count = min(counts[0], counts[1])
            guard memcmp(buffers[0], buffers[1], count) == 0 else { return false }
            offset += Int64(count)
        }
        return true
    }
}
