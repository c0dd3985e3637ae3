// The map in docs/architecture.md is Package.swift's, and the house keeps its rules.

import Foundation
import Testing

/// The repository that this test was built from.
private enum Repository {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    static func text(_ path: String) throws -> String { try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8) }

    /// The modules that Package.swift makes by `module(…)`, each with those of ours that it may import.
    static func modules() throws -> [String: Set<String>] {
        let manifest = try text("Package.swift")
        var modules: [String: Set<String>] = [:]
        for match in manifest.matches(of: /\bmodule\(\s*"(\w+)"(?:,\s*\[([^\]]*)\])?/) {
            modules[String(match.1)] = Set((match.2 ?? "").matches(of: /"(\w+)"/).map { String($0.1) })
        }
        return modules
    }

    static func folders(in path: String) throws -> Set<String> {
        let folder = root.appendingPathComponent(path)
        return Set(
            try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: [.isDirectoryKey]).filter {
                try $0.resourceValues(forKeys: [.isDirectoryKey]).isDirectory == true
            }.map(\.lastPathComponent))
    }

    static func files(in path: String) throws -> [(name: String, lines: Int)] {
        let folder = root.appendingPathComponent(path)
        return try (FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)?.compactMap { $0 as? URL } ?? [])
            .filter { $0.pathExtension == "swift" }.map {
                ($0.lastPathComponent, try String(contentsOf: $0, encoding: .utf8).components(separatedBy: "\n").count - 1)
            }
    }
}

@Suite struct MapTests {
    /// The block that begins with `Sources/`, and the list of those that may know many.
    private func map() throws -> (named: Set<String>, composing: Set<String>) {
        let text = try Repository.text("docs/architecture.md")
        let block = try #require(text.firstMatch(of: /```\nSources\/\n((?s:.*?))```/)).1
        var named: Set<String> = []
        for line in block.split(separator: "\n") where line.hasPrefix("  ") && !line.hasPrefix("   ") {
            named.formUnion(line.matches(of: /([\w-]{2,})\//).filter { line[..<$0.range.lowerBound].hasSuffix(" ") }.map { String($0.1) })
        }
        let list = try #require(text.firstMatch(of: /Composition modules: ([^.]*)\./)).1
        return (named, Set(list.matches(of: /`(\w+)`/).map { String($0.1) }))
    }

    @Test func theMapIsTheTerritory() throws {
        let folders = try Repository.folders(in: "Sources")
        #expect(folders.count > 25)
        let named = try map().named
        #expect(named == folders, "missing on the map: \(folders.subtracting(named)); gone: \(named.subtracting(folders))")
    }

    @Test func commandsKnowNoClientNoRecoveryAndNoCryptography() throws {
        let modules = try Repository.modules()
        let own = try #require(modules["MusterCLI"])
        let forbidden = modules.keys.filter { $0.hasSuffix("Client") || $0.hasSuffix("Recovery") || $0 == "Cryptography" }
        #expect(forbidden.count > 8)
        #expect(own.isDisjoint(with: forbidden))
    }

    @Test func whatPutsNothingTogetherKnowsFew() throws {
        let (_, composing) = try map()
        let modules = try Repository.modules()
        #expect(composing.isSubset(of: modules.keys) && composing.count < 9)
        let ours = try Repository.folders(in: "Sources")
        for (name, imports) in modules where !composing.contains(name) {
            #expect(imports.intersection(ours).count <= 8, "\(name) imports \(imports.sorted())")
        }
    }

    @Test func commandsAreShort() throws {
        let files = try Repository.files(in: "Sources/MusterCLI")
        #expect(files.count > 10)
        #expect(files.filter { $0.lines > 150 }.map(\.name) == [])
        #expect(files.reduce(0) { $0 + $1.lines } < 1800)
    }

    /// A script that this process wrote can still be open for writing in a child that another test is starting: "text file busy".
    @Test func testsWriteProgramsByAnotherProcess() throws {
        let folder = Repository.root.appendingPathComponent("Tests")
        let files = try FileManager.default.subpathsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".swift") }
        #expect(files.count > 100)
        let shebang = "\"#" + "!/"
        let own = try files.filter { file in
            let lines = try String(contentsOf: folder.appendingPathComponent(file), encoding: .utf8).split(separator: "\n")
            return lines.contains { $0.contains("Data(" + shebang) || $0.contains("Data((" + shebang) }
        }
        #expect(own == [])
    }
}
