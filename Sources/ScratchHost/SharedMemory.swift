// The one thing of a Postgres that outlives a kill -9 and its folder: a System V shared memory segment of a few bytes.

// Some of the system's types are known by whichever module a compiler's batch met first.
internal import CLinux
import Foundation
import Glibc

/// Frees the shared memory that killed Postgres servers left behind.
enum SharedMemory {
    /// Looks for the data folders of servers in a scratch folder, and removes the segments that are theirs.
    ///
    /// The folder's servers must have ended.
    static func release(below folder: URL) {
        for part in children(of: folder) {
            for data in children(of: part) { release(of: data) }
        }
    }

    /// Removes the segments of one data folder, where nobody uses them and they belong to the user that its server ran as.
    ///
    /// A server says which one is its own by its lock file. One that was ended before it could, or whose initdb cleared the folder
    /// away with it, is known by the segment's key: the data folder's inode, or one of the next where that was taken.
    ///
    /// - Returns: Whether none is left: one that is still held may be let go in a moment.
    @discardableResult
    static func release(of data: URL) -> Bool {
        var info = stat()
        guard lstat(data.path, &info) == 0, info.st_mode & S_IFMT == S_IFDIR else { return true }
        let named = LockFile(in: data)
        // None of Muster's own: what the lock file says, code of a backup may have written.
        let user = (try? UnprivilegedUser.current())??.userID ?? geteuid()
        var isHeld = false
        for segment in Segment.all() where segment.user == user {
            let isNamed = segment.id == named?.segment && segment.maker == named?.server
            let distance = segment.key &- Int32(truncatingIfNeeded: info.st_ino)
            guard isNamed || (0..<keysTried).contains(distance) && segment.bytes <= mostBytes else { continue }
            // Of another folder's server that is just starting, nobody holds it for an instant; but its maker lives.
            guard segment.attached == 0, isNamed || ProcessTable.identity(of: segment.maker) == nil else {
                isHeld = isHeld || isNamed || distance == 0
                continue
            }
            shmctl(segment.id, IPC_RMID, nil)
        }
        return !isHeld
    }

    /// How many keys a server may have found taken before it got one.
    private static let keysTried: Int32 = 8
    /// Of a segment whose key alone speaks for it: a server's has 56 bytes, all else lies elsewhere.
    private static let mostBytes: UInt64 = 4096

    private static func children(of folder: URL) -> [URL] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.map { folder.appendingPathComponent($0, isDirectory: true) }
    }

    /// What a server says of itself in its data folder.
    private struct LockFile {
        var server: Int32
        var segment: Int32

        init?(in data: URL) {
            guard let bytes = UnlinkedFile.data(data.appendingPathComponent("postmaster.pid")) else { return nil }
            let text = String(decoding: bytes.prefix(4096), as: UTF8.self)
            // Line 1 is the server's process id, negative where it is initdb's own; line 7 the segment's key and id.
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            guard lines.count >= 7, let pid = Int32(lines[0].trimmingCharacters(in: .whitespaces)),
                let segment = lines[6].split(separator: " ").last.flatMap({ Int32($0) })
            else { return nil }
            server = pid.magnitude > Int32.max ? 0 : abs(pid)
            self.segment = segment
        }
    }

    /// One line of /proc/sysvipc/shm.
    private struct Segment {
        var key: Int32
        var id: Int32
        var bytes: UInt64
        var maker: Int32
        var attached: Int
        var user: UInt32

        static func all() -> [Segment] {
            let text = ProcessTable.read("/proc/sysvipc/shm").map { String(decoding: $0, as: UTF8.self) } ?? ""
            return text.split(separator: "\n").dropFirst().compactMap { Segment($0.split(separator: " ")) }
        }

        private init?(_ columns: [Substring]) {
            guard columns.count > 7, let key = Int32(columns[0]), let id = Int32(columns[1]), let bytes = UInt64(columns[3]),
                let maker = Int32(columns[4]), let attached = Int(columns[6]), let user = UInt32(columns[7])
            else { return nil }
            (self.key, self.id, self.bytes, self.maker, self.attached, self.user) = (key, id, bytes, maker, attached, user)
        }
    }
}
