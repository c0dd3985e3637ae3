// What a run has changed outside of its scratch folder, and how that is undone where the run is killed.

public import Foundation
import Glibc

/// One command that must still be run. It is kept in the scratch folder, which whoever cleans up after a killed run finds.
public struct ScratchUndo: Codable, Hashable, Sendable {
    static let fileName = ".muster-undo.json"

    /// For messages, such as `zone dr`.
    public var title: String
    /// Where a person finds the command.
    public var origin: String
    public var command: [String]
    /// Added to a bare one. Never holds a secret.
    public var environment: [String: String]
    public var workingFolder: URL
    public var seconds: Int64

    public init(
        title: String, origin: String, command: [String], environment: [String: String], workingFolder: URL, limit: Duration
    ) {
        self.title = title
        self.origin = origin
        self.command = command
        self.environment = environment
        self.workingFolder = workingFolder
        seconds = max(1, limit.components.seconds)
    }

    /// Runs it as Muster's own user, with that user's home.
    ///
    /// - Returns: nil where it succeeded, otherwise how it ended.
    public func run() async -> String? {
        var values = environment
        if let home = ProcessInfo.processInfo.environment["HOME"] { values["HOME"] = home }
        let complete = values
        do {
            let result = try await TimeLimit.run(.seconds(seconds)) {
                try await ToolRunner.spawn(
                    command, environment: complete, workingFolder: workingFolder, output: .discard, errors: .discard)
            }
            guard let result else { return "it was ended after \(seconds) s" }
            return result.succeeded ? nil : result.ending
        } catch {
            return (error as? ScratchError)?.message ?? "it could not be started"
        }
    }
}

extension ScratchHost {
    /// Has whoever cleans up after this run, should it be killed, run a command. One at a time.
    ///
    /// - Throws: ``ScratchError`` where that can't be written down: nothing may be changed outside then.
    public func promise(_ undo: ScratchUndo) throws(ScratchError) {
        do {
            let file = folder.url.appendingPathComponent(ScratchUndo.fileName)
            try JSONEncoder().encode(undo).write(to: file, options: .atomic)
            chmod(file.path, 0o600)
        } catch {
            throw ScratchError(
                .fileSystem, "cannot write into \(folder.url.path)",
                hint: "check free space and permissions, or choose another with --scratch")
        }
    }

    /// It has been undone, or somebody was told that it was not.
    public func withdrawUndo() {
        try? FileManager.default.removeItem(at: folder.url.appendingPathComponent(ScratchUndo.fileName))
    }
}

extension ScratchCleaner {
    /// What abandoned folders of this user still want to have undone. Each is handed out once, whoever else cleans up at the same time.
    ///
    /// To be run when the folder's processes have ended: what is to be undone may be being done.
    public static func claimUndos(in root: ScratchRoot, kept: Bool = false) -> [ScratchUndo] {
        marked(in: root).compactMap { folder, mark in
            guard !mark.isInUse, kept || !mark.kept else { return nil }
            let file = folder.appendingPathComponent(ScratchUndo.fileName)
            let claimed = folder.appendingPathComponent("\(ScratchUndo.fileName).\(getpid())")
            var info = stat()
            // As of the mark: only what this user wrote.
            guard lstat(file.path, &info) == 0, info.st_mode & S_IFMT == S_IFREG, info.st_uid == geteuid(),
                rename(file.path, claimed.path) == 0, let data = try? Data(contentsOf: claimed)
            else { return nil }
            return try? JSONDecoder().decode(ScratchUndo.self, from: data)
        }
    }
}
