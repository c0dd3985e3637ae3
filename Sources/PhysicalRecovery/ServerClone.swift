// A copy of a running server's data folder, taken by pg_basebackup into the scratch folder.

public import DrillModel
public import Foundation
import OutsideTools
public import PostgresClient
public import PostgresRecovery
public import ScratchHost

extension Rule {
    public static let cloneFailed = Rule("clone-failed")
}

/// Copies one server. The server lends a replication connection, and is not changed.
public struct ServerClone: Sendable {
    public var host: ScratchHost
    /// A private folder of the host's; the copy lies in its `data`.
    public var folder: URL
    public var binaries: PostgresBinaries
    public var profile: Profile
    /// For messages.
    public var object: String

    public init(host: ScratchHost, folder: URL, binaries: PostgresBinaries, profile: Profile, object: String) {
        self.host = host
        self.folder = folder
        self.binaries = binaries
        self.profile = profile
        self.object = object
    }

    public var dataFolder: URL { folder.appendingPathComponent("data", isDirectory: true) }
    /// What must never be read: configuration and signal files of the server.
    public var asideFolder: URL { folder.appendingPathComponent("aside", isDirectory: true) }

    /// Copies what a configuration reaches, as Muster's own user and with its network.
    ///
    /// - Throws: ``DrillFailure`` (error), `CancellationError`.
    public func take(from source: PostgresConfiguration) async throws {
        var environment = [
            "PGHOST": source.host, "PGPORT": String(source.port), "PGUSER": source.user, "PGAPPNAME": source.applicationName,
            "PGCONNECT_TIMEOUT": "10",
        ]
        environment["PGPASSWORD"] = source.password
        let tablespaces = try await tablespaces(of: source).map { (from: $0.location, to: folder.appendingPathComponent($0.name)) }
        let command = PgBasebackup(program: binaries.path("pg_basebackup")).copy(
            into: dataFolder, tablespaces: tablespaces, isSynced: profile != .fast)
        let errors = folder.appendingPathComponent("pg_basebackup.log")
        do {
            let result = try await host.runAsInvoker(command, environment: environment, output: .discard, errors: errors)
            guard result.succeeded else { throw failure(result, errors) }
            try await giveAway()
            try putAside()
        } catch let error as ScratchError {
            throw error.kind == .diskFull
                ? full() : DrillFailure.error(Finding(.cloneFailed, object: object, message: error.message, hint: error.hint))
        }
    }

    private func tablespaces(of source: PostgresConfiguration) async throws -> [(location: String, name: String)] {
        do {
            let connection = try await PostgresConnection.connect(source)
            let rows = try await connection.query("SELECT oid::text, pg_tablespace_location(oid) FROM pg_tablespace")
            await connection.close()
            return rows.compactMap { row in
                guard let oid = row[0], let location = row[1], location.hasPrefix("/") else { return nil }
                return (location, "ts\(oid)")
            }
        } catch {
            if Task.isCancelled { throw CancellationError() }
            throw DrillFailure.error(
                Finding(.cloneFailed, object: object, message: "its tablespaces can't be asked for", hint: error.hint))
        }
    }

    private func giveAway() async throws {
        guard let user = host.folder.user else { return }
        let parts = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil).map(\.path)
        let result = try await host.runAsInvoker(
            ["chown", "-R", "-h", "\(user.userID):\(user.groupID)"] + parts, environment: [:], isolated: true, output: nil)
        guard result.succeeded else {
            throw DrillFailure.error(
                Finding(
                    .cloneFailed, object: object, message: "the copy can't be given to the unprivileged user",
                    hint: "choose a disk with owners, with --scratch"))
        }
    }

    private func putAside() throws {
        let files = FileManager.default
        do {
            try files.createDirectory(at: asideFolder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            for name in BaseBackupCopy.aside.subtracting(["tablespace_map"]) {
                let file = dataFolder.appendingPathComponent(name)
                guard files.fileExists(atPath: file.path) else { continue }
                try files.moveItem(at: file, to: asideFolder.appendingPathComponent(name))
            }
            let signal = try ScratchFile(dataFolder.appendingPathComponent("standby.signal"))
            try signal.give(to: host)
        } catch {
            throw host.folder.isFull
                ? full()
                : DrillFailure.error(
                    Finding(
                        .cloneFailed, object: object, message: "the copy's own configuration can't be put aside",
                        hint: "run again with --keep, and look at its data folder"))
        }
    }

    private func full() -> DrillFailure {
        .error(
            Finding(
                .scratchDiskFull, object: host.folder.url.path, expected: "room for a copy of the server", actual: "a full disk",
                message: "the scratch disk is full", hint: "free some space there, or choose another disk with --scratch"))
    }

    /// What is shown of its words: the rest of a line names hosts and users.
    private static let reasons = [
        "no pg_hba.conf entry", "password authentication failed", "no password supplied", "authentication failed",
        "must be superuser or replication role", "permission denied to start WAL sender", "exceeds max_wal_senders",
        "incompatible server version", "Connection refused", "No such file or directory", "timeout expired",
    ]

    private func failure(_ result: ToolResult, _ log: URL) -> DrillFailure {
        let text = String(decoding: UnlinkedFile.data(log)?.suffix(8192) ?? Data(), as: UTF8.self)
        if text.contains("No space left on device") || host.folder.isFull { return full() }
        let why = Self.reasons.first { text.contains($0) } ?? "a reason that stands in pg_basebackup.log"
        return .error(
            Finding(
                .cloneFailed, object: object, expected: "a copy of the running server", actual: why,
                message: "pg_basebackup ended with \(result.ending)",
                hint: "let the user replicate: ALTER ROLE … REPLICATION, a replication line in pg_hba.conf, and max_wal_senders"))
    }
}
