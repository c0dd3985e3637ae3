// An application's corner of the scratch folder, and the copy of its files in it.

public import DrillModel
public import Foundation
public import ScratchHost

/// Where one application lives during a drill. Known before it is started, since it is told of them.
public struct ApplicationPlaces: Sendable {
    /// Only the unprivileged user may enter.
    public let folder: URL
    /// The copy of its files, in which it works.
    public var files: URL { folder.appendingPathComponent("files", isDirectory: true) }
    /// A Unix socket that it may listen on.
    public var socket: URL { folder.appendingPathComponent("app.sock") }
    public var log: URL { folder.appendingPathComponent("application.log") }

    /// The living servers' sockets that it is told of: all else outside of the scratch folder it can't call.
    public var reachable: [URL] = []

    /// - Throws: ``DrillFailure`` (error).
    public init(on host: ScratchHost) throws(DrillFailure) {
        do {
            folder = try host.folder.privateFolder("a")
        } catch {
            throw .error(Finding(.scratchUnusable, object: "application", message: error.message, hint: error.hint))
        }
    }

    /// Copies an application's files, and gives the copy to the unprivileged user.
    ///
    /// - Throws: ``DrillFailure`` (error), `CancellationError`.
    public func copy(_ source: URL, on host: ScratchHost) async throws {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: source.path, isDirectory: &isFolder), isFolder.boolValue else {
            throw Self.unreadable(source, "is no folder of this machine")
        }
        let log = folder.appendingPathComponent("copy.log")
        // Links stay links: what they lead to is no part of the application.
        let copy = ["cp", "-RP", "--preserve=mode,timestamps", "--", source.path + "/.", files.path]
        var commands = [["mkdir", "-p", files.path], copy]
        if let user = host.folder.user { commands.append(["chown", "-hR", "\(user.userID):\(user.groupID)", files.path]) }
        for command in commands {
            let result: ToolResult
            do {
                result = try await host.runAsInvoker(command, environment: [:], isolated: true, output: log)
            } catch let error as ScratchError {
                throw DrillFailure.error(Finding(.applicationToolMissing, object: command[0], message: error.message, hint: error.hint))
            }
            guard result.succeeded else { throw Self.unreadable(source, "can't be copied: \(command[0]) ended with \(result.ending)") }
        }
    }

    private static func unreadable(_ source: URL, _ why: String) -> DrillFailure {
        .error(
            Finding(
                .applicationFilesUnreadable, object: source.path, expected: "a folder that can be copied", actual: "none",
                message: "the application's folder \(why)", hint: "check \"folder\" in the estate file, and its permissions"))
    }
}
