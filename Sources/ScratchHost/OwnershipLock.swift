// What tells that a folder's run still lives, also to whoever can't see its process.

import Foundation
import Glibc
import Synchronization

/// The lock on a mark that its run holds for as long as it lives.
///
/// Two containers that share a scratch folder don't see each other's processes, and the same number may be another one's there. A lock is the
/// kernel's: it is seen wherever the file is, and goes with the process, however that ends. Where a file system has none, the process id
/// alone must do.
enum OwnershipLock {
    private static let held = Mutex<[String: Int32]>([:])

    /// Takes it until ``release(_:)``, or this process' end. No program that is started gets it.
    ///
    /// - Parameter name: What the folder is called later on.
    static func hold(_ folder: URL, as name: String) {
        let file = open(folder.appendingPathComponent(OwnershipMark.fileName).path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard file >= 0 else { return }
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            close(file)
            return
        }
        held.withLock { $0[name] = file }
    }

    static func release(_ name: String) {
        if let file = held.withLock({ $0.removeValue(forKey: name) }) { close(file) }
    }

    /// Whether anybody holds it.
    static func isHeld(_ folder: URL) -> Bool {
        let file = open(folder.appendingPathComponent(OwnershipMark.fileName).path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard file >= 0 else { return false }
        defer { close(file) }
        // Shared: two that look at the same time are no run to each other.
        return flock(file, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
    }
}
