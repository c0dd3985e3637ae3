// The shared memory that a killed Postgres leaves goes; nobody else's does.

import Foundation
import Glibc
import Testing

@testable import ScratchHost

/// Segments of this process stand for a server's: it made them, and nobody has them attached.
@Suite struct SharedMemoryTests {
    private func segment(_ key: Int32, bytes: Int = 56, isServers: Bool = true) throws -> Int32 {
        let id = shmget(key, bytes, 0o600 | IPC_CREAT | IPC_EXCL)
        try #require(id >= 0, "errno \(errno)")
        if isServers { try give(id) }
        return id
    }

    /// A server's belongs to the user that it ran as.
    private func give(_ segment: Int32) throws {
        guard let user = try UnprivilegedUser.current() else { return }
        var status = shmid_ds()
        try #require(shmctl(segment, IPC_STAT, &status) == 0)
        (status.shm_perm.uid, status.shm_perm.gid) = (user.userID, user.groupID)
        try #require(shmctl(segment, IPC_SET, &status) == 0, "errno \(errno)")
    }

    private func isThere(_ segment: Int32) -> Bool {
        var status = shmid_ds()
        return shmctl(segment, IPC_STAT, &status) == 0
    }

    private func dataFolder(_ root: TemporaryRoot) throws -> (URL, inode: Int32) {
        let data = root.url.appendingPathComponent("p/data", isDirectory: true)
        try FileManager.default.createDirectory(at: data, withIntermediateDirectories: true)
        var info = stat()
        try #require(stat(data.path, &info) == 0)
        return (data, Int32(truncatingIfNeeded: info.st_ino))
    }

    private func write(_ pid: Int32, _ segment: Int32, into data: URL) throws {
        let lock = "\(pid)\n\(data.path)\n1700000000\n5432\n/s\n\n  \(1_000_000) \(segment)\n"
        try Data(lock.utf8).write(to: data.appendingPathComponent("postmaster.pid"))
    }

    /// A standalone server, as initdb runs one, writes its process id negative.
    @Test(arguments: [1, -1] as [Int32]) func whatALockFileNames(sign: Int32) throws {
        let root = try TemporaryRoot()
        let (data, _) = try dataFolder(root)
        let mine = try segment(IPC_PRIVATE)
        let other = try segment(IPC_PRIVATE)
        defer { for id in [mine, other] { shmctl(id, IPC_RMID, nil) } }
        try write(sign * getpid(), mine, into: data)
        SharedMemory.release(below: root.url)
        #expect(!isThere(mine) && isThere(other))
    }

    /// Code of a backup can put whatever it likes in the lock file's place: nobody writes into this one.
    @Test(.timeLimit(.minutes(2))) func aLockFileThatNeverAnswers() throws {
        let root = try TemporaryRoot()
        let (data, _) = try dataFolder(root)
        try #require(mkfifo(data.appendingPathComponent("postmaster.pid").path, 0o600) == 0)
        #expect(SharedMemory.release(of: data))
    }

    /// The lock file's words are those of whoever could write there: code of a backup has no segment of Muster's own freed.
    @Test(.enabled(if: geteuid() == 0, "as root Muster's own user is another than its servers'")) func notMustersOwn() throws {
        let root = try TemporaryRoot()
        let (data, _) = try dataFolder(root)
        let own = try segment(IPC_PRIVATE, isServers: false)
        defer { shmctl(own, IPC_RMID, nil) }
        try write(getpid(), own, into: data)
        SharedMemory.release(below: root.url)
        #expect(isThere(own))
    }

    @Test func notWhatAnotherProcessMade() throws {
        let root = try TemporaryRoot()
        let (data, _) = try dataFolder(root)
        let other = try segment(IPC_PRIVATE)
        defer { shmctl(other, IPC_RMID, nil) }
        try write(1, other, into: data)
        SharedMemory.release(below: root.url)
        #expect(isThere(other))
    }

    /// An initdb that is ended takes the lock file away and leaves the segment.
    @Test func whatOnlyItsKeyTells() throws {
        let root = try TemporaryRoot()
        let (data, inode) = try dataFolder(root)
        let mine = try orphan(inode)
        // Small is what a server's is; what is attached is in use; a key further on is another folder's; and a maker that lives just begins.
        let large = try orphan(inode &+ 1, bytes: 1 << 20)
        let attached = try orphan(inode &+ 2)
        let far = try orphan(inode &+ 100)
        let new = try segment(inode &+ 3)
        defer { for id in [mine, large, attached, far, new] { shmctl(id, IPC_RMID, nil) } }
        let address = shmat(attached, nil, 0)
        defer { shmdt(address) }
        #expect(SharedMemory.release(of: data))
        #expect(!isThere(mine) && isThere(large) && isThere(attached) && isThere(far) && isThere(new))
    }

    /// A segment whose maker is no more.
    private func orphan(_ key: Int32, bytes: Int = 56) throws -> Int32 {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/perl")
        process.arguments = ["-e", "print shmget($ARGV[0], $ARGV[1], 03600)", String(key), String(bytes)]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        process.waitUntilExit()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        let id = try #require(Int32(text), "\(text)")
        try give(id)
        return id
    }
}
