// A file of the scratch folder that content is streamed into.

internal import CLinux
import Foundation
import Glibc
import ScratchHost

/// Created anew, for its owner only, and no part of its path is a link. Not to be shared between threads.
struct ScratchFile: ~Copyable {
    private let descriptor: Int32
    private let url: URL

    init(_ url: URL) throws {
        self.url = url
        descriptor = muster_create_without_links(url.path)
        guard descriptor >= 0 else { throw Self.problem(url, errno) }
    }

    deinit {
        close(descriptor)
    }

    borrowing func write(_ bytes: UnsafeRawBufferPointer) throws {
        var written = 0
        while written < bytes.count {
            let count = Glibc.write(descriptor, bytes.baseAddress.map { $0 + written }, bytes.count - written)
            if count >= 0 {
                written += count
            } else if errno != EINTR {
                throw Self.problem(url, errno)
            }
        }
    }

    /// Gives it to the unprivileged user.
    borrowing func give(to host: ScratchHost) throws {
        guard let user = host.folder.user else { return }
        guard fchown(descriptor, user.userID, user.groupID) == 0 else { throw Self.problem(url, errno) }
    }

    private static func problem(_ url: URL, _ code: Int32) -> StoredFileProblem {
        code == ENOSPC || code == EDQUOT
            ? StoredFileProblem(.machine, "the scratch disk is full", hint: "free some space there, or choose another disk with --scratch")
            : StoredFileProblem(
                .machine, "\(url.lastPathComponent) can't be written in the scratch folder (errno \(code))",
                hint: "check the scratch folder's disk, or choose another with --scratch")
    }
}
