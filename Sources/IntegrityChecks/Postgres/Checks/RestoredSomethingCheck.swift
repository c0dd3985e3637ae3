// Asks whether the restore really produced something.

import DrillModel
import PostgresClient

extension Rule {
    /// There is no table, or no row where there must be some.
    static let nothingRestored = Rule("nothing-restored")
    /// The seal itself says that there was nothing.
    static let nothingSealed = Rule("nothing-sealed")
}

/// An empty database satisfies many questions; this one comes first.
struct RestoredSomethingCheck: PostgresCheck {
    func run(_ context: PostgresCheckContext) async {
        let name = PostgresChecks.restoredSomething
        let start = ContinuousClock.now
        do throws(PostgresError) {
            let tables = try await context.inventory.tables()
            let mustHaveRows = context.seal.map { seal in seal.tables.contains { $0.rows > 0 } } ?? true
            var findings: [Finding] = []
            if tables.isEmpty, context.seal?.tables.isEmpty == true {
                findings.append(
                    Finding(
                        .nothingSealed, .warning, object: context.service, expected: "at least one table", actual: "none",
                        message: "the database held no tables when it was sealed", hint: "check that the right database is backed up"))
            } else if tables.isEmpty {
                findings.append(
                    finding("at least one table", "none", "the restored database has no tables", in: context))
            } else if mustHaveRows, try await !hasRows(tables, context.inventory, context.connection) {
                findings.append(
                    finding("rows", "none in \(tables.count) tables", "the restored database has tables and not a single row", in: context))
            }
            await context.judge(.restore, name, since: start, findings)
        } catch {
            await context.fail(.restore, name, since: start, object: context.service, error)
        }
    }

    private func hasRows(
        _ tables: [TableReference], _ inventory: PostgresInventory, _ connection: PostgresConnection
    ) async throws(PostgresError) -> Bool {
        try await inventory.onHeap { () async throws(PostgresError) in
            // The largest first: it answers most often.
            for table in tables.sorted(by: { $0.bytes > $1.bytes }) {
                if try await connection.value("SELECT EXISTS (SELECT FROM ONLY \(table.sql))") == "t" { return true }
            }
            return false
        }
    }

    private func finding(_ expected: String, _ actual: String, _ message: String, in context: PostgresCheckContext) -> Finding {
        Finding(
            .nothingRestored, object: context.service, expected: expected, actual: actual, message: message,
            hint: "check that the dump is of the right database and not schema-only or empty")
    }
}
