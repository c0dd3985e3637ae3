// What code of a backup puts in Muster's way in a folder that both can write to.

import Foundation
import Glibc
import TestSupport
import Testing

@testable import ScratchHost

@Suite struct UnlinkedFileTests {
    /// A file of Muster's own, which no program of a drill may change; and a part of a scratch folder.
    private func with(_ body: (ScratchHost, URL, URL) async throws -> Void) async throws {
        let outside = URL(fileURLWithPath: "/tmp/mt-\(UUID().uuidString.prefix(8))")
        try Data("ours".utf8).write(to: outside)
        defer { try? FileManager.default.removeItem(at: outside) }
        try await withScratchHost { host in try await body(host, try host.folder.privateFolder("p"), outside) }
    }

    private func text(_ url: URL) throws -> String { try String(contentsOf: url, encoding: .utf8) }

    @Test(arguments: ["link", "hard link"]) func aToolsLogIsMadeAnew(how: String) async throws {
        try await with { (host: ScratchHost, part: URL, outside: URL) async throws -> Void in
            for name in ["log", "out"] {
                let planted = part.appendingPathComponent(name).path
                #expect((how == "link" ? symlink(outside.path, planted) : link(outside.path, planted)) == 0)
            }
            let (log, out) = (part.appendingPathComponent("log"), part.appendingPathComponent("out"))
            let result = try await host.run(["sh", "-c", "echo said; echo grumbled >&2"], output: out, errors: log)
            #expect(result.succeeded)
            #expect(try text(outside) == "ours")
            #expect(try text(out) == "said\n" && text(log) == "grumbled\n")
        }
    }

    @Test(arguments: ["link", "hard link"]) func aServersLogIsNoOthersFile(how: String) async throws {
        try await with { (host: ScratchHost, part: URL, outside: URL) async throws -> Void in
            let log = part.appendingPathComponent("log")
            #expect((how == "link" ? symlink(outside.path, log.path) : link(outside.path, log.path)) == 0)
            await #expect(throws: ScratchError.self) {
                try await host.start(["sh", "-c", "echo said; sleep 1"], workingFolder: part, log: log)
            }
            #expect(try text(outside) == "ours")
            #expect(UnlinkedFile.data(log) == nil, "nor is it read")
        }
    }

    @Test func aFolderOnTheWayIsNoLink() async throws {
        try await with { (host: ScratchHost, part: URL, outside: URL) async throws -> Void in
            let real = outside.deletingLastPathComponent().appendingPathComponent("mt-\(UUID().uuidString.prefix(8))", isDirectory: true)
            try FileManager.default.createDirectory(at: real, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: real) }
            #expect(symlink(real.path, part.appendingPathComponent("sub").path) == 0)
            let log = part.appendingPathComponent("sub/log")
            await #expect(throws: ScratchError.self) { try await host.run(["true"], errors: log) }
            #expect(try FileManager.default.contentsOfDirectory(atPath: real.path).isEmpty)
        }
    }

    @Test(arguments: ["link", "hard link"]) func whatAToolSaidIsNoOthersFile(how: String) async throws {
        try await with { (_: ScratchHost, part: URL, outside: URL) async throws -> Void in
            let log = part.appendingPathComponent("log")
            #expect(UnlinkedFile.data(outside, upTo: 3) == Data("our".utf8))
            #expect((how == "link" ? symlink(outside.path, log.path) : link(outside.path, log.path)) == 0)
            #expect(UnlinkedFile.data(log, upTo: 10).isEmpty)
        }
    }

    /// A server that runs code of its backup puts another folder, or a link, in the place of one that it shares with Muster.
    @Test func aSharedFolderStaysTheOneThatWasMade() async throws {
        try await with { (host: ScratchHost, part: URL, outside: URL) async throws -> Void in
            let others = outside.deletingLastPathComponent().appendingPathComponent("mt-\(UUID().uuidString.prefix(8))", isDirectory: true)
            try FileManager.default.createDirectory(at: others, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: others) }
            try Data("ours".utf8).write(to: others.appendingPathComponent("kept"))
            let (place, moved) = (part.appendingPathComponent("shared"), part.appendingPathComponent("moved"))
            let folder = try SharedFolder(making: place, on: host)
            #expect(rename(place.path, moved.path) == 0 && symlink(others.path, place.path) == 0)
            #expect(folder.names().isEmpty && !folder.has("kept"))
            folder.remove("kept")
            folder.mark("told")
            folder.take(outside, as: "taken")
            #expect(try FileManager.default.contentsOfDirectory(atPath: others.path) == ["kept"])
            #expect(folder.names() == ["taken", "told"] && folder.has("told"))
            #expect(symlink(outside.path, moved.appendingPathComponent("led").path) == 0)
            folder.mark("led")
            #expect(!FileManager.default.fileExists(atPath: outside.path), "nothing is made behind a link")
            #expect(throws: ScratchError.self) { try SharedFolder(making: place, on: host) }
        }
    }

    @Test func whatIsMustersOwnIsNoPart() async throws {
        try await with { (host: ScratchHost, part: URL, _: URL) async throws -> Void in
            let own = host.folder.ownPlace("feed")
            try host.folder.makeOwnPlace(own)
            #expect(host.folder.parts(for: []).map(\.lastPathComponent) == ["p", "t"])
            #expect(try await !host.run(["sh", "-c", "touch ../.feed/planted"], workingFolder: part).succeeded)
            #expect(try FileManager.default.contentsOfDirectory(atPath: own.path).isEmpty)
        }
    }

    /// As large as one likes, without taking any room.
    @Test func ofAVeryLargeLogTheEndIsRead() async throws {
        try await with { (host: ScratchHost, part: URL, _: URL) async throws -> Void in
            let log = part.appendingPathComponent("log")
            #expect(try await host.run(["sh", "-c", "truncate -s 1T log; echo last >> log"], workingFolder: part).succeeded)
            let data = try #require(UnlinkedFile.data(log))
            #expect(data.count == UnlinkedFile.most && data.suffix(5) == Data("last\n".utf8))
        }
    }

    /// Deeper than a path can be long.
    @Test func whatLiesTooDeepIsRemoved() async throws {
        try await with { (host: ScratchHost, part: URL, _: URL) async throws -> Void in
            let words = "i=0; while [ $i -lt 60 ]; do n=$(printf 'd%.0s' $(seq 200)); mkdir $n && cd -P $n || exit 1; i=$((i+1)); done"
            #expect(try await host.run(["bash", "-c", words], workingFolder: part).succeeded)
            try await host.remove()
            #expect(!FileManager.default.fileExists(atPath: host.folder.url.path))
        }
    }

    @Test func theFolderItselfIsOutOfReach() async throws {
        try await with { (host: ScratchHost, part: URL, _: URL) async throws -> Void in
            let words = "touch ../planted || mv ../t ../u || rm ../.muster-scratch.json"
            #expect(try await !host.run(["sh", "-c", words], workingFolder: part).succeeded)
            #expect(!FileManager.default.fileExists(atPath: host.folder.url.path + "/planted"))
        }
    }

    @Test func aScratchFolderInsideAStoreIsRefused() async throws {
        let store = FileManager.default.temporaryDirectory.appendingPathComponent("mt-\(UUID().uuidString)", isDirectory: true)
        try FileManager.default.createDirectory(at: store, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: store) }
        chmod(store.path, 0o755)
        let error = await #expect(throws: ScratchError.self) {
            try await ScratchHost.prepare(in: ScratchRoot(store), purpose: "test", view: SandboxView(hidden: [store]))
        }
        #expect(error?.kind == .refused && error?.message.contains("lies inside") == true)
        #expect(try FileManager.default.contentsOfDirectory(atPath: store.path).isEmpty)
    }
}
