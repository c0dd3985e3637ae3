// Reads the storage of a recovered database before anybody reads its rows: an index scan takes the trace of a lost page away.

public import DrillModel
import Foundation
public import PostgresClient
public import PostgresRecovery

extension Rule {
    public static let relationFileMissing = Rule("relation-file-missing")
    public static let relationFileShort = Rule("relation-file-short")
    public static let relationPageLost = Rule("relation-page-lost")
    public static let tableDamaged = Rule("table-damaged")
    public static let indexDamaged = Rule("index-damaged")
    public static let transactionStatusLost = Rule("transaction-status-lost")
}

/// What the storage of one database is asked, through SQL functions and judged by SQLSTATE.
///
/// Files first, then pages of zeros that an index leads to, then verify_heapam and bt_index_check, since the later ones don't see what the
/// earlier ones do. The extensions are made in a transaction that is rolled back: the copy stays as it came.
public struct StoragePass: Sendable {
    /// What came of it.
    public struct Outcome: Sendable {
        public var cases: [CaseResult] = []
        /// What wasn't read, in sentences without the service's name.
        public var unproven: [String] = []
    }

    /// More findings than these help nobody.
    static let mostFindings = 20
    /// Tables up to this size have all their index entries followed; of larger ones it would take longer than all the rest.
    static let small = 4 << 20

    let server: ScratchPostgres
    let service: String
    let database: String
    /// Once a cluster: what all of its databases share, and the status of its transactions.
    let isFirst: Bool

    public init(server: ScratchPostgres, service: String, database: String, isFirst: Bool) {
        self.server = server
        self.service = service
        self.database = database
        self.isFirst = isFirst
    }

    /// - Parameter connection: A session of its own, as a superuser.
    /// - Parameter progress: Bytes read, and all of them.
    public func ask(_ connection: PostgresConnection, progress: @escaping @Sendable (Int64, Int64) -> Void) async -> Outcome {
        var session: StorageSession?
        var broken: [CaseResult] = []
        let start = ContinuousClock.now
        do throws(PostgresError) {
            // A lock that a prepared transaction holds is never given up; triggers of the database's own are none of this.
            try await connection.execute(
                """
                BEGIN READ WRITE; SET LOCAL session_replication_role = replica; SET LOCAL statement_timeout = 0;
                SET LOCAL lock_timeout = '5s'; SET LOCAL client_min_messages = error
                """)
            // Without row security's and the planner's help: as few index scans as can be.
            try await connection.execute(
                "SET LOCAL row_security = off; SET LOCAL enable_indexscan = off; SET LOCAL enable_bitmapscan = off")
            session = StorageSession(pass: self, connection: connection, size: try await StorageSize.ask(connection))
            try await session?.askAll(since: start, progress: progress)
            try await connection.execute("ROLLBACK")
        } catch {
            let name = session == nil ? Self.filesCase(database) : "the storage of \(database) is read to its end"
            let finding = Finding(
                error.isStorageDamage ? .relationFileMissing : Rule("not-asked"), object: database, expected: "an answer",
                actual: error.sqlState.map { "SQLSTATE \($0)" } ?? error.kind.rawValue, message: error.message,
                hint: error.isStorageDamage ? Self.hint : error.hint.isEmpty ? "look into the scratch server's log" : error.hint)
            broken.append(
                error.isStorageDamage
                    ? .judged(.restore, service: service, name: name, duration: start.duration(to: .now), findings: [finding])
                    : .unasked(.restore, service: service, name: name, duration: start.duration(to: .now), finding: finding))
        }
        // What was found before it broke off stays found.
        var outcome = session?.outcome ?? Outcome()
        outcome.cases += broken
        return outcome
    }

    static let hint = "restore from an older backup, and check the source's own disks and whether it still has what is lost here"

    static func filesCase(_ database: String) -> String { "every relation of \(database) has its files" }
    static func pagesCase(_ database: String) -> String { "no index of \(database) leads to a lost page" }
    static func markedCase(_ database: String) -> String { "no table of \(database) without a B-tree has lost a page" }
    static func tablesCase(_ database: String) -> String { "every table of \(database) is whole (verify_heapam)" }
    static func indexesCase(_ database: String) -> String { "every B-tree of \(database) agrees with its table (bt_index_check)" }
    static let statusCase = "the status of every transaction is there"
}
