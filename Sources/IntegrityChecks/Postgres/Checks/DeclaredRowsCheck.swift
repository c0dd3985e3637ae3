// Asks the drill file's questions about row counts.

import DrillModel
import PostgresClient

extension Rule {
    static let rowsOutOfBounds = Rule("rows-out-of-bounds")
}

/// Declared bounds on a table's number of rows. Partitions and inheriting tables count, as in any query.
struct DeclaredRowsCheck: PostgresCheck {
    func run(_ context: PostgresCheckContext) async {
        for check in context.declared {
            let (role, question) = check.unwrapped
            guard case .rows(let table, let bounds) = question else { continue }
            let name = check.name
            let start = ContinuousClock.now
            if await context.refuses(role, name, since: start) { continue }
            do throws(PostgresError) {
                let count = try await DeclaredSession(context, as: role, heap: HeapReading.everyRow).ask {
                    connection throws(PostgresError) -> Int?? in
                    guard let found = try await connection.value("SELECT to_regclass($1)::text", [table]) else { return .some(nil) }
                    return try await connection.value("SELECT pg_catalog.count(*) FROM \(found)").flatMap(Int.init)
                }
                await context.judge(.declared, name, since: start, findings(table, bounds, count.flatMap { $0 }))
            } catch  where role != nil && error.sqlState == Self.denied {
                await context.judge(.declared, name, since: start, [Self.denial(table, role ?? "")])
            } catch {
                await context.fail(.declared, name, since: start, object: table, error)
            }
        }
    }

    static let denied = "42501"

    /// A role's rights are a part of what has to come back.
    static func denial(_ object: String, _ role: String) -> Finding {
        Finding(
            .roleLacksRight, object: object, expected: "an answer for \(role)", actual: "SQLSTATE \(denied)",
            message: "the role that the check is asked as may not read what the check asks for",
            hint: "if it may at the source, the backup has lost its rights, as by --no-privileges; otherwise mend \"as\" in the drill file")
    }

    private func findings(_ table: String, _ bounds: Bounds, _ count: Int?) -> [Finding] {
        guard let count else {
            return [
                Finding(
                    .tableMissing, object: table, expected: "\(bounds) rows", actual: "no such table",
                    message: "the table that the drill file asks about did not come back",
                    hint: "check its name in the drill file (schema.table), and whether the dump holds it")
            ]
        }
        if bounds.contains(count) { return [] }
        return [
            Finding(
                .rowsOutOfBounds, object: table, expected: "\(bounds) rows", actual: "\(count) rows",
                message: "the number of rows is outside of the declared bounds",
                hint: "look at how old the backup is and how it was made; if the bounds are wrong, mend the drill file")
        ]
    }
}
