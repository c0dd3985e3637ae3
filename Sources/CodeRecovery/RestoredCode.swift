// A git backup → a bare repository in the scratch folder that nothing of the backup's own configuration governs.

import DrillModel
public import Foundation
import Glibc
public import ScratchHost

extension Rule {
    static let bundleIncremental = Rule("bundle-incremental")
    static let codeIncomplete = Rule("code-incomplete")
    static let codeUnreadable = Rule("code-unreadable")
    static let codeTruncated = Rule("artifact-truncated")
}

/// A repository that came back, and can be asked.
public struct RestoredCode: Sendable {
    public let repository: URL
    /// Branches, tags and other refs in it.
    public let refs: Int
    let git: Git
    /// Private, and its user's own.
    let folder: URL
    /// The artifact, for findings.
    let object: String

    /// Makes a repository of a bundle.
    ///
    /// - Parameters:
    ///   - bundle: Decrypted, inside the scratch folder.
    ///   - folder: A private folder of the host's.
    ///   - object: The artifact, for findings.
    /// - Throws: ``DrillFailure``: failed where the bundle is incremental, partial, cut or damaged.
    public static func restore(bundle: URL, in folder: URL, on host: ScratchHost, object: String) async throws -> RestoredCode {
        let git = Git(host: host, folder: folder)
        let data = (try? Data(contentsOf: bundle, options: .mappedIfSafe)) ?? Data()
        guard let header = BundleHeader(data) else {
            throw broken(object, "a head that ends before it is whole", cut: true)
        }
        guard header.prerequisites == 0 else {
            throw DrillFailure.failed(
                Finding(
                    .bundleIncremental, object: object, expected: "a bundle that needs nothing else",
                    actual: "\(header.prerequisites) commits that must be there already",
                    message: "the bundle is incremental: by itself nothing can be restored of it",
                    hint: "make it with: git bundle create FILE --all, without a range of commits"))
        }
        if header.isPartial { throw incomplete(object, "objects were filtered out", hint: "make it of a full clone, without --filter") }
        let repository = folder.appendingPathComponent("repository.git", isDirectory: true)
        let blank = try await git.run([
            "init", "--quiet", "--bare", "--template=", "--object-format=\(header.objectFormat)",
            folder.appendingPathComponent("blank.git").path,
        ])
        guard blank.succeeded else { throw unusable(blank) }
        let verified = try await git.at(folder.appendingPathComponent("blank.git")).run(["bundle", "verify", "--quiet", bundle.path])
        guard verified.succeeded else { throw broken(object, "git bundle verify: \(verified.result.ending)", cut: isCut(verified.errors)) }
        // The one transport that is let through reads a file of the scratch folder.
        let cloned = try await git.run(
            ["clone", "--quiet", "--mirror", "--template=", bundle.path, repository.path], settings: ["protocol.file.allow=always"])
        guard cloned.succeeded else { throw broken(object, "git clone: \(cloned.result.ending)", cut: isCut(cloned.errors)) }
        return try await opened(repository, git, folder, object)
    }

    /// Takes over the copy of a mirror.
    ///
    /// - Parameter repository: A copy inside the scratch folder, and its user's own.
    public static func restore(mirror repository: URL, in folder: URL, on host: ScratchHost, object: String) async throws -> RestoredCode {
        let files = FileManager.default
        func has(_ name: String) -> Bool { files.fileExists(atPath: repository.appendingPathComponent(name).path) }
        guard has("HEAD"), has("objects"), has("refs") || has("packed-refs") || has("reftable") else {
            throw DrillFailure.failed(
                Finding(
                    .codeUnreadable, object: object, expected: "a bare git repository: HEAD, objects and refs",
                    actual: "a folder without them",
                    message: "the folder is no git mirror", hint: "make it with: git clone --mirror, and check match in the estate file"))
        }
        if has("shallow") {
            throw incomplete(object, "history is cut off (a shallow clone)", hint: "complete it: git fetch --unshallow")
        }
        if has("objects/info/alternates") || has("objects/info/http-alternates") {
            throw incomplete(
                object, "objects lie in another repository (alternates)",
                hint: "take them over: git repack -a -d, and remove objects/info/alternates")
        }
        let packs = (try? files.contentsOfDirectory(atPath: repository.appendingPathComponent("objects/pack").path)) ?? []
        if packs.contains(where: { $0.hasSuffix(".promisor") }) {
            throw incomplete(object, "objects were filtered out (a partial clone)", hint: "make it anew, without --filter")
        }
        let git = Git(host: host, folder: folder)
        try await replaceConfiguration(of: repository, git, host, object)
        return try await opened(repository, git, folder, object)
    }

    /// What production's administrator, or whoever has broken in there, wrote into the mirror's configuration is never acted upon.
    private static func replaceConfiguration(of repository: URL, _ git: Git, _ host: ScratchHost, _ object: String) async throws {
        let file = repository.appendingPathComponent("config")
        func extensionValue(_ name: String) async throws -> String? {
            guard FileManager.default.fileExists(atPath: file.path) else { return nil }
            let answer = try await git.run(["config", "--file", file.path, "--no-includes", "--get", "extensions.\(name)"])
            return answer.succeeded ? answer.output.trimmingCharacters(in: .whitespacesAndNewlines) : nil
        }
        var extensions = ""
        for (name, known) in [("objectformat", ["sha1", "sha256"]), ("refstorage", ["files", "reftable"])] {
            guard let value = try await extensionValue(name) else { continue }
            guard known.contains(value) else {
                throw DrillFailure.error(
                    Finding(
                        .codeUnreadable, object: object, expected: known.joined(separator: " or "), actual: "another \(name)",
                        message: "the mirror's format is not known here", hint: "take a newer muster"))
            }
            extensions += "\t\(name) = \(value)\n"
        }
        if try await extensionValue("partialclone") != nil {
            throw incomplete(object, "objects were filtered out (a partial clone)", hint: "make it anew, without --filter")
        }
        let files = FileManager.default
        for name in ["config", "config.worktree", "hooks", "commondir", "worktrees", "info/attributes", "info/grafts", "gitdir", "index"] {
            try? files.removeItem(at: repository.appendingPathComponent(name))
        }
        let text = "[core]\n\trepositoryformatversion = \(extensions.isEmpty ? 0 : 1)\n\tbare = true\n"
        let written = files.createFile(
            atPath: file.path, contents: Data((text + (extensions.isEmpty ? "" : "[extensions]\n" + extensions)).utf8),
            attributes: [.posixPermissions: 0o600])
        do {
            // A copy has files alone, and git wants these folders also where they are empty.
            for name in ["refs", "objects"] {
                let part = repository.appendingPathComponent(name, isDirectory: true)
                guard !files.fileExists(atPath: part.path) else { continue }
                try files.createDirectory(at: part, withIntermediateDirectories: true)
                try host.folder.own(part)
            }
            guard written else { throw ScratchError(.fileSystem, "cannot write \(file.path)", hint: "check free space there") }
            try host.folder.own(file)
        } catch let error as ScratchError {
            throw DrillFailure.error(Finding(.scratchUnusable, object: object, message: error.message, hint: error.hint))
        }
    }

    private static func opened(_ repository: URL, _ git: Git, _ folder: URL, _ object: String) async throws -> RestoredCode {
        let git = git.at(repository)
        let listed = try await git.run(["for-each-ref", "--format=%(objectname)"])
        guard listed.succeeded else { throw broken(object, "git for-each-ref: \(listed.result.ending)", cut: false) }
        let refs = listed.output.split(separator: "\n").count
        guard refs > 0 else {
            throw DrillFailure.failed(
                Finding(
                    .codeUnreadable, object: object, expected: "at least one branch", actual: "none",
                    message: "the repository has no branch and no tag",
                    hint: "check what the backup job clones, and that it may read it"))
        }
        return RestoredCode(repository: repository, refs: refs, git: git, folder: folder, object: object)
    }

    // MARK: What may be wrong

    private static func isCut(_ text: String) -> Bool {
        ["early EOF", "unexpected end", "premature end", "truncated", "unexpected disconnect"].contains { text.contains($0) }
    }

    private static func broken(_ object: String, _ actual: String, cut: Bool) -> DrillFailure {
        .failed(
            Finding(
                cut ? .codeTruncated : .codeUnreadable, object: object, expected: "a repository that git can read", actual: actual,
                message: cut ? "the stored file is cut short" : "git can't read the stored repository",
                hint: "compare its size with the backup job's log, and fetch another copy"))
    }

    private static func incomplete(_ object: String, _ what: String, hint: String) -> DrillFailure {
        .failed(
            Finding(
                .codeIncomplete, object: object, expected: "every object of every commit", actual: what,
                message: "the backup doesn't hold the whole repository: \(what)", hint: hint))
    }

    private static func unusable(_ answer: Git.Answer) -> DrillFailure {
        .error(
            Finding(
                .gitBroke, object: "git init", expected: "exit 0", actual: answer.result.ending,
                message: "git can't make a repository in the scratch folder", hint: "check the scratch folder's disk, and the installed git"
            ))
    }
}
