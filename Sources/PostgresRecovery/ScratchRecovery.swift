// Starts a scratch server on restored data rather than on an empty cluster.

public import DrillModel
public import Foundation
public import ScratchHost

extension ScratchPostgres {
    /// Starts a server on a data folder that was restored, and returns while it still recovers.
    ///
    /// The folder's own configuration is not read: Muster's files are named on the command line. `postgresql.auto.conf` is read
    /// from the data folder whatever the command line says, so the caller must have taken it away.
    ///
    /// - Parameters:
    ///   - folder: A private folder of the host's; holds configuration, log and socket.
    ///   - superuser: A superuser that the restored cluster has.
    ///   - settings: What recovery needs. They outrank Muster's own.
    public static func startRecovery(
        on host: ScratchHost, in folder: URL, dataFolder: URL, binaries: PostgresBinaries, profile: Profile, superuser: String,
        settings: [(name: String, value: String)], needs: ServerNeeds = ServerNeeds()
    ) async throws -> ScratchPostgres {
        let socket = folder.appendingPathComponent("s", isDirectory: true)
        let log = folder.appendingPathComponent("server.log")
        let configuration = ScratchConfiguration(
            socketFolder: socket, profile: profile, major: binaries.major, needs: needs, recovery: settings)
        let files = try configuration.write(to: folder, host: host)
        do {
            try FileManager.default.createDirectory(
                at: socket, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            try host.folder.own(socket)
            let process = try await host.start(
                [binaries.path("postgres")] + files.arguments(dataFolder: dataFolder),
                // A standby of another scratch server follows it.
                connects: settings.contains { $0.name == "primary_conninfo" && !$0.value.isEmpty }, workingFolder: folder, log: log)
            return ScratchPostgres(
                binaries: binaries, socketFolder: socket, dataFolder: dataFolder, log: log, superuser: superuser, profile: profile,
                needs: needs, process: process)
        } catch let error as ScratchError {
            throw DrillFailure.error(Finding(.scratchServerFailed, object: "postgres", message: error.message, hint: error.hint))
        }
    }

    /// Why it didn't come up, in its log's own words, made safe to show.
    public func failure(_ what: String, host: ScratchHost) -> DrillFailure { Self.failure(what, log: log, host: host) }
}

extension ScratchPostgres {
    /// Starts it anew on its own data, once it has ended in order and needs no recovery any more.
    ///
    /// - Throws: ``DrillFailure`` (error), `CancellationError`.
    public func startAgain(on host: ScratchHost) async throws -> ScratchPostgres {
        let again = try await Self.startRecovery(
            on: host, in: socketFolder.deletingLastPathComponent(), dataFolder: dataFolder, binaries: binaries, profile: profile,
            superuser: superuser, settings: [], needs: needs)
        do {
            try await again.waitUntilReady(host: host)
        } catch {
            await again.stop()
            throw error
        }
        return again
    }

    /// The same server, spoken to as another superuser.
    public func speaking(as superuser: String) -> ScratchPostgres {
        ScratchPostgres(
            binaries: binaries, socketFolder: socketFolder, dataFolder: dataFolder, log: log, superuser: superuser, profile: profile,
            needs: needs,
            process: process)
    }
}
