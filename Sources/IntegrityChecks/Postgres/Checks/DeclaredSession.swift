// The conditions under which a drill file's question is asked: nothing can be written, and it ends.

import DrillModel
import PostgresClient

extension Rule {
    static let roleRefused = Rule("role-refused")
    static let roleLacksRight = Rule("role-lacks-right")
}

/// A read-only transaction with a time limit, under the database's own settings but for those that let an index answer for a table.
struct DeclaredSession {
    private let context: PostgresCheckContext
    private let role: String?
    private let milliseconds: Int64
    private let heap: [String: String]
    private let change: String

    /// - Parameters:
    ///   - role: Who asks; nil: the superuser of the context's own session.
    ///   - heap: One of ``HeapReading``.
    ///   - change: What Muster itself changes before the question, to be undone behind it; a scratch server's alone.
    init(_ context: PostgresCheckContext, as role: String?, heap: [String: String], change: String = "") {
        self.change = change
        self.context = context
        self.role = role
        self.heap = heap
        milliseconds = max(1, Int64(context.statementTimeout / .milliseconds(1)))
    }

    func ask<Answer: Sendable>(
        _ question: (PostgresConnection) async throws(PostgresError) -> Answer
    ) async throws(PostgresError) -> Answer {
        guard let role else { return try await ask(context.connection, question) }
        guard let scratch = context.scratch else { throw .onlyScratch("as") }
        let connection = try await scratch.connect(role)
        do throws(PostgresError) {
            let answer = try await ask(connection, question)
            await connection.close()
            return answer
        } catch {
            await connection.close()
            throw error
        }
    }

    private func ask<Answer: Sendable>(
        _ connection: PostgresConnection, _ question: (PostgresConnection) async throws(PostgresError) -> Answer
    ) async throws(PostgresError) -> Answer {
        // The inventory pins settings for itself, the search path among them; whoever wrote the question knows only the defaults.
        let defaults = PostgresInventory.settings.keys.sorted().map { "SET LOCAL \($0) TO DEFAULT;" }.joined(separator: " ")
        let reading = heap.sorted { $0.key < $1.key }.map { "SET LOCAL \($0.key) = \($0.value);" }.joined(separator: " ")
        let mode = change.isEmpty ? "READ ONLY" : "READ WRITE"
        // A role may have a shorter limit of its own, by which it would be cut off in production too.
        let limit =
            role == nil
            ? "SET LOCAL statement_timeout = \(milliseconds)"
            : "SELECT pg_catalog.set_config('statement_timeout', '\(milliseconds)', true) "
                + "FROM pg_catalog.pg_settings WHERE name = 'statement_timeout' AND setting::bigint NOT BETWEEN 1 AND \(milliseconds)"
        try await connection.execute("BEGIN \(mode); \(defaults) \(reading) \(limit); \(change)")
        do throws(PostgresError) {
            let answer = try await question(connection)
            try await connection.execute("ROLLBACK")
            return answer
        } catch {
            // Where the session is gone, so is the transaction.
            try? await connection.execute("ROLLBACK")
            throw error
        }
    }
}

extension PostgresError {
    static func onlyScratch(_ what: String) -> PostgresError {
        PostgresError(
            .unsupported, message: "a check with \"\(what)\" is only asked of a scratch server, and here is none",
            hint: "write it as a check without it: a living server is asked by the role that the estate file names")
    }
}

extension PostgresCheckContext {
    /// Whether a check is at its end since the role that it is asked as could not log in; its case has been emitted then.
    func refuses(_ role: String?, _ name: String, since start: ContinuousClock.Instant) async -> Bool {
        guard let role, let scratch else { return false }
        let row: PostgresRow?
        do throws(PostgresError) {
            row = try await connection.query(Self.admission, [role]).first
        } catch {
            await fail(.declared, name, since: start, object: role, error)
            return true
        }
        let reason: String
        switch (row, row?[0], row?[1], row?[2]) {
        case (nil, _, _, _): reason = "no such role"
        case (_, "t", "t", "t"): return false
        case (_, "t", "t", _): reason = "its connection limit is 0"
        case (_, "t", _, _): reason = "no right to connect to the database"
        default: reason = "it may not log in"
        }
        // One that Muster made in its place says nothing of the backup.
        if let lack = scratch.rolesLack {
            await fail(
                .declared, name, since: start, object: role,
                PostgresError(
                    .unsupported, message: "the check can't be asked as this role (\(reason)): \(lack)",
                    hint: "back up pg_dumpall --globals-only beside each dump, and name it as globals in the estate file"))
            return true
        }
        let finding = Finding(
            .roleRefused, object: role, expected: "a role that may log in and connect to the database", actual: reason,
            message: "the restored server does not let the role in that the check is asked as",
            hint: "check \"as\" in the drill file; if the role may log in at the source, the backup has lost it or its rights")
        await judge(.declared, name, since: start, [finding])
        return true
    }

    private static let admission = """
        SELECT rolcanlogin, pg_catalog.has_database_privilege(oid, pg_catalog.current_database(), 'CONNECT'), rolconnlimit <> 0 OR rolsuper
          FROM pg_catalog.pg_roles WHERE rolname = $1
        """
}
