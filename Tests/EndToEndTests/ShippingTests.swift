// What is shipped: its version and commit, what is installed where, and the bill of what is inside. scripts/check-package tries the package itself.

import Foundation
import TestPrograms
import Testing

struct ShippingTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private func text(_ path: String) throws -> String { try String(contentsOf: Self.root.appendingPathComponent(path), encoding: .utf8) }

    private func inFolder(_ body: (URL) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("shipped-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await body(folder)
    }

    @Test func theVersionIsTheChangelogs() async throws {
        let said = try await Program.require([Program.muster, "--version"]).out.trimmingCharacters(in: .whitespacesAndNewlines)
        let newest = try #require(try text("CHANGELOG.md").firstMatch(of: /\n## ([0-9]+\.[0-9]+\.[0-9]+)/)).1
        #expect(said == String(newest) || said.hasPrefix("\(newest)+"))
    }

    /// The hash of a clean checkout; said to be modified where a file is new or changed; nothing where there is no git, or only another's.
    @Test func theCommitIsTheCheckouts() async throws {
        try await inFolder { folder in
            let scripts = folder.appendingPathComponent("scripts")
            try FileManager.default.createDirectory(at: scripts, withIntermediateDirectories: true)
            try FileManager.default.copyItem(
                at: Self.root.appendingPathComponent("scripts/commit"), to: scripts.appendingPathComponent("commit"))
            func commit() async throws -> String { try await Program.require(["\(scripts.path)/commit"]).out }
            func git(_ words: String...) async throws -> String {
                try await Program.require(["git", "-C", folder.path, "-c", "user.name=t", "-c", "user.email=t@localhost"] + words).out
            }
            #expect(try await commit() == "")
            _ = try await git("init", "-q")
            _ = try await git("add", "scripts")
            _ = try await git("commit", "-qm", "one")
            let hash = try await git("rev-parse", "--short=12", "HEAD").trimmingCharacters(in: .whitespacesAndNewlines)
            #expect(try await commit() == "\(hash)\n")
            try Data("x".utf8).write(to: folder.appendingPathComponent("new"))
            #expect(try await commit() == "\(hash).modified\n")
        }
    }

    /// The folder that packagers stage in is nowhere inside of what they stage.
    @Test func stagedForAPackage() async throws {
        try await inFolder { stage in
            let built = URL(fileURLWithPath: Program.muster).deletingLastPathComponent().path
            _ = try await Program.require(
                ["env", "DESTDIR=\(stage.path)", Self.root.appendingPathComponent("scripts/install").path, built, "/opt/m"])
            let files = try FileManager.default.subpathsOfDirectory(atPath: stage.path).filter { !$0.hasSuffix("/bin/muster") }
            #expect(files.contains("opt/m/libexec/muster/muster-sandbox"))
            for file in files {
                let place = stage.appendingPathComponent(file)
                guard try place.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile == true else { continue }
                let content = try Data(contentsOf: place)
                #expect(content.range(of: Data(stage.path.utf8)) == nil && content.range(of: Data("@bindir@".utf8)) == nil, "\(file)")
            }
            let units = files.filter { $0.hasSuffix(".service") }
            #expect(units.count == 2)
            for unit in units {
                let text = try String(contentsOf: stage.appendingPathComponent(unit), encoding: .utf8)
                #expect(text.contains("/opt/m/bin/muster"), "\(unit)")
            }
        }
    }

    /// It holds what the linker was handed, each with its version, and is the same twice.
    @Test func theBillOfMaterials() async throws {
        let script = ["env", "SOURCE_DATE_EPOCH=1700000000", Self.root.appendingPathComponent("scripts/sbom").path, "9.8.7"]
        let said = try await Program.require(script).out
        #expect(said == (try await Program.require(script).out))
        struct Bill: Decodable {
            struct Part: Decodable { var name: String, version: String, purl: String }
            var components: [Part]
        }
        let parts = try JSONDecoder().decode(Bill.self, from: Data(said.utf8)).components
        #expect(
            parts.allSatisfy { !$0.version.isEmpty && $0.purl.contains("@\($0.version.replacing("+", with: "%2B"))") || $0.name == "swift" }
        )
        let named = try text("Package.swift").matches(of: /\.package\(url: "[^"]*\/([\w-]+)"/).map { $0.1.lowercased() }
        #expect(named.count == 5)
        #expect(Set(parts.map(\.name)) == Set(named).union(["hiredis", "icu", "libyaml", "openssl", "swift"]))
        #expect(said.contains("2023-11-14T22:13:20Z"))
        // Whose licences they are under stands beside it.
        let copyright = try text("packaging/debian/copyright").lowercased()
        for part in parts { #expect(copyright.contains(part.name == "swift" ? "swift's runtime" : part.name), "\(part.name)") }
    }

    /// A toolchain that is too old or that doesn't run is told before anything is installed or built.
    @Test(arguments: [
        ("echo 'Apple Swift version 5.10.1 (swift-5.10.1-RELEASE)'", "swift on PATH is 5.10"),
        ("echo 'swift: error while loading shared libraries: libncurses.so.6' >&2; exit 127", "doesn't run (swift: error while loading"),
        ("echo hello", "names no version (hello)"),
    ])
    func aSwiftThatWontDo(_ script: String, _ told: String) async throws {
        try await inFolder { folder in
            try writeProgram("#!/bin/sh\n\(script)\n", to: folder.appendingPathComponent("swift"))
            let setup = try await Program.run(
                [Self.root.appendingPathComponent("scripts/setup").path], environment: ["PATH": "\(folder.path):/usr/bin:/bin"])
            #expect(setup.code == 2 && setup.err.contains(told) && setup.err.contains("6.2 or newer"), "\(setup.text)")
        }
    }
}
