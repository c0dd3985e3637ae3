// Runs pg_dump or pg_dumpall against a source and lets the output flow into an artifact, encrypted on the way.

public import Cryptography
public import Foundation
import OutsideTools
public import PostgresClient
import ScratchHost
import Synchronization

/// A program of Postgres' whose standard output becomes an artifact.
public struct DumpTool: Sendable {
    /// Reached by the program as the caller is, with the password in its environment, never among its arguments.
    public var source: PostgresConfiguration
    /// The folder that holds pg_dump and pg_dumpall; nil: by PATH.
    public var binaries: String?
    /// Added to the program's environment: by it the program is found where this process is killed.
    public var ownership: [String: String]

    /// Holds what the program complains of while it runs.
    public var folder: URL

    public init(
        source: PostgresConfiguration, binaries: String? = nil, ownership: [String: String] = [:],
        folder: URL = FileManager.default.temporaryDirectory
    ) {
        self.folder = folder
        self.source = source
        self.binaries = binaries
        self.ownership = ownership
    }

    /// Changes the first bytes of an artifact before they are digested and encrypted; given all of the first buffer.
    public typealias HeadFilter = @Sendable (inout [UInt8]) -> Void

    /// Writes roles, memberships and tablespaces: what no dump of one database holds.
    ///
    /// - Parameter passwords: The verifiers too, which only a superuser may read. The file is then as secret as they are.
    public func writeGlobals(
        to target: URL, encryption: ArtifactStream.Encryption?, passwords: Bool, flushed: Bool = true
    ) async throws(SealingError) -> StreamedArtifact {
        try await write(
            PgDump.globals(passwords: passwords), database: nil, to: target, encryption: encryption, flushed: flushed)
    }

    /// Writes what the program prints. The target appears only once the program has ended well.
    ///
    /// - Parameter begun: Called before the first bytes are written. pg_dump's custom format begins when it has read the whole catalogue, and
    ///   holds its snapshot and a lock on each table.
    func write(
        _ call: PgDump.Call, database: String?, to target: URL, encryption: ArtifactStream.Encryption?,
        flushed: Bool, head: HeadFilter? = nil, begun: (@Sendable () async throws -> Void)? = nil
    ) async throws(SealingError) -> StreamedArtifact {
        do {
            let writer = try await EncryptingFileWriter(to: target, encrypting: encryption, flushed: flushed)
            let pending = Mutex(head)
            let isFirst = Mutex(true)
            do {
                try await stream(call, database: database) { bytes in
                    var bytes = bytes
                    let filter = pending.withLock { filter in
                        defer { filter = nil }
                        return filter
                    }
                    filter?(&bytes)
                    let first = isFirst.withLock { first in
                        defer { first = false }
                        return first
                    }
                    if first { try await begun?() }
                    try await writer.write(bytes)
                }
                return try await writer.finish()
            } catch {
                await writer.abandon()
                throw error
            }
        } catch {
            throw SealingError(error, doing: "running \(call.program)")
        }
    }

    /// Hands on what the program prints, as it comes.
    ///
    /// - Throws: ``SealingError`` where it ended otherwise than well; what `consume` throws.
    func stream(_ call: PgDump.Call, database: String?, _ consume: @escaping @Sendable ([UInt8]) async throws -> Void) async throws {
        let program = call.program
        var environment = ["PGHOST": source.host, "PGPORT": String(source.port), "PGUSER": source.user]
        environment["PGDATABASE"] = database
        environment["PGPASSWORD"] = source.password
        environment["PGAPPNAME"] = source.applicationName
        // As in ``SourceSession``: before its own transaction, which is repeatable read, it asks a few questions.
        environment["PGOPTIONS"] = "-c default_transaction_isolation=read\\ committed"
        environment.merge(ownership) { $1 }
        // Its messages name objects, and a failing statement's text; they are read for one line and not kept.
        let errors = folder.appendingPathComponent("muster-\(program)-\(UUID().uuidString).log")
        defer { try? FileManager.default.removeItem(at: errors) }
        let path = binaries.map { "\($0)/\(program)" } ?? program
        let ending = try await ToolRunner.stream(
            [path] + call.arguments, environment: environment, errors: .file(errors), consume: consume)
        try Task.checkCancellation()
        guard ending.succeeded else {
            throw SealingError(
                .tool, "\(program) ended with \(ending.ending): \(Self.reason(in: errors))",
                hint: "check that it is no older than the server, and the user's right to read every table")
        }
    }

    /// The first line that says why, without what could be data: a message ends where a detail or a statement begins.
    private static func reason(in log: URL) -> String {
        let text = (try? String(decoding: Data(contentsOf: log), as: UTF8.self)) ?? ""
        let line = text.split(separator: "\n").first { $0.contains("error: ") || $0.contains("FATAL: ") }
        guard let line, let mark = line.range(of: "error: ") ?? line.range(of: "FATAL: ") else { return "no reason given" }
        return String(line[mark.upperBound...].prefix(200)).trimmingCharacters(in: .whitespaces)
    }
}
