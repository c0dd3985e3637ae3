// A session against a real server: answers, errors, cancellation, a server that dies.

import Foundation
import Glibc
import PostgresClient
import Synchronization
import TestSupport
import Testing

@Suite(.enabled(if: TestMachine.hasPostgres, "PostgreSQL is not installed")) struct PostgresConnectionTests {
    @Test func answersWithNamesAndNulls() async throws {
        try await withTestPostgres { server in
            let connection = try await server.connect(database: "postgres")
            let rows = try await connection.query("select 1 as one, null as nothing, '' as empty, $1::text as text", ["ü"])
            let row = try #require(rows.first)
            #expect(row.columns == ["one", "nothing", "empty", "text"])
            #expect(row["one"] == "1" && row[1] == nil && row["empty"] == "" && row["text"] == "ü")
            #expect(row["missing"] == nil && row[9] == nil)
            #expect(try await connection.value("select 1 where false") == nil)
            #expect(connection.serverVersion >= 120000)
            #expect(try await connection.value("select pg_backend_pid()") == String(connection.backendPID))
            await connection.close()
            await connection.close()
            let error = await #expect(throws: PostgresError.self) { try await connection.value("select 1") }
            #expect(error?.kind == .closed)
        }
    }

    /// Code of a restored backup can put a server of its own in the place of the scratch server's socket: it must not get to ask for a password.
    @Test func anotherProgramInTheServersPlace() async throws {
        try await withTestPostgres { server in
            let first = try await server.connect(database: "postgres")
            let backend = try #require(server.host.processID(of: first.backendPID))
            let main = try #require(try parent(of: backend))
            await first.close()
            func configuration(_ listener: Int32) -> PostgresConfiguration {
                PostgresConfiguration(host: server.socketFolder, port: server.port, listener: listener)
            }
            await (try PostgresConnection.connect(configuration(main))).close()
            let error = await #expect(throws: PostgresError.self) { try await PostgresConnection.connect(configuration(main + 1)) }
            #expect(error?.kind == .connect && error?.message.contains("in the scratch server's place") == true)
        }
    }

    @Test func runsSeveralStatementsAsOneTransaction() async throws {
        try await withTestPostgres { server in
            let connection = try await server.connect(database: "postgres")
            try await connection.execute("create temp table t (i int); insert into t values (1), (2); select * from t")
            await #expect(throws: PostgresError.self) { try await connection.execute("insert into t values (3); select 1/0") }
            #expect(try await connection.value("select count(*) from t") == "2")
            await #expect(throws: PostgresError.self) { try await connection.query("select 1; select 2") }
            await connection.close()
        }
    }

    @Test func pinsSettingsFromTheFirstStatement() async throws {
        try await withTestPostgres { server in
            let settings = ["TimeZone": "Asia/Kolkata", "search_path": "", "application_name": "with space \\ and more"]
            let connection = try await PostgresConnection.connect(
                PostgresConfiguration(host: server.socketFolder, port: server.port, settings: settings))
            #expect(try await connection.value("show TimeZone") == "Asia/Kolkata")
            #expect(try await connection.value("show search_path") == "")
            #expect(try await connection.value("show client_encoding") == "UTF8")
            await connection.close()
        }
    }

    /// Its own limits on time it can't keep then, and a statement may take hours: another session tells.
    @Test(arguments: [false, true]) func aServerThatStandsStill(asAWhole: Bool) async throws {
        try await withTestPostgres { server in
            let configuration = PostgresConfiguration(host: server.socketFolder, port: server.port, standstill: .milliseconds(500))
            let connection = try await PostgresConnection.connect(configuration)
            let backend = try #require(server.host.processID(of: connection.backendPID))
            let main = try #require(try parent(of: backend))
            let stopped = asAWhole ? [main, backend] : [backend]
            for pid in stopped { kill(pid, SIGSTOP) }
            let error = await #expect(throws: PostgresError.self) { try await connection.value("select 1") }
            #expect(error?.kind == .connectionLost && error?.message.contains("stands still") == true, "\(error?.message ?? "")")
            if asAWhole { #expect(await PostgresConnection.accepts(configuration) == false) }
            for pid in stopped { kill(pid, SIGCONT) }
        }
    }

    @Test func aStatementMayTakeAsLongAsItLikes() async throws {
        try await withTestPostgres { server in
            // Long enough for a new session on a machine under load, and over before the statement is.
            let connection = try await PostgresConnection.connect(
                PostgresConfiguration(host: server.socketFolder, port: server.port, standstill: .seconds(10)))
            #expect(try await connection.value("select 1 from pg_sleep(11)") == "1")
            await connection.close()
        }
    }

    private func parent(of pid: Int32) throws -> Int32? {
        let stat = try String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
        let fields = stat.split(separator: ")").last?.split(separator: " ")
        return fields.flatMap { Int32($0[1]) }
    }

    @Test func streamsInConstantMemory() async throws {
        try await withTestPostgres { server in
            let connection = try await server.connect(database: "postgres")
            let before = try residentKilobytes()
            let seen = Mutex((rows: 0, bytes: 0))
            try await connection.stream("select repeat('x', 1000) as t from generate_series(1, 400000)") { row in
                seen.withLock {
                    $0.rows += 1
                    $0.bytes += row["t"]?.utf8.count ?? 0
                }
            }
            #expect(seen.withLock { $0.rows == 400_000 && $0.bytes == 400_000_000 })
            #expect(try residentKilobytes() - before < 200_000, "other tests run meanwhile, so the bound is wide")
            await connection.close()
        }
    }

    @Test func anErrorAfterRowsIsAnError() async throws {
        try await withTestPostgres { server in
            let connection = try await server.connect(database: "postgres")
            let count = Atomic(0)
            let error = await #expect(throws: PostgresError.self) {
                try await connection.stream("select 1/(1000 - i) from generate_series(1, 2000) i") { _ in
                    count.add(1, ordering: .relaxed)
                }
            }
            #expect(error?.sqlState == "22012")
            #expect(count.load(ordering: .relaxed) > 0)
            await connection.close()
        }
    }

    @Test func cancellingTheTaskCancelsTheStatement() async throws {
        try await withTestPostgres { server in
            let connection = try await server.connect(database: "postgres")
            let started = ContinuousClock.now
            let asking = Task { try await connection.value("select pg_sleep(600)") }
            try await Task.sleep(for: .milliseconds(200))
            asking.cancel()
            let error = await #expect(throws: PostgresError.self) { try await asking.value }
            #expect(error?.kind == .cancelled)
            #expect(started.duration(to: .now) < .seconds(300))
            #expect(try await connection.value("select 1") == "1", "the session stays usable")
            await connection.close()
        }
    }

    @Test func aTimeoutOfTheServerIsNoCancellation() async throws {
        try await withTestPostgres { server in
            let connection = try await server.connect(database: "postgres")
            try await connection.execute("set statement_timeout = 100")
            let error = await #expect(throws: PostgresError.self) { try await connection.value("select pg_sleep(600)") }
            #expect(error?.kind == .query && error?.sqlState == "57014")
            await connection.close()
        }
    }

    @Test(arguments: ["select pg_terminate_backend($1::int)", "kill"])
    func aServerThatDiesIsAnErrorWithinSeconds(_ how: String) async throws {
        try await withTestPostgres { server in
            let connection = try await server.connect(database: "postgres")
            let killer = try await server.connect(database: "postgres")
            let asking = Task { try await connection.value("select pg_sleep(600)") }
            try await Task.sleep(for: .milliseconds(200))
            let killed = ContinuousClock.now
            if how == "kill" {
                kill(try #require(server.host.processID(of: connection.backendPID)), SIGKILL)
            } else {
                _ = try await killer.value(how, [String(connection.backendPID)])
            }
            let error = await #expect(throws: PostgresError.self) { try await asking.value }
            #expect(error?.kind == .connectionLost)
            // Not after the ten minutes that the query would take, nor a time limit of TCP's.
            #expect(killed.duration(to: .now) < .seconds(300))
            await #expect(throws: PostgresError.self) { try await connection.value("select 1") }
            await connection.close()
            await killer.close()
        }
    }

    @Test func refusalsSayWhy() async throws {
        try await withTestPostgres { server in
            var there = PostgresConfiguration(
                host: server.socketFolder, port: server.port, database: "nothing_here", password: "secret-4711")
            let missing = await #expect(throws: PostgresError.self) { try await PostgresConnection.connect(there) }
            #expect(missing?.kind == .connect)
            #expect(missing?.message.contains("nothing_here") == true)
            #expect(await PostgresConnection.accepts(there))
            // Refused, and so there.
            let isThere = try await PostgresConnection.isReachable(there)
            #expect(isThere)
            there.port = 1
            let silent = await #expect(throws: PostgresError.self) { try await PostgresConnection.connect(there) }
            #expect(silent?.kind == .connect)
            #expect(await PostgresConnection.accepts(there) == false)
            let elsewhere = [there, PostgresConfiguration(host: "127.0.0.1", port: 1)]
            for place in elsewhere {
                let isThere = try await PostgresConnection.isReachable(place)
                #expect(!isThere)
            }
            #expect(!"\(there) \(String(reflecting: there))".contains("4711"))
            var dumped = ""
            dump(there, to: &dumped)
            #expect(!dumped.contains("4711"))
        }
    }

    @Test func foreignBytesAreReadLossily() async throws {
        try await withTestPostgres { server in
            let admin = try await server.connect(database: "postgres")
            try await admin.execute("drop database if exists bytes")
            try await admin.execute("create database bytes encoding 'SQL_ASCII' locale 'C' template template0")
            let connection = try await server.connect(database: "bytes")
            #expect(try await connection.value("select convert_from('\\x61e962', 'SQL_ASCII')") == "a\u{FFFD}b")
            await connection.close()
            await admin.close()
        }
    }

    @Test func copyingIsRefusedWithoutAHang() async throws {
        try await withTestPostgres { server in
            let connection = try await server.connect(database: "postgres")
            let error = await #expect(throws: PostgresError.self) { try await connection.execute("copy pg_class to stdout") }
            #expect(error?.kind == .unsupported)
            await connection.close()
        }
    }

    private func residentKilobytes() throws -> Int {
        let pages = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")[1]
        return (Int(pages) ?? 0) * 4
    }
}
