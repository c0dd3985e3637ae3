// A scratch Redis that has ended and whose files are still there: what it takes to start it again, and to look into it.

import DrillModel
public import Foundation
import Glibc
import OutsideTools
public import ScratchHost

/// How a scratch server was started, to be written down beside what it leaves.
public struct StoppedRedis: Sendable, Hashable, Codable {
    public let folder: URL
    private let socket: String
    private let content: ScratchRedis.Content
    private let binaries: RedisBinaries
    private let modules: [ServerModule]
    private let databases: Int

    public init(_ server: ScratchRedis) {
        (folder, socket, content) = (server.folder, server.socketPath, server.content)
        (binaries, modules, databases) = (server.binaries, server.modules, server.databases)
    }

    /// Whether its files are there: a later attempt makes room.
    public var isThere: Bool { access(folder.path, F_OK) == 0 }

    public var title: String { "\(binaries.version)" }

    /// redis-cli on it.
    ///
    /// - Parameter words: One command; none: those of its standard input.
    public func client(words: [String] = []) -> [String] {
        let tells = !words.isEmpty && binaries.version.major >= 7
        return RedisCli(program: binaries.path(.cli)).open(socket: socket) + (tells ? RedisCli.failing : []) + words
    }

    /// Starts it again on what was restored, with Muster's own configuration: what was written since is not in it.
    ///
    /// - Throws: ``DrillFailure``, `CancellationError`.
    public func start(on host: ScratchHost) async throws -> ScratchRedis {
        try await ScratchRedis.start(
            on: host, in: folder, content: content, binaries: binaries, modules: modules, databases: databases)
    }
}
