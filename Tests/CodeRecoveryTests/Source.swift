// A real repository with a handful of commits, made by git for one test.

import DrillModel
import Foundation
import ScratchHost
import TestSupport
import Testing

@testable import CodeRecovery

enum TestGit {
    static let isThere = ScratchHost.locate("git") != nil
}

/// A scratch host with a source repository in it.
struct Source: Sendable {
    let host: ScratchHost
    let folder: URL
    var tree: URL { folder.appending(path: "tree", directoryHint: .isDirectory) }

    static func with<Value: Sendable>(_ body: @Sendable (Source) async throws -> Value) async throws -> Value {
        let root = ScratchRoot(URL(fileURLWithPath: "/tmp/code-\(UInt32.random(in: 0 ... .max))"))
        defer { try? FileManager.default.removeItem(at: root.folder) }
        let host = try await ScratchHost.prepare(in: root, purpose: "test")
        do {
            let source = Source(host: host, folder: try host.folder.privateFolder("source"))
            _ = try host.folder.privateFolder("source/tree")
            try await source.git(["init", "--quiet", "--template=", "--initial-branch=main"])
            for number in 1...3 { try await source.commit("file\(number).txt", "content \(number)\n") }
            let value = try await body(source)
            try await host.remove()
            return value
        } catch {
            try? await host.remove()
            throw error
        }
    }

    @discardableResult
    func git(_ words: [String], in place: URL? = nil) async throws -> String {
        let names = ["AUTHOR", "COMMITTER"].flatMap { [("GIT_\($0)_NAME", "T"), ("GIT_\($0)_EMAIL", "t@example.org")] }
        let result = try await host.run(
            ["git", "-c", "safe.directory=*", "-c", "protocol.file.allow=always"] + words,
            environment: ["GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null"].merging(names) { $1 }, workingFolder: place ?? tree)
        try #require(result.succeeded, "git \(words)")
        return result.output.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    @discardableResult
    func commit(_ path: String, _ text: String) async throws -> String {
        let file = tree.appending(path: path)
        try Data(text.utf8).write(to: file)
        try await git(["add", "--all"])
        try await git(["commit", "--quiet", "--message=\(path)"])
        return try await git(["rev-parse", "HEAD"])
    }

    func bundle(_ words: [String] = ["--all"]) async throws -> URL {
        let file = folder.appending(path: "b\(UInt32.random(in: 0 ... .max)).bundle")
        try await git(["bundle", "create", "--quiet", file.path] + words)
        return file
    }

    func mirror(_ options: [String] = []) async throws -> URL {
        let target = folder.appending(path: "m\(UInt32.random(in: 0 ... .max)).git", directoryHint: .isDirectory)
        try await git(["clone", "--quiet", "--mirror"] + options + ["file://\(tree.path)", target.path])
        return target
    }

    func change(_ file: URL, _ body: (inout [UInt8]) -> Void) throws {
        var bytes = [UInt8](try Data(contentsOf: file))
        body(&bytes)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file.path)
        try Data(bytes).write(to: file)
        try host.folder.own(file)
    }

    func restore(bundle: URL) async throws -> RestoredCode {
        try await .restore(bundle: bundle, in: try target(), on: host, object: "a.bundle")
    }

    func restore(mirror: URL) async throws -> RestoredCode {
        try await .restore(mirror: mirror, in: try target(), on: host, object: "a.git")
    }

    func target() throws -> URL { try host.folder.privateFolder("t\(UInt32.random(in: 0 ... .max))") }

    /// The rule that a restore ends with.
    func rule(_ body: () async throws -> RestoredCode) async throws -> String {
        do {
            _ = try await body()
            return "none"
        } catch let failure as DrillFailure {
            return "\(failure.verdict.rawValue) \(failure.finding.rule.name)"
        }
    }
}
