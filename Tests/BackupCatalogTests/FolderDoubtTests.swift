// What the folders of a backup set say against their being backups, before anything of them is restored.

import DrillModel
import Foundation
import Testing

@testable import BackupCatalog

@Suite struct FolderDoubtTests {
    private func look(
        as kind: BackupSet.Kind, _ files: [String: String], atBase: Bool = false
    ) throws -> StoredContent? {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("mt-\(UUID().uuidString)", isDirectory: true)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        for (name, text) in files {
            let file = folder.appendingPathComponent(name)
            try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file)
        }
        let set = BackupSet(name: "b", service: "s", kind: kind, stores: [], match: "*")
        return atBase ? ContentProbe.look(atBaseBackup: folder, FolderWalk()) : ContentProbe.look(at: folder, as: set)
    }

    @Test(arguments: [
        (["toc.dat": "PGDMP", "1.dat.gz": "x"], nil as StoredContent.Doubt?), ([:], .foreign("a folder without pg_dump's toc.dat")),
        (["1.dat.gz": "x"], .foreign("a folder without pg_dump's toc.dat")), (["toc.dat": ""], .empty("a toc.dat of 0 bytes")),
        (["toc.dat": "pg_dump: error: connection refused\n"], .foreign("a toc.dat that is none of pg_dump's")),
    ])
    func dumps(_ files: [String: String], _ doubt: StoredContent.Doubt?) throws {
        #expect(try look(as: .pgDump, files)?.doubt == doubt)
    }

    @Test(arguments: [
        (["a.manifest": "file a.1.base.rdb seq 1 type b\n"], nil as StoredContent.Doubt?),
        (["appendonlydir/a.manifest": "file a.1.base.rdb seq 1 type b\n"], nil),
        (["a.manifest": "Could not connect to Redis\n"], .foreign("a manifest that names no file")),
        (["appendonlydir/a.manifest": "# nothing\n"], .foreign("a manifest that names no file")),
        (["a.manifest": ""], .empty("a manifest of 0 bytes")),
        (["appendonlydir/a.1.base.rdb": "REDIS0011", "appendonlydir/a.1.incr.aof": "x"], .foreign("a folder without a manifest")),
        (["a.1.base.aof": "*1\r\n$4\r\nPING\r\n"], .foreign("a folder without a manifest")),
        (["error.txt": "no"], .foreign("a folder without a manifest")),
        // The one file of Redis 2 to 6 has none.
        (["appendonly.aof": "*1\r\n$4\r\nPING\r\n"], nil),
    ])
    func appendOnlyFiles(_ files: [String: String], _ doubt: StoredContent.Doubt?) throws {
        #expect(try look(as: .aof, files)?.doubt == doubt)
    }

    @Test func baseBackups() throws {
        #expect(try look(as: .baseBackup, ["PG_VERSION": "15\n"], atBase: true)?.doubt == nil)
        #expect(
            try look(as: .baseBackup, ["log.txt": "no"], atBase: true)?.doubt
                == .foreign("a folder with neither PG_VERSION nor base.tar in it"))
        #expect(try look(as: .baseBackup, [:], atBase: true)?.doubt == .empty("an empty folder"))
        let text = try look(as: .baseBackup, ["base.tar.gz": "pg_basebackup: error: no\n"], atBase: true)
        #expect(text?.doubt == nil && text?.parts["base.tar.gz"]??.kind == .unknown, "which the check of its kind judges")
    }
}
