// The door of this module: a lab is created, started, stopped and destroyed.

public import Foundation
import Glibc
import PostgresRecovery
import RedisRecovery
import ScratchHost

/// A small but real DomainScope estate in a folder: two services with a past, their sealed and encrypted backups, and drills.
public enum Lab {
    /// Makes a lab. Its servers are stopped when this returns.
    ///
    /// Where it throws, cancelled or not, nothing is left: no process, and no file in the folder.
    ///
    /// - Parameter progress: What is being done, nights done, all nights.
    @discardableResult
    public static func create(
        _ options: LabOptions, progress: @escaping @Sendable (String, Int, Int) -> Void = { _, _, _ in }
    ) async throws(LabError) -> LabEstate {
        try check(options)
        // The oldest that will do: a newer one beside it is for the incremental backups.
        let installed = PostgresBinaries.installed()
        guard let binaries = installed.first(where: { $0.major >= 15 && $0.major == options.postgresMajor ?? $0.major }) else {
            let wanted = options.postgresMajor.map { "of major version \($0)" } ?? "of major version 15 or newer"
            let majors = installed.map { String($0.major) }.joined(separator: ", ")
            throw LabError(
                .toolMissing, "the lab needs a postgres server \(wanted), and here is \(majors.isEmpty ? "none" : majors)",
                hint: "apt-get install postgresql postgresql-contrib, or name its bin folder in MUSTER_PG_BIN")
        }
        let existed = try claim(options.folder)
        var options = options
        options.folder = options.folder.resolvingSymlinksInPath()
        let places = LabPlaces(folder: options.folder)
        do {
            // The first that is found makes the dataset; MUSTER_REDIS_BIN has a say in that.
            let redis = try RedisSoftware().preferred()
            var mark = LabMark(
                id: String(UInt64.random(in: .min ... .max), radix: 36), created: options.now, postgres: binaries.folder,
                redis: redis.path(.server))
            try mark.write(to: places.mark)
            let host = try await ScratchHost.prepare(in: options.scratch, purpose: "lab")
            let result: Result<LabEstate, any Error>
            do {
                let builder = LabBuilder(
                    options: options, places: places, mark: mark, binaries: binaries, host: host, progress: progress)
                result = .success(try await builder.build())
            } catch {
                result = .failure(error)
            }
            try await host.remove()
            let estate = try result.get()
            try LabServers(places: places, mark: mark).writeSettings()
            mark.complete = true
            try mark.write(to: places.mark)
            return estate
        } catch {
            giveUp(options.folder, existed: existed)
            throw LabError(error, doing: "making the lab")
        }
    }

    /// Starts the lab's servers in the background: the sources of `muster seal`, and their standby and replica. Started ones stay as they are.
    @discardableResult
    public static func start(_ folder: URL) async throws(LabError) -> RunningLab {
        let servers = try servers(of: folder)
        do {
            try await servers.start()
        } catch {
            throw LabError(error, doing: "starting the lab")
        }
        let drill = servers.places.failoverDrill
        return RunningLab(
            sockets: servers.mark.socketFolder, secondZone: servers.mark.secondZone,
            drill: FileManager.default.fileExists(atPath: drill.path) ? drill : nil)
    }

    /// Stops the lab's servers. Stopping twice is allowed.
    public static func stop(_ folder: URL) async throws(LabError) {
        let servers = try servers(of: folder)
        do {
            try await servers.stop()
        } catch {
            throw LabError(error, doing: "stopping the lab")
        }
    }

    /// Stops the lab's servers and removes its folder, with all that was put into it since.
    ///
    /// - Throws: ``LabError``; kind `usage` for a folder without the lab's mark, which stays untouched.
    public static func destroy(_ folder: URL) async throws(LabError) {
        let servers = try servers(of: folder)
        do {
            try await servers.stop()
            try FileManager.default.removeItem(at: servers.places.folder)
        } catch {
            throw LabError(error, doing: "removing the lab")
        }
    }

    private static func servers(of folder: URL) throws(LabError) -> LabServers {
        // Of a link, what it leads to is the lab.
        let folder = folder.resolvingSymlinksInPath()
        return LabServers(places: LabPlaces(folder: folder), mark: try LabMark.read(in: folder))
    }

    private static func check(_ options: LabOptions) throws(LabError) {
        guard LabOptions.dayRange.contains(options.days) else {
            throw LabError(.usage, "a lab has 1 to 400 days, not \(options.days)", hint: "pass another number with --days")
        }
        guard LabOptions.rowRange.contains(options.rows) else {
            throw LabError(.usage, "a lab has 40 to 1000000 rows, not \(options.rows)", hint: "pass another number with --rows")
        }
    }

    /// - Returns: Whether the folder was there already.
    private static func claim(_ folder: URL) throws(LabError) -> Bool {
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: folder.path, isDirectory: &isFolder) {
            guard isFolder.boolValue, let inside = try? FileManager.default.contentsOfDirectory(atPath: folder.path), inside.isEmpty else {
                throw LabError(.usage, "\(folder.path) is not an empty folder", hint: "name one that doesn't exist yet")
            }
            return true
        }
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        } catch {
            throw LabError(.storage, "cannot make \(folder.path)", hint: "check the path and its permissions")
        }
        return false
    }

    private static func giveUp(_ folder: URL, existed: Bool) {
        if existed {
            for name in (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [] {
                try? FileManager.default.removeItem(at: folder.appending(path: name))
            }
        } else {
            try? FileManager.default.removeItem(at: folder)
        }
    }
}
