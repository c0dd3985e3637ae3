// By the write-ahead log's pages it is told which version's programs read it.

import ArtifactFormats
import Foundation
import ScratchHost
import ServerVersions
import TestSupport
import Testing

@Suite struct PageVersionTests {
    @Test(arguments: Installation.allPostgres.filter(\.isHere)) func everyVersionIsKnown(_ installation: Installation) async throws {
        let bin = try installation.requireBin()
        try await withScratchHost { host in
            let folder = try host.folder.privateFolder("p")
            let data = folder.appendingPathComponent("d").path
            let made = try await host.run(
                ["\(bin)/initdb", "-D", data, "-A", "trust", "--no-sync", "--no-instructions"], workingFolder: folder)
            #expect(made.succeeded)
            let wal = "\(data)/pg_wal"
            let name = try #require(try FileManager.default.contentsOfDirectory(atPath: wal).filter { $0.count == 24 }.min())
            let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: "\(wal)/\(name)"))
            let header = try #require(WALSegmentHeader(try handle.read(upToCount: WALSegmentHeader.size) ?? Data()))
            let version = try String(contentsOfFile: "\(data)/PG_VERSION", encoding: .utf8)
            let major = try #require(Int(version.trimmingCharacters(in: .whitespacesAndNewlines)))
            #expect(WALSegmentHeader.magic(ofMajor: major) == header.magic, "PostgreSQL \(major) writes \(header.magic)")
        }
    }
}
