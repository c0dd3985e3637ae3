// The one thing of a Postgres that outlives a kill -9 and its folder: a System V shared memory segment of a few bytes.

import Foundation
import Glibc

/// Frees the shared memory that killed Postgres servers left behind.
enum SharedMemory {
    /// Looks for lock files of servers in a scratch folder, and removes the segments that they name.
    ///
    /// The folder's servers must have ended. A lock file is only believed where the kernel agrees: the segment was made by the
    /// process that the file names, belongs to one of the given users, and nobody uses it.
    static func release(below folder: URL, users: Set<UInt32>) {
        for part in children(of: folder) {
            for data in children(of: part) {
                guard let text = try? String(contentsOf: data.appendingPathComponent("postmaster.pid"), encoding: .utf8) else { continue }
                // Line 1 is the server's process id, line 7 the segment's key and id.
                let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
                guard lines.count >= 7, let pid = Int32(lines[0].trimmingCharacters(in: .whitespaces)),
                    let segment = lines[6].split(separator: " ").last.flatMap({ Int32($0) })
                else { continue }
                remove(segment, madeBy: pid, users: users)
            }
        }
    }

    private static func remove(_ segment: Int32, madeBy pid: Int32, users: Set<UInt32>) {
        var status = shmid_ds()
        guard shmctl(segment, IPC_STAT, &status) == 0, status.shm_nattch == 0, status.shm_cpid == pid,
            users.contains(status.shm_perm.uid)
        else { return }
        shmctl(segment, IPC_RMID, nil)
    }

    private static func children(of folder: URL) -> [URL] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.map { folder.appendingPathComponent($0, isDirectory: true) }
    }
}
