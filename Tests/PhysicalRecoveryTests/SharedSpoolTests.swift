// What a recovering server that runs code of its backup puts in the way of whoever feeds it.

import ArtifactFormats
import DrillModel
import Foundation
import Glibc
import ScratchHost
import TestSupport
import Testing

@testable import PhysicalRecovery

@Suite struct SharedSpoolTests {
    /// Muster may be root: by a link in place of a folder it would empty, or fill, whatever that leads to.
    @Test func theFeederKeepsToTheFoldersThatItMade() async throws {
        let others = URL(fileURLWithPath: "/tmp/mt-\(UUID().uuidString.prefix(8))", isDirectory: true)
        try FileManager.default.createDirectory(at: others, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: others) }
        try await withScratchHost { host in
            let size: UInt64 = 16 << 20
            let (here, absent) = (WALSegmentName(timeline: 1, number: 3, size: size), WALSegmentName(timeline: 1, number: 4, size: size))
            let stored = host.folder.url.appendingPathComponent("stored")
            try Data(count: 100).write(to: stored)
            let folder = try host.folder.privateFolder("p").appendingPathComponent("wal", isDirectory: true)
            let feeder = WALFeeder(
                host: host, folder: folder, files: [here.text: StoredFile(location: stored, encryption: nil)], row: [],
                check: SegmentCheck(systemIdentifier: 1, segmentSize: size, major: 15))
            _ = try feeder.prepare()
            try Data("ours".utf8).write(to: others.appendingPathComponent("kept"))
            // Beside the folders that are shared, whatever else the feeder may have made there.
            let asked = folder.appendingPathComponent("asked-before", isDirectory: true)
            for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) where name != "wal-fetch" {
                let place = folder.appendingPathComponent(name)
                #expect(rename(place.path, folder.appendingPathComponent("\(name)-before").path) == 0)
                #expect(symlink(others.path, place.path) == 0)
            }
            for name in [here.text, absent.text] { try Data().write(to: asked.appendingPathComponent(name)) }
            let feeding = Task { await feeder.run() }
            let deadline = ContinuousClock.now + .seconds(120)
            // The damaged one has a finding, the other one is told to be absent.
            while ContinuousClock.now < deadline, feeder.findings.isEmpty || feeder.absent.isEmpty {
                try await Task.sleep(for: .milliseconds(5))
            }
            feeding.cancel()
            await feeding.value
            #expect(feeder.findings.map(\.object) == [here.text] && feeder.absent == [absent])
            #expect(try FileManager.default.contentsOfDirectory(atPath: others.path) == ["kept"])
        }
    }

    @Test func whatAToolSaidIsReadFromItsOwnFile() throws {
        let folder = FileManager.default.temporaryDirectory.resolvingSymlinksInPath()
            .appendingPathComponent("mt-\(UUID().uuidString)", isDirectory: true)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (said, link) = (folder.appendingPathComponent("said"), folder.appendingPathComponent("link"))
        try Data("no such file".utf8).write(to: said)
        #expect(symlink(said.path, link.path) == 0)
        #expect(ToolWords.end(of: said) == "no such file" && ToolWords.end(of: link).isEmpty)
        #expect(throws: (any Error).self) {
            #expect(symlink(folder.path, folder.appendingPathComponent("sub").path) == 0)
            _ = try ScratchFile(folder.appendingPathComponent("sub/file"))
        }
        #expect(!FileManager.default.fileExists(atPath: folder.appendingPathComponent("file").path))
    }

    /// A restore may leave pg_wal as a link to a folder beside the cluster; one that leads out is not followed.
    @Test(arguments: [true, false]) func theWriteAheadLogsFolderMayBeALink(inside: Bool) throws {
        let top = FileManager.default.temporaryDirectory.resolvingSymlinksInPath()
            .appendingPathComponent("mt-\(UUID().uuidString)", isDirectory: true)
        defer { try? FileManager.default.removeItem(at: top) }
        let data = top.appendingPathComponent("p/data", isDirectory: true)
        let place = top.appendingPathComponent(inside ? "p/wal" : "elsewhere", isDirectory: true)
        for folder in [data, place] { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }
        let history = place.appendingPathComponent("00000002.history")
        try Data("1\t0/3000148\tno recovery target specified\n".utf8).write(to: history)
        #expect(symlink(place.path, data.appendingPathComponent("pg_wal").path) == 0)
        let log = RecoveryLog("LOG:  redo done at 0/2000100 system usage: x\nLOG:  selected new timeline ID: 2\n")
        let end = try #require(ReplayEnd(log: log, dataFolder: data, segmentSize: 16 << 20))
        #expect(end.position == (inside ? 0x300_0148 : 0x200_0100))
    }
}
