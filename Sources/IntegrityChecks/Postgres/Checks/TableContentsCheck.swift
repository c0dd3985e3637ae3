// Asks whether every table holds the rows that it held: count and content, from one scan of each.

import DrillModel
import PostgresClient

extension Rule {
    static let rowsDiffer = Rule("rows-differ")
    static let contentDiffers = Rule("content-differs")
    static let tableMissing = Rule("table-missing")
    static let tableExtra = Rule("table-extra")
}

/// Table fingerprints against the seal. A damaged table has exactly one critical finding here: its content is compared only
/// where its number of rows agrees.
struct TableContentsCheck: PostgresCheck {
    func run(_ context: PostgresCheckContext) async {
        guard let sealed = context.seal?.tables else {
            await context.skip(.rows, "rows against the seal", context.unsealedReason)
            await context.skip(.content, "content against the seal", context.unsealedReason)
            return
        }
        let start = ContinuousClock.now
        let inventory = context.inventory
        let found: [TableReference]
        do throws(PostgresError) {
            found = try await inventory.tables()
        } catch {
            for table in sealed { await unasked(table.name, since: start, error, in: context) }
            // Whoever asks about no table proves nothing, not even that there are none.
            if sealed.isEmpty { await context.fail(.rows, "tables", since: start, object: context.service, error) }
            return
        }
        let byName = Dictionary(found.map { (Name(schema: $0.schema, table: $0.table), $0) }) { first, _ in first }
        let total = found.reduce(0) { $0 + $1.bytes }
        var done: Int64 = 0
        for expected in sealed {
            guard let table = byName[Name(schema: expected.schema, table: expected.table)] else {
                await missing(expected, in: context)
                continue
            }
            await compare(expected, table, inventory, done: done, total: total, in: context)
            done += table.bytes
        }
        let known = Set(sealed.map { Name(schema: $0.schema, table: $0.table) })
        for table in found where !known.contains(Name(schema: table.schema, table: table.table)) { await extra(table, in: context) }
    }

    /// Two names joined by a dot could be those of two tables.
    private struct Name: Hashable {
        var schema: String
        var table: String
    }

    private func compare(
        _ expected: TableFingerprint, _ table: TableReference, _ inventory: PostgresInventory, done: Int64, total: Int64,
        in context: PostgresCheckContext
    ) async {
        let start = ContinuousClock.now
        do throws(PostgresError) {
            let actual = try await inventory.fingerprint(table, done: done, total: total)
            guard actual.rows == expected.rows else {
                await context.judge(.rows, expected.name, since: start, [rows(expected, actual)])
                return await context.skip(.content, expected.name, "its number of rows already differs")
            }
            await context.judge(.rows, expected.name, since: start, [])
            await context.judge(.content, expected.name, since: start, actual.hash == expected.hash ? [] : [content(expected)])
        } catch {
            await unasked(expected.name, since: start, error, in: context)
        }
    }

    private func unasked(
        _ table: String, since start: ContinuousClock.Instant, _ error: PostgresError, in context: PostgresCheckContext
    ) async {
        await context.fail(.rows, table, since: start, object: table, error)
        await context.skip(.content, table, "it could not be read")
    }

    private func missing(_ table: TableFingerprint, in context: PostgresCheckContext) async {
        let finding = Finding(
            .tableMissing, object: table.name, expected: "\(table.rows) rows", actual: "no such table",
            message: "the table did not come back",
            hint: "look for it in the restore's log; if the dump lacks it, check pg_dump's options and the dumping user's rights")
        await context.judge(.rows, table.name, since: .now, [finding])
        await context.skip(.content, table.name, "the table is missing")
    }

    private func extra(_ table: TableReference, in context: PostgresCheckContext) async {
        let finding = Finding(
            .tableExtra, object: table.name, expected: "no such table", actual: "a table",
            message: "the table came back and was not in the source",
            hint: "check that the backup is of the right database, and that the restore began with an empty one")
        await context.judge(.rows, table.name, since: .now, [finding])
    }

    private func rows(_ expected: TableFingerprint, _ actual: TableFingerprint) -> Finding {
        let (count, word) = (abs(expected.rows - actual.rows), expected.rows > actual.rows ? "missing" : "too many")
        return Finding(
            .rowsDiffer, object: expected.name, expected: "\(expected.rows) rows", actual: "\(actual.rows) rows",
            message: count == 1 ? "one row is \(word)" : "\(count) rows are \(word)",
            hint: "this backup does not hold what the source held: restore from an older one, and look into how this one was made")
    }

    private func content(_ expected: TableFingerprint) -> Finding {
        Finding(
            .contentDiffers, object: expected.name, expected: "the sealed content hash of \(expected.rows) rows", actual: "another hash",
            message: "the number of rows agrees, and at least one value does not",
            hint: "this backup does not hold what the source held: restore from an older one, and look into how this one was made")
    }
}
