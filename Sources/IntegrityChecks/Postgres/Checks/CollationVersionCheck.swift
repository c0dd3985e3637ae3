// Asks whether this machine sorts texts as the machine did that built the indexes.

import DrillModel
import PostgresClient

extension Rule {
    static let collationVersionDiffers = Rule("collation-version-differs")
}

/// The versions of collations that a database was built with, against those of this machine's C library and ICU.
///
/// A physical copy brings its text indexes as they are: where texts sort otherwise here, they are wrong. What a dump makes anew always agrees.
struct CollationVersionCheck: PostgresCheck {
    func run(_ context: PostgresCheckContext) async {
        guard case .files = context.origin else { return }
        let name = "collation versions"
        let start = ContinuousClock.now
        do throws(PostgresError) {
            var findings: [Finding] = []
            for row in try await context.connection.query(Self.question(context.connection.serverVersion)) {
                guard let collation = row["name"], let indexes = row["indexes"] else { continue }
                findings.append(
                    Finding(
                        .collationVersionDiffers, .warning, object: collation,
                        expected: "version \(row["recorded"] ?? "unknown"), as its indexes were built",
                        actual: "version \(row["actual"] ?? "unknown") on this machine",
                        message: "texts may sort otherwise here than where \(indexes) of its indexes were built, so these may miss rows",
                        hint: """
                            recover to a machine with the source's C library and ICU, or REINDEX there and then \
                            ALTER \(collation == "database" ? "DATABASE" : "COLLATION") … REFRESH \(collation == "database" ? "COLLATION " : "")VERSION
                            """))
            }
            await context.judge(.schema, name, since: start, findings)
        } catch {
            await context.fail(.schema, name, since: start, object: context.service, error)
        }
    }

    /// The database's own collation stands in an index as `default`. Only what an index uses counts.
    private static func question(_ serverVersion: Int) -> String {
        let indexes = "(SELECT count(*) FROM pg_catalog.pg_index x WHERE x.indrelid >= 16384 AND %@ = ANY (x.indcollation))"
        func used(_ oid: String) -> String { indexes.replacing("%@", with: oid) }
        let ofCollations = """
            SELECT 'collation ' || c.oid::pg_catalog.regcollation::text AS name, c.collversion AS recorded,
              pg_catalog.pg_collation_actual_version(c.oid) AS actual, \(used("c.oid")) AS indexes
            FROM pg_catalog.pg_collation c WHERE c.collversion IS NOT NULL
            """
        // Older servers record none for a database.
        let ofDatabase = """
            SELECT 'database', d.datcollversion, pg_catalog.pg_database_collation_actual_version(d.oid), \(used("100"))
            FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database() AND d.datcollversion IS NOT NULL
            """
        let all = serverVersion >= 150_000 ? "\(ofCollations) UNION ALL \(ofDatabase)" : ofCollations
        return """
            SELECT name, recorded, actual, indexes FROM (\(all)) q
            WHERE recorded IS DISTINCT FROM actual AND indexes > 0 ORDER BY name COLLATE "C"
            """
    }
}
