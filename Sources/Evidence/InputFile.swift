// A file that says what a run does, as it stood when the run began.

import Cryptography
import DrillModel
import Foundation

/// A drill or an estate file.
struct InputFile: Codable, Hashable {
    struct Git: Codable, Hashable {
        var commit: String
        /// Whether the file is another than the commit's, or not in it.
        var differs: Bool
    }
    var path: String
    var sha256: String
    /// nil outside of a work tree, and where git isn't installed or doesn't trust the folder.
    var git: Git?

    init(_ file: URL) throws(CommandFailure) {
        guard let bytes = try? Data(contentsOf: file), let digest = try? SHA256Stream.digest(Array(bytes)) else {
            throw CommandFailure(.unverified, "\(file.path) can't be read for the ledger", hint: "check its permissions")
        }
        path = file.path
        sha256 = digest
        git = Git(of: file)
    }
}

extension InputFile.Git {
    /// Object names alone are compared: nothing here runs a filter, a hook or a monitor of the repository's.
    init?(of file: URL) {
        let folder = file.deletingLastPathComponent().path
        func ask(_ words: [String]) -> String? { GitQuestion.answer(["-C", folder] + words) }
        guard let commit = ask(["rev-parse", "--verify", "--quiet", "HEAD^{commit}"]) else { return nil }
        self.commit = commit
        let committed = ask(["rev-parse", "--verify", "--quiet", "HEAD:./\(file.lastPathComponent)"])
        let present = ask(["hash-object", "--no-filters", "--", file.lastPathComponent])
        differs = committed == nil || committed != present
    }
}

/// git's plumbing, asked for an object's name.
enum GitQuestion {
    static func answer(_ words: [String]) -> String? {
        let process = Process()
        let pipe = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["git"] + words
        let own = ProcessInfo.processInfo.environment
        // HOME, since the user's own configuration says which folders of others git trusts.
        process.environment = own.filter { ["PATH", "HOME"].contains($0.key) }.merging(
            ["LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"]) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return nil }
        try? pipe.fileHandleForWriting.close()
        let output = try? pipe.fileHandleForReading.readToEnd()
        process.waitUntilExit()
        let text = String(decoding: output ?? Data(), as: UTF8.self).trimmingCharacters(in: .newlines)
        guard process.terminationStatus == 0, text.wholeMatch(of: /[0-9a-f]{40}|[0-9a-f]{64}/) != nil else { return nil }
        return text
    }
}
