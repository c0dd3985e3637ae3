// Which file of an artifact is its snapshot.

import Foundation
import RedisRecovery
import Testing

@Suite struct SnapshotSourceTests {
    private func find(_ files: [String: String]) throws -> SnapshotSource {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("mss-\(UUID().uuidString)", isDirectory: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        for (name, text) in files {
            let file = folder.appendingPathComponent(name)
            try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file)
        }
        guard case .file(let file) = SnapshotSource(folder, isSnapshot: false) else { return SnapshotSource(folder, isSnapshot: false) }
        return .file(URL(fileURLWithPath: file.lastPathComponent))
    }

    @Test func theOneInACopyOfADataFolder() throws {
        let dump = SnapshotSource.file(URL(fileURLWithPath: "dump.rdb"))
        #expect(try find(["dump.rdb": "REDIS0011\u{fa}", "redis.log": "words"]) == dump)
        #expect(try find(["dump.rdb": "REDIS0011\u{fa}", "temp-77.rdb": "REDIS0011"]) == dump)
        #expect(try find(["a.rdb": "REDIS0011", "b.rdb": "REDIS0011"]) == .none("a folder with several snapshots"))
        #expect(try find(["dump.rdb": "words"]) == .none("a folder without a snapshot"))
        let set = "file appendonly.aof.1.base.rdb seq 1 type b\n"
        #expect(
            try find([
                "dump.rdb": "REDIS0011", "appendonlydir/appendonly.aof.manifest": set,
                "appendonlydir/appendonly.aof.1.base.rdb": "REDIS0011",
            ]) == .appendOnlyFiles)
        #expect(
            try find(["dump.rdb": "REDIS0011", "appendonlydir/appendonly.aof.1.incr.aof": "*1\r\n$4\r\nPING\r\n"]) == .appendOnlyFiles,
            "their manifest is lost")
        let file = URL(fileURLWithPath: "/nowhere/x")
        #expect(SnapshotSource(file, isSnapshot: true) == .file(file))
        #expect(SnapshotSource(file, isSnapshot: false) == .none("a file without a snapshot's first bytes"))
    }
}
