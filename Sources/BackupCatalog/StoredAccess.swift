// Whether the user who runs Muster may read what lies in a store: no fault of the backup's where not.

public import DrillModel
public import Foundation
import Glibc
import ScratchHost

extension Rule {
    public static let accessDenied = Rule("access-denied")
}

/// Asks the system, without reading.
public enum StoredAccess {
    /// What a recovery point consists of, its seal and its globals included, as far as this user may not read it.
    ///
    /// - Returns: The first such file or folder; nil where there is none. What isn't there, in a remote store say, is not refused.
    public static func refused(of point: RecoveryPoint) -> URL? {
        let seal = point.location.deletingLastPathComponent().appending(path: point.location.lastPathComponent + ".seal.json")
        return ([point.location, seal] + (point.globals.map { [$0] } ?? [])).lazy.compactMap { refused(below: $0) }.first
    }

    /// The first file or folder, of one item and all that is in it, that this user may not read.
    public static func refused(below item: URL) -> URL? {
        if isRefused(item.path) { return item }
        var info = stat()
        guard stat(item.path, &info) == 0, info.st_mode & S_IFMT == S_IFDIR else { return nil }
        if isRefused(item.path, R_OK | X_OK) { return item }
        var waiting = [item.path]
        while let folder = waiting.popLast() {
            for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
                let path = folder + "/" + name
                // Never through a link, which may lead round in a circle.
                guard lstat(path, &info) == 0 else { continue }
                let isFolder = info.st_mode & S_IFMT == S_IFDIR
                if isRefused(path, isFolder ? R_OK | X_OK : R_OK) { return URL(fileURLWithPath: path) }
                if isFolder { waiting.append(path) }
            }
        }
        return nil
    }

    /// Whether the system lets this user not read something that is there, or not look whether it is.
    public static func isRefused(_ path: String, _ mode: Int32 = R_OK) -> Bool {
        faccessat(AT_FDCWD, path, mode, AT_EACCESS) != 0 && [EACCES, EPERM].contains(errno)
    }
}

extension Finding {
    /// What can't be read is neither healthy nor not.
    ///
    /// - Parameter others: How many more of the same kind there are.
    public static func accessDenied(_ object: String, _ item: URL, others: Int = 0) -> Finding {
        Finding(
            .accessDenied, object: object, expected: "a file that this user may read",
            actual: "permission denied" + (others > 0 ? ", and for \(others) more" : ""),
            message: "\(item.path) may not be read by this user",
            hint: "run muster as a user who may, or let this one: setfacl -R -m u:\(ScratchHost.callerName):rX FOLDER")
    }
}
