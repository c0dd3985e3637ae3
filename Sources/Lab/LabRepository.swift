// The lab's pgBackRest repository: a stanza with a full, a differential and an incremental backup, encrypted.

import Cryptography
import Foundation
import PostgresRecovery
import ScratchHost

/// A repository in the making. It lies in the scratch folder until it is whole.
struct LabRepository: Sendable {
    static let stanza = "domainscope"
    private let host: ScratchHost
    private let folder: URL
    private let configuration: URL

    private var repository: URL { folder.appending(path: "repository", directoryHint: .isDirectory) }

    /// What pgbackrest ends with where it doesn't know the cluster's version.
    private static let versionNotSupported: Int32 = 46

    /// Makes the stanza of a stopped server.
    ///
    /// - Returns: nil where pgbackrest isn't on this machine, or is older than the server.
    static func prepare(on host: ScratchHost, in folder: URL, dataFolder: URL, keys: LabKeys) async throws -> LabRepository? {
        guard ScratchHost.locate("pgbackrest") != nil else { return nil }
        let made = LabRepository(
            host: host, folder: folder, configuration: folder.appending(path: "pgbackrest.conf"))
        for part in ["repository", "locks"] {
            let url = folder.appending(path: part, directoryHint: .isDirectory)
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            try host.folder.own(url)
        }
        // A file, and not the environment: the archiving server reads it too. It goes with the scratch folder.
        let text = """
            [global]
            repo1-path=\(made.repository.path)
            repo1-cipher-type=aes-256-cbc
            repo1-cipher-pass=\(keys.encryption.passphrase.withBytes { String(decoding: $0, as: UTF8.self) })
            repo1-retention-full=2
            compress-type=gz
            compress-level=1
            start-fast=y
            lock-path=\(folder.path)/locks
            log-level-file=off
            log-level-console=warn
            [\(stanza)]
            pg1-path=\(dataFolder.path)
            pg1-socket-path=\(folder.path)/s
            pg1-user=postgres

            """
        let file = made.configuration
        guard FileManager.default.createFile(atPath: file.path, contents: Data(text.utf8), attributes: [.posixPermissions: 0o600]) else {
            throw LabError(.storage, "cannot write \(file.path)", hint: "check free space in the scratch folder")
        }
        try host.folder.own(file)
        // Its server need not be asked: what archives must know beforehand whether there is a repository.
        let stanza = try await made.call(["--no-online", "stanza-create"])
        if stanza.exitCode == versionNotSupported { return nil }
        try made.require(stanza, "stanza-create")
        return made
    }

    /// What the source's archive_command adds.
    var archiveCommand: String { "pgbackrest --config=\"\(configuration.path)\" --stanza=\(Self.stanza) archive-push \"%p\"" }

    /// - Parameter type: `full`, `diff` or `incr`.
    func back(up type: String) async throws { try await run(["--type=\(type)", "backup"]) }

    /// Moves it to where it stays.
    func store(at target: URL) async throws {
        // A link for people, which a copy in another store would follow to nowhere.
        try? FileManager.default.removeItem(at: repository.appending(path: "backup/\(Self.stanza)/latest"))
        try await LabServers.move(repository, to: target)
    }

    private func run(_ words: [String]) async throws { try require(try await call(words), words.last ?? "") }

    private func call(_ words: [String]) async throws -> ToolResult {
        try await host.run(
            ["pgbackrest", "--config=\(configuration.path)", "--stanza=\(Self.stanza)"] + words,
            output: folder.appending(path: "pgbackrest.log"), errors: folder.appending(path: "pgbackrest.err"))
    }

    private func require(_ result: ToolResult, _ word: String) throws {
        guard result.succeeded else {
            throw LabError(
                .server, "pgbackrest \(word) ended with \(result.ending)",
                hint:
                    "this pgbackrest may be too old for the installed postgres: update it, or remove it to make a lab without a repository")
        }
    }
}
