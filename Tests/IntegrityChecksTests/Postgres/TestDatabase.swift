// Databases for tests: made, dumped, restored and compared on one server.

import DrillModel
import Foundation
import IntegrityChecks
import PostgresClient
import Synchronization
import TestSupport

/// Runs a body with a session in a fresh database of its own.
func withDatabase<Answer: Sendable>(
    on server: TestPostgres, options: String = "", _ body: (PostgresConnection) async throws -> Answer
) async throws -> Answer {
    let admin = try await server.connect(database: "postgres")
    let name = "t\(UInt32.random(in: 0 ... .max))"
    try await admin.execute("CREATE DATABASE \(name) TEMPLATE template0 \(options)")
    await admin.close()
    let connection = try await server.connect(database: name)
    do {
        let answer = try await body(connection)
        await connection.close()
        return answer
    } catch {
        await connection.close()
        throw error
    }
}

/// The form a dump is written in.
enum DumpFormat: String, CaseIterable, Sendable {
    case custom, plain, directory
}

extension TestPostgres {
    /// Dumps a database and restores it under another name on the same server.
    ///
    /// The source is renamed for it, and keeps the name that this returns.
    func roundTrip(_ database: String, as format: DumpFormat) async throws -> (source: String, restored: String) {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("muster-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let dump = folder.appendingPathComponent("dump").path
        try await tool("pg_dump", ["-F", format.rawValue, "-C", "-f", dump, database])
        let admin = try await connect(database: "postgres")
        try await admin.execute("ALTER DATABASE \(database) RENAME TO \(database)_source")
        await admin.close()
        if format == .plain {
            try await tool("psql", ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-o", "/dev/null", "-d", "postgres", "-f", dump])
        } else {
            try await tool("pg_restore", ["-C", "-e", "-d", "postgres", "-j", "2", dump])
        }
        return ("\(database)_source", database)
    }

    func tool(_ name: String, _ arguments: [String]) async throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: binFolder).appendingPathComponent(name)
        process.arguments = ["-h", socketFolder, "-p", "\(port)", "-U", superuser] + arguments
        let status = try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Int32, any Error>) in
            process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
            do { try process.run() } catch { continuation.resume(throwing: error) }
        }
        if status != 0 { throw ToolFailed(name: name, status: status) }
    }

    struct ToolFailed: Error {
        var name: String
        var status: Int32
    }
}

/// Everything that a run of checks emitted.
final class Emitted: Sendable {
    private let list = Mutex<[CaseResult]>([])

    var cases: [CaseResult] { list.withLock { $0 } }

    func add(_ result: CaseResult) { list.withLock { $0.append(result) } }
}

/// Runs all checks of a database against a seal.
func check(
    _ connection: PostgresConnection, against seal: PostgresTruth?, declared: [DeclaredCheck] = []
) async -> [CaseResult] {
    let emitted = Emitted()
    await PostgresChecks.run(
        PostgresCheckContext(connection: connection, service: "db", seal: seal, declared: declared, emit: { emitted.add($0) }))
    return emitted.cases
}

extension [CaseResult] {
    /// The critical findings, as `rule object`.
    var red: [String] {
        flatMap(\.findings).filter { $0.severity == .critical }.map { "\($0.rule) \($0.object)" }
    }

    func named(_ name: String, in group: CaseResult.Group) -> CaseResult? {
        first { $0.name == name && $0.group == group }
    }
}

/// What was said not to be proven.
final class Sentences: Sendable {
    private let list = Mutex<[String]>([])

    var all: [String] { list.withLock { $0 } }

    func add(_ sentence: String) { list.withLock { $0.append(sentence) } }
}
