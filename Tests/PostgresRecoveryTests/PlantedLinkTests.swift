// What Muster, which may be root, writes where code of a backup has been before.

import DrillModel
import Foundation
import Glibc
import ScratchHost
import TestSupport
import Testing

@testable import PostgresRecovery

struct PlantedLinkTests {
    /// Hands over a file of somebody else's, which must stay as it is.
    private func with(_ body: (_ outside: URL, _ folder: URL) async throws -> Void) async throws {
        let folder = URL(fileURLWithPath: "/tmp/mt-\(UUID().uuidString.prefix(8))", isDirectory: true)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let outside = folder.appendingPathComponent("outside")
        try Data("ours".utf8).write(to: outside)
        try await body(outside, folder)
        #expect(try String(contentsOf: outside, encoding: .utf8) == "ours")
    }

    /// Where one COPY of a script fails, the others are restored anew by a script without it: the backup's code has run by then.
    @Test func aScriptThatIsWrittenOnceMore() async throws {
        try await with { (outside: URL, folder: URL) async throws -> Void in
            let script = folder.appendingPathComponent("script.sql")
            let text = "-- PostgreSQL database dump\nSELECT 1;\n-- PostgreSQL database dump complete\n"
            try Data(text.utf8).write(to: script)
            for plant in ["link", "hard link"] {
                let target = folder.appendingPathComponent("\(plant).sql")
                #expect((plant == "link" ? symlink(outside.path, target.path) : link(outside.path, target.path)) == 0)
                try DumpScript(reading: script).write(script, without: [], to: target)
                #expect(try String(contentsOf: target, encoding: .utf8) == text)
            }
        }
    }

    @Test func theConfigurationOfAServerThatIsStartedAgain() async throws {
        try await with { (outside: URL, _: URL) async throws -> Void in
            try await withScratchHost { host in
                let part = try host.folder.privateFolder("p")
                for name in ["muster.conf", "muster_hba.conf", "muster_ident.conf", "muster_hosts.conf"] {
                    #expect(symlink(outside.path, part.appendingPathComponent(name).path) == 0)
                }
                let configuration = ScratchConfiguration(socketFolder: part.appendingPathComponent("s"), profile: .fast, major: 19)
                let files = try configuration.write(to: part, host: host)
                #expect(try String(contentsOf: files.configuration, encoding: .utf8).contains("unix_socket_directories"))
            }
        }
    }
}
