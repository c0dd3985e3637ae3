// Asks whether the rows in extensions' tables came back, and names those that no dump can bring.

import DrillModel
import PostgresClient

extension Rule {
    static let extensionRowsNotDumped = Rule("extension-rows-not-dumped")
}

/// Tables of extensions against the seal, a case for each extension.
struct ExtensionTablesCheck: PostgresCheck {
    func run(_ context: PostgresCheckContext) async {
        guard let seal = context.seal else { return }
        let start = ContinuousClock.now
        let found: [ExtensionTable]
        let extensions: [String: String]
        do throws(PostgresError) {
            found = try await context.inventory.extensionTables()
            let rows = try await context.connection.query("SELECT extname, extversion FROM pg_catalog.pg_extension")
            extensions = Dictionary(rows.map { ($0[0] ?? "", $0[1] ?? "") }) { first, _ in first }
        } catch {
            guard seal.extensionTables?.isEmpty == false else { return }
            return await context.fail(.content, "rows of extensions' tables", since: start, object: context.service, error)
        }
        guard let sealed = seal.extensionTables else {
            guard !found.isEmpty else { return }
            let reason = "the seal is of an earlier release of Muster and holds none of them"
            await context.skip(.content, "rows of extensions' tables", reason)
            return context.unproven("\(context.service): rows of tables that belong to extensions were not compared: \(reason).")
        }
        for (name, tables) in Dictionary(grouping: sealed, by: \.extension).sorted(by: { $0.key < $1.key }) {
            let title = "tables of extension \(name)"
            guard let version = extensions[name] else {
                await context.skip(.content, title, "the extension is not there")
                continue
            }
            var findings: [Finding] = []
            for table in tables {
                let other = found.first { $0.extension == name && $0.schema == table.schema && $0.table == table.table }
                let difference = Self.difference(table, other, version: version)
                findings += difference.findings
                difference.unproven.map { context.unproven("\(context.service): \($0)") }
            }
            await context.judge(.content, title, since: start, findings)
        }
    }

    /// What of a table didn't come back, and what nobody can tell.
    static func difference(
        _ sealed: ExtensionTable, _ found: ExtensionTable?, version: String
    ) -> (findings: [Finding], unproven: String?) {
        // Another version may have other columns and make other rows.
        let isSameVersion = sealed.version == version
        let rest = sealed.rest?.count ?? 0
        guard let found else {
            let count = (sealed.dumped?.count ?? 0) + rest
            guard count > 0 else { return ([], nil) }
            return ([missing(sealed, count, isSameVersion: isSameVersion)], nil)
        }
        var findings: [Finding] = []
        if let dumped = sealed.dumped, dumped.count > 0 || found.dumped?.count ?? 0 > 0, dumped != found.dumped {
            findings.append(changed(sealed, dumped, found.dumped, isSameVersion: isSameVersion))
        }
        let carried =
            "rows of \(sealed.name) belong to extension \(sealed.extension), which doesn't mark them for dumping: no dump holds them"
        guard let old = sealed.rest else { return (findings, "\(carried), and the sealing user may not read them.") }
        guard old.count > 0 || isSameVersion && found.rest?.count ?? 0 > 0, old != found.rest else { return (findings, nil) }
        let count = old.count == 1 ? "one row" : "\(old.count) rows"
        guard isSameVersion else { return (findings, "\(count) of \(sealed.name) were not compared, since \(carried).") }
        findings.append(
            Finding(
                .extensionRowsNotDumped, .warning, object: sealed.name, expected: "\(count), as in the source",
                actual: "what CREATE EXTENSION makes: \(found.rest?.count ?? 0) rows, not the same",
                message:
                    "the source's table of extension \(sealed.extension) holds other rows than it makes itself, and no dump holds those",
                hint:
                    "note what was changed in it, and do it again after a recovery; or let the extension mark it (pg_extension_config_dump)"
            ))
        return (findings, "\(carried), and the source had others than the extension makes itself.")
    }

    private static func missing(_ table: ExtensionTable, _ count: Int64, isSameVersion: Bool) -> Finding {
        Finding(
            .tableMissing, isSameVersion ? .critical : .warning, object: table.name, expected: "\(count) rows", actual: "no such table",
            message: isSameVersion
                ? "the table was made a part of extension \(table.extension), whose script doesn't make it: no dump holds it"
                : "extension \(table.extension) has no such table in the version that is installed here",
            hint: isSameVersion
                ? "in the source: ALTER EXTENSION \(table.extension) DROP TABLE \(table.name), and dump again"
                : "install the source's version of the extension on the machine that you would recover to")
    }

    private static func changed(
        _ table: ExtensionTable, _ expected: ExtensionTable.Rows, _ actual: ExtensionTable.Rows?, isSameVersion: Bool
    ) -> Finding {
        let isCount = expected.count != actual?.count ?? 0
        return Finding(
            isCount ? .rowsDiffer : .contentDiffers, isSameVersion ? .critical : .warning, object: table.name,
            expected: isCount ? "\(expected.count) rows" : "the sealed content hash of \(expected.count) rows",
            actual: isCount ? "\(actual?.count ?? 0) rows" : "another hash",
            message: "rows that extension \(table.extension) marks for dumping came back otherwise",
            hint: isSameVersion
                ? "this backup does not hold what the source held: restore from an older one, and look into how this one was made"
                : "install the source's version of the extension (\(table.version)) on the machine that you would recover to")
    }
}
