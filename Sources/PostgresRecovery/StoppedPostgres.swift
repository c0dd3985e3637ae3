// A scratch Postgres that has ended and whose files are still there: what it takes to start it again, and to look into it.

import DrillModel
public import Foundation
import Glibc
import OutsideTools
public import ScratchHost

/// How a scratch server was started, to be written down beside what it leaves.
public struct StoppedPostgres: Sendable, Hashable, Codable {
    /// Holds configuration, log and socket.
    public let folder: URL
    let dataFolder: URL
    let binaries: PostgresBinaries
    let superuser: String
    let profile: Profile
    let needs: ServerNeeds

    public init(_ server: ScratchPostgres) {
        folder = server.socketFolder.deletingLastPathComponent()
        (dataFolder, binaries, superuser) = (server.dataFolder, server.binaries, server.superuser)
        (profile, needs) = (server.profile, server.needs)
    }

    private var socketFolder: URL { folder.appendingPathComponent("s", isDirectory: true) }

    /// Whether its files are there: a later attempt makes room.
    public var isThere: Bool { access(dataFolder.path, F_OK) == 0 }

    public var title: String { "PostgreSQL \(binaries.major)" }

    /// psql on it.
    ///
    /// - Parameter words: More of its words, for a script; nil: for a person at a terminal.
    public func client(database: String, words: [String]? = nil) -> [String] {
        let own = binaries.path("psql")
        let psql = Psql(program: ScratchHost.locate(own, forOthers: geteuid() == 0) == nil ? "psql" : own)
        return psql.open(socketFolder: socketFolder.path, user: superuser, database: database) + (words.map { Psql.stopping + $0 } ?? [])
    }

    /// Starts it again with Muster's own configuration, which is written anew: code of the backup has had its way with this folder.
    ///
    /// It ended without a word, so that it recovers first: that may take as long as its write-ahead log is, and empties unlogged tables.
    ///
    /// - Throws: ``DrillFailure`` (error), `CancellationError`.
    public func start(on host: ScratchHost) async throws -> ScratchPostgres {
        // The server reads the first of them whatever the command line says. By a program of the quarantine: whoever owns the folder could
        // have made a link of anything in it.
        let stale = ["postgresql.auto.conf", "postmaster.pid"].map { dataFolder.appendingPathComponent($0).path }
        _ = try await host.run(["rm", "-f", "--"] + stale + [".s.PGSQL.5432.lock"].map { socketFolder.appendingPathComponent($0).path })
        let server = try await ScratchPostgres.startRecovery(
            on: host, in: folder, dataFolder: dataFolder, binaries: binaries, profile: profile, superuser: superuser, settings: [],
            needs: needs)
        do {
            try await server.waitUntilReady(host: host, patience: .seconds(24 * 3600))
        } catch {
            await server.stop()
            throw error
        }
        return server
    }
}
