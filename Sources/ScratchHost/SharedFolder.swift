// Folders that Muster shares with a server that may run a backup's code.

internal import CLinux
public import Foundation
import Glibc
import SystemPackage

/// A folder that is held open: whatever is put in its place later on, this is what Muster reads from and writes to.
///
/// By a path it would be led elsewhere by a link, as soon as code of a backup may write on the way: Muster would make, move and remove
/// files there, perhaps as root.
public final class SharedFolder: Sendable {
    private let descriptor: FileDescriptor

    /// Makes it, for the user that servers run as.
    ///
    /// - Throws: ``ScratchError`` where it can't be made, or was replaced meanwhile.
    public init(making url: URL, on host: ScratchHost) throws(ScratchError) {
        guard mkdir(url.path, 0o700) == 0 || errno == EEXIST else { throw .system(errno, "cannot make the folder", url.path) }
        let folder = muster_open_without_links(url.path, O_RDONLY | O_DIRECTORY, 0)
        guard folder >= 0 else { throw .system(errno, "cannot use the folder", url.path) }
        descriptor = FileDescriptor(rawValue: folder)
        if let user = host.folder.user, fchown(folder, user.userID, user.groupID) != 0 {
            throw .system(errno, "cannot give away", url.path)
        }
    }

    deinit {
        try? descriptor.close()
    }

    /// What lies in it.
    public func names() -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd/\(descriptor.rawValue)/")) ?? []).sorted()
    }

    public func has(_ name: String) -> Bool {
        var info = stat()
        return fstatat(descriptor.rawValue, name, &info, AT_SYMLINK_NOFOLLOW) == 0
    }

    public func remove(_ name: String) {
        unlinkat(descriptor.rawValue, name, 0)
    }

    /// Leaves an empty file whose name is the message.
    public func mark(_ name: String) {
        let file = openat(descriptor.rawValue, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o644)
        if file >= 0 { close(file) }
    }

    /// Moves a file of Muster's own in here.
    public func take(_ file: URL, as name: String) {
        renameat(AT_FDCWD, file.path, descriptor.rawValue, name)
    }
}
