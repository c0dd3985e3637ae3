// Whether a store of the lost zone and one that is left are the same folder, or one lies in the other: then no zone is lost.

import BackupCatalog
import DrillModel
import Foundation
import Glibc

/// Holds the lost stores against those that are left.
struct ZoneOverlap: Sendable {
    var lost: [Store]
    var left: [Store]

    /// Asked before the cut.
    ///
    /// - Returns: nil where there are no two that could be compared.
    func ask() -> CaseResult? {
        let name = "the lost zone shares no folder with what is left"
        var compared = false
        for one in lost {
            for other in left.sorted(by: { $0.name < $1.name }) {
                guard let same = isSame(one, other) else { continue }
                compared = true
                guard same else { continue }
                return .unasked(
                    .quarantine, name: name,
                    finding: Finding(
                        .lostZoneReachable, object: "store \(one.name)", expected: "another place than that of store \(other.name)",
                        actual: "the same folder, or one in the other",
                        message: "what is called lost is still there under another name, so nothing is lost",
                        hint: "keep the copies apart, and name each zone's own place as its store's path: look at links and mounts"))
            }
        }
        return compared ? .judged(.quarantine, name: name, findings: []) : nil
    }

    /// nil where one of them is no folder that is there, and so nothing can be told; equal remote places need no look.
    private func isSame(_ one: Store, _ other: Store) -> Bool? {
        if let remote = one.remote { return other.remote.map { $0 == remote } }
        guard let first = one.folder?.path, let second = other.folder?.path else { return nil }
        var (here, there) = (stat(), stat())
        guard stat(first, &here) == 0, stat(second, &there) == 0 else { return nil }
        if here.st_dev == there.st_dev, here.st_ino == there.st_ino { return true }
        guard let (first, second) = Self.resolved(first, second) else { return nil }
        return (first + "/").hasPrefix(second + "/") || (second + "/").hasPrefix(first + "/")
    }

    private static func resolved(_ one: String, _ other: String) -> (String, String)? {
        guard let first = realpath(one, nil) else { return nil }
        defer { free(first) }
        guard let second = realpath(other, nil) else { return nil }
        defer { free(second) }
        return (String(cString: first), String(cString: second))
    }
}
