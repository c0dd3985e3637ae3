// Walks down to a file as another user would: which folders let them pass, and in which of them they may replace what lies there.

public import DrillModel
public import Foundation
import Glibc
import Synchronization

/// Asks each folder once: a store holds thousands of files in a few.
public final class FolderWalk: Sendable {
    private let known = Mutex<[String: FolderReach]>([:])

    public init() {}

    /// What others can do on the way to a file, or folder, of this machine. A link is followed: both ways to it count.
    public func reach(_ item: URL) -> FolderReach {
        let named = reach(folder: item.deletingLastPathComponent().path)
        guard let target = Self.target(of: item.path) else { return named }
        return named.joined(with: reach(folder: URL(fileURLWithPath: target).deletingLastPathComponent().path))
    }

    private func reach(folder: String) -> FolderReach {
        if let told = known.withLock({ $0[folder] }) { return told }
        var told = Self.walk(folder)
        if let real = Self.resolved(folder), real != folder { told = told.joined(with: Self.walk(real)) }
        known.withLock { $0[folder] = told }
        return told
    }

    private static func walk(_ folder: String) -> FolderReach {
        var path = ""
        var isShut = false
        for part in [""] + folder.split(separator: "/").map(String.init) {
            path = part.isEmpty ? "/" : (path == "/" ? "/" : path + "/") + part
            var status = stat()
            // One that can't be looked at lets this user pass no better.
            guard stat(path, &status) == 0 else { break }
            let bits = UInt16(status.st_mode & 0o777)
            if bits & 0o003 == 0o003, status.st_mode & S_ISVTX == 0 { return .replaceable(folder: path, permissions: bits) }
            guard bits & 0o001 != 0 else {
                isShut = true
                break
            }
        }
        return isShut ? .shut : .open
    }

    /// Where a symbolic link leads to; nil for anything else.
    private static func target(of path: String) -> String? {
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFLNK else { return nil }
        return resolved(path)
    }

    private static func resolved(_ path: String) -> String? {
        guard let real = realpath(path, nil) else { return nil }
        defer { free(real) }
        return String(cString: real)
    }
}

extension FolderReach {
    /// Of one file under two names, the first of which leads to the second: what is open on either way can be used, and what is shut on
    /// the second one stays shut.
    fileprivate func joined(with real: FolderReach) -> FolderReach {
        if case .replaceable = self { return self }
        return real
    }
}
