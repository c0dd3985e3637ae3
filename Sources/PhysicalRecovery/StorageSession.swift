// The storage pass over one database, step by step in one transaction.

import DrillModel
import Foundation
import PostgresClient
import PostgresRecovery

/// What one pass has found so far. A relation that is found damaged is asked nothing more: one damage is one finding.
struct StorageSession {
    private let pass: StoragePass
    private let connection: PostgresConnection
    private let size: StorageSize
    private(set) var outcome = StoragePass.Outcome()
    private var relations: [StorageRelation] = []
    /// By their OIDs: those that are known to be damaged, and those that another database's pass reads.
    private var done: Set<String> = []
    private var unread: [String] = []

    init(pass: StoragePass, connection: PostgresConnection, size: StorageSize) {
        self.pass = pass
        self.connection = connection
        self.size = size
    }

    private var database: String { pass.database }

    mutating func askAll(
        since start: ContinuousClock.Instant, progress: @Sendable (Int64, Int64) -> Void
    ) async throws(PostgresError) {
        if pass.isFirst { try await askStatus() }
        relations = try await StorageRelation.all(connection, dataFolder: pass.server.dataFolder, size: size)
        if !pass.isFirst { done.formUnion(relations.filter(\.isShared).map(\.oid)) }
        let hints = askFiles(since: start)
        try await connection.execute("SAVEPOINT muster")
        if let schema = try await make("pageinspect") {
            try await askPages(hints: hints, schema: schema)
        } else {
            leaveOut(StoragePass.pagesCase(database), "pageinspect")
            leaveOut(StoragePass.markedCase(database), "pageinspect")
            judge(hints: hints.filter { !done.contains($0.oid) }, why: "pageinspect is not on this machine")
        }
        if let schema = try await make("amcheck") {
            try await askTables(schema: schema, progress: progress)
            try await askIndexes(schema: schema)
        } else {
            leaveOut(StoragePass.tablesCase(database), "amcheck")
            leaveOut(StoragePass.indexesCase(database), "amcheck")
        }
        sayWhatWasNotRead()
    }

    // MARK: - The extensions

    /// - Returns: The schema of its functions, as it stands in SQL; nil where this machine hasn't got it.
    private func make(_ name: String) async throws(PostgresError) -> String? {
        // Their functions have been what is asked here since 14.
        guard connection.serverVersion >= 140_000,
            try await connection.value("SELECT count(*) FROM pg_catalog.pg_available_extensions WHERE name = $1", [name]) == "1"
        else { return nil }
        do throws(PostgresError) {
            let there = "SELECT count(*) FROM pg_catalog.pg_extension WHERE extname = $1"
            if try await connection.value(there, [name]) == "1" {
                try await connection.execute("ALTER EXTENSION \(name) UPDATE")
            } else {
                try await connection.execute("CREATE SCHEMA muster_\(name); CREATE EXTENSION \(name) SCHEMA muster_\(name)")
            }
            let schema = try await connection.value(
                """
                SELECT n.nspname FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
                WHERE e.extname = $1
                """, [name])
            try await connection.execute("RELEASE muster; SAVEPOINT muster")
            return schema.map(SQL.identifier)
        } catch {
            guard error.kind == .query, !error.isStorageDamage else { throw error }
            try await connection.execute("ROLLBACK TO muster")
            return nil
        }
    }

    private mutating func leaveOut(_ name: String, _ extensionName: String) {
        let why =
            connection.serverVersion >= 140_000
            ? "the extension \(extensionName) can't be had here: install postgresql-contrib of the cluster's version"
            : "\(extensionName) can't ask this before PostgreSQL 14"
        outcome.cases.append(.skipped(.restore, service: pass.service, name: name, reason: why))
        outcome.unproven.append("\(name): \(why).")
    }

    // MARK: - Transactions

    /// A transaction's status that is gone makes its rows vanish without a word, wherever no reader has marked them yet.
    private mutating func askStatus() async throws(PostgresError) {
        let start = ContinuousClock.now
        let row = try await connection.query(
            """
            SELECT pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())::text,
              (SELECT pg_catalog.max(pg_catalog.age(datfrozenxid)) FROM pg_catalog.pg_database),
              (SELECT pg_catalog.string_agg(f, ' ') FROM pg_catalog.pg_ls_dir('pg_xact') f)
            """
        ).first
        guard let next = row?[0].flatMap({ Int($0) }), let age = row?[1].flatMap({ Int($0) }) else { return }
        let names = Set((row?[2] ?? "").split(separator: " ").map(String.init))
        // One file holds 2^20 of them. The newest may not have been written yet.
        let needed = (max(3, next - age) >> 20)..<(next >> 20)
        var findings: [Finding] = needed.compactMap { number in
            let digits = String(number & 0xFFF, radix: 16, uppercase: true)
            let name = String(repeating: "0", count: 4 - digits.count) + digits
            let file = pass.server.dataFolder.appendingPathComponent("pg_xact/\(name)").path
            guard !names.contains(name) || StorageRelation.fileSize(file) == 0 else { return nil }
            return Finding(
                .transactionStatusLost, object: "pg_xact/\(name)", expected: "the status of 1,048,576 transactions",
                actual: names.contains(name) ? "an empty file" : "no such file",
                message: "which of these transactions were committed is lost, and with it rows that nobody had read since",
                hint: StoragePass.hint)
        }
        // Behind 2^32 a row's own number doesn't say any more which transaction it is of.
        if findings.isEmpty, next < 1 << 32 {
            let aborted = try await connection.value(
                """
                SELECT pg_catalog.count(*) FROM (
                  SELECT xmin::text::bigint AS x FROM pg_catalog.pg_class UNION SELECT xmin::text::bigint FROM pg_catalog.pg_attribute
                  UNION SELECT xmin::text::bigint FROM pg_catalog.pg_type UNION SELECT xmin::text::bigint FROM pg_catalog.pg_database) q
                WHERE x > 2 AND x < \(next) AND pg_catalog.pg_xact_status(x::text::pg_catalog.xid8) = 'aborted'
                """)
            if let aborted, aborted != "0" {
                findings.append(
                    Finding(
                        .transactionStatusLost, object: "pg_xact", expected: "visible rows of committed transactions",
                        actual: "\(aborted) transactions of visible rows stand there as aborted",
                        message: "the record of what was committed is damaged: rows that nobody had read since are gone without an error",
                        hint: StoragePass.hint))
            }
        }
        judge(StoragePass.statusCase, since: start, findings)
    }

    // MARK: - Files

    /// - Returns: Relations that are shorter than the catalogue recorded, which proves nothing by itself.
    private mutating func askFiles(since start: ContinuousClock.Instant) -> [StorageRelation] {
        var findings: [Finding] = []
        var hints: [StorageRelation] = []
        if pass.isFirst {
            findings += SegmentFiles.unreachable(in: pass.server.dataFolder, size: size).map { path in
                Finding(
                    .relationFileMissing, object: path, expected: "a whole segment before it", actual: "none, or a shorter one",
                    message: "a segment of a relation is missing or cut short, and no server reads what lies behind it",
                    hint: StoragePass.hint)
            }
        }
        for relation in relations where !done.contains(relation.oid) {
            guard let bytes = relation.bytes else {
                findings.append(
                    Finding(
                        .relationFileMissing, object: relation.title, expected: "the file \(relation.path)", actual: "no such file",
                        message: "the file of \(words(relation)) is missing", hint: StoragePass.hint))
                finish(relation)
                continue
            }
            // No index and no sequence is ever without its first page; but one that CONCURRENTLY began and gave up may be.
            let isBuilt = relation.isValid && ["btree", "hash", "gist", "gin", "spgist", "brin"].contains(relation.method)
            let wants = isBuilt || relation.kind == "S"
            if bytes < size.block, wants {
                findings.append(
                    Finding(
                        .relationFileShort, object: relation.title, expected: "at least one page in \(relation.path)",
                        actual: "\(bytes) bytes", message: "the file of \(words(relation)) is empty", hint: StoragePass.hint))
                finish(relation)
            } else if !relation.isUnlogged, relation.recordedPages > relation.pages(size) {
                hints.append(relation)
            }
        }
        judge(StoragePass.filesCase(database), since: start, findings)
        return hints
    }

    /// What goes with a damaged relation has no finding of its own.
    private mutating func finish(_ relation: StorageRelation) {
        done.insert(relation.oid)
        if let owner = relation.owner { done.insert(owner.oid) }
        if relation.kind != "i" { done.formUnion(relations.filter { $0.table == relation.oid }.map(\.oid)) }
    }

    private func words(_ relation: StorageRelation) -> String {
        switch relation.kind {
        case "i": "an index"
        case "S": "a sequence"
        case "t": "a table's long values (TOAST)"
        case "m": "a materialized view"
        default: "a table"
        }
    }

    /// Where nothing leads to a table's pages, only the size that was recorded once tells.
    private mutating func judge(hints: [StorageRelation], why: String) {
        guard !hints.isEmpty else { return }
        let findings = hints.map { relation in
            let pages = relation.pages(size)
            // The statistics of another server can come with a dump since 18. A whole segment that is gone is no coincidence.
            let isCertain =
                relation.isHeap && pages == 0 && connection.serverVersion < 180_000
                || pages > 0 && (relation.bytes ?? 0).isMultiple(of: size.segment)
            return Finding(
                .relationFileShort, isCertain ? .critical : .warning, object: relation.title,
                expected: "\(relation.recordedPages) pages, as its last vacuum recorded", actual: "\(pages) pages",
                message: "\(words(relation)) is shorter than it was, and \(why)",
                hint: "count its rows in the drill, and compare with the source")
        }
        for relation in hints { done.insert(relation.oid) }
        judge("no relation of \(database) is shorter than recorded", since: .now, findings)
    }

    // MARK: - From the index to the table

    /// A page of zeros is no damage: a crash leaves some, and a COPY does. One that an index leads to is; without an index, one that is
    /// marked in the visibility map.
    private mutating func askPages(hints: [StorageRelation], schema: String) async throws(PostgresError) {
        let start = ContinuousClock.now
        let isCertain = try await VisibilityMap.isCertain(connection)
        var findings: [Finding] = []
        var byMap: [Finding] = []
        var untold: [StorageRelation] = []
        var zeros = 0
        var unled: [String] = []
        for table in relations where table.isHeap && !done.contains(table.oid) {
            let isHinted = hints.contains { $0.oid == table.oid }
            var asked = table
            do throws(PostgresError) {
                // The map first: a page that is marked in it was written before.
                var marked = try await map(of: table, schema)
                var empty = try await zeroPages(table, schema)
                let isLess = marked.map { $0.end > table.pages(size) } ?? false
                guard isHinted || isLess || !empty.isEmpty || (table.bytes ?? 0) <= StoragePass.small else { continue }
                guard let index = guide(to: table) else {
                    var lost = marked?.lost(empty, pages: table.pages(size)) ?? []
                    if !lost.isEmpty {
                        // Once more under a lock, which is kept: autovacuum may have shortened it in between.
                        try await connection.execute("SELECT FROM ONLY \(table.name) LIMIT 0")
                        marked = try await map(of: table, schema)
                        empty = try await zeroPages(table, schema)
                        lost = marked?.lost(empty, pages: try await pages(of: table)) ?? []
                    }
                    if !lost.isEmpty {
                        byMap.append(finding(table, lost, isCertain: isCertain))
                        finish(table)
                    } else if isHinted {
                        untold.append(table)
                    } else if !empty.isEmpty {
                        zeros += empty.count
                        unled.append(table.name)
                    }
                    continue
                }
                asked = index
                var (entries, pages) = try await dangling(from: index, to: table, empty: empty, schema)
                guard entries > 0 else { continue }
                // Autovacuum may have written in between: what is lost is lost the second time, too.
                empty = try await zeroPages(table, schema)
                (entries, pages) = try await dangling(from: index, to: table, empty: empty, schema)
                guard entries > 0 else { continue }
                findings.append(
                    Finding(
                        .relationPageLost, object: table.title, expected: "a page wherever \(index.name) leads to",
                        actual: "\(entries) entries lead to \(pages == 1 ? "a page" : "\(pages) pages") of zeros or behind its end",
                        message: "rows of \(words(table)) are lost, and its index still lists them", hint: StoragePass.hint))
                finish(table)
            } catch {
                try await note(error, asked, asked.kind == "i" ? .indexDamaged : .tableDamaged, &findings)
            }
        }
        judge(StoragePass.pagesCase(database), since: start, findings)
        judge(StoragePass.markedCase(database), since: start, byMap)
        judge(hints: untold, why: "no B-tree tells what it should hold")
        if zeros > 0 {
            outcome.unproven.append(
                "\(zeros == 1 ? "1 page" : "\(zeros) pages") of zeros in tables of \(database) that no B-tree leads to may never have held a row, or have lost them: "
                    + "\(Self.list(unled))."
            )
        }
    }

    private func finding(_ table: StorageRelation, _ lost: [Int], isCertain: Bool) -> Finding {
        Finding(
            .relationPageLost, isCertain ? .critical : .warning, object: table.title,
            expected: "a page wherever one is marked in its visibility map",
            actual: "\(lost.count == 1 ? "a page is" : "\(lost.count) pages are") of zeros or behind its end, from page \(lost[0]) on",
            message: "pages of \(words(table)) that were written once are \(isCertain ? "" : "perhaps ")lost, and the rows that they held",
            hint: isCertain
                ? StoragePass.hint
                : "count its rows in the drill, and compare with the source: without page checksums an incremental backup can bring marks that are out of date"
        )
    }

    /// - Returns: nil where it can't be read: a server clears such a map, and loses nothing by that.
    private mutating func map(of table: StorageRelation, _ schema: String) async throws(PostgresError) -> VisibilityMap? {
        do throws(PostgresError) {
            return try await VisibilityMap(table, schema: schema, size: size, connection)
        } catch {
            guard error.isStorageDamage else { throw error }
            try await connection.execute("ROLLBACK TO muster")
            unread.append("the visibility map of \(table.title)")
            return nil
        }
    }

    private func pages(of table: StorageRelation) async throws(PostgresError) -> Int {
        let bytes = try await connection.value("SELECT pg_catalog.pg_relation_size($1::pg_catalog.oid::pg_catalog.regclass)", [table.oid])
        return bytes.flatMap { Int($0) }.map { $0 / size.block } ?? 0
    }

    /// A page's header says where its rows begin (`pd_upper`, bytes 14 and 15): nowhere, on a page of zeros. Cut out of the page, it costs a quarter less than what
    /// page_header() does.
    private func zeroPages(_ table: StorageRelation, _ schema: String) async throws(PostgresError) -> [Int] {
        try await connection.query(
            """
            SELECT b FROM pg_catalog.generate_series(0, pg_catalog.pg_relation_size($2::pg_catalog.oid::pg_catalog.regclass) / \(size.block) - 1) b
            WHERE pg_catalog.substr(\(schema).get_raw_page($1, 'main', b), 15, 2) = '\\x0000'::pg_catalog.bytea
            """, [table.name, table.oid]
        ).compactMap { $0[0].flatMap { Int($0) } }
    }

    /// The smallest B-tree that covers the whole table.
    private func guide(to table: StorageRelation) -> StorageRelation? {
        relations.filter { $0.table == table.oid && $0.isTree && $0.isValid && !$0.isPartial && !done.contains($0.oid) }
            .min { ($0.bytes ?? 0) < ($1.bytes ?? 0) }
    }

    /// Entries of an index that lead to nothing, those that are flagged dead among them: an index scan may have flagged them.
    private func dangling(
        from index: StorageRelation, to table: StorageRelation, empty: [Int], _ schema: String
    ) async throws(PostgresError) -> (entries: Int, pages: Int) {
        // The first item of a page with a right neighbour is its high key, which leads nowhere.
        let row = try await connection.query(
            """
            SELECT pg_catalog.count(*), pg_catalog.count(DISTINCT block) FROM (
              SELECT (t.tid::text::pg_catalog.point)[0]::bigint AS block
              FROM pg_catalog.generate_series(1, pg_catalog.pg_relation_size($3::pg_catalog.oid::pg_catalog.regclass) / \(size.block) - 1) b
              CROSS JOIN LATERAL \(schema).bt_page_stats($1, b) s CROSS JOIN LATERAL \(schema).bt_page_items($1, b) i
              CROSS JOIN LATERAL pg_catalog.unnest(coalesce(i.tids, ARRAY[i.htid])) t(tid)
              WHERE s.type IN ('l', 'r') AND s.btpo_level = 0 AND NOT (s.btpo_next <> 0 AND i.itemoffset = 1)) e
            WHERE block = ANY ($2::bigint[])
              OR block >= (SELECT pg_catalog.pg_relation_size($4::pg_catalog.oid::pg_catalog.regclass) / \(size.block))
            """, [index.name, "{\(empty.map(String.init).joined(separator: ","))}", index.oid, table.oid]
        ).first
        return (row?[0].flatMap { Int($0) } ?? 0, row?[1].flatMap { Int($0) } ?? 0)
    }

    // MARK: - amcheck

    private mutating func askTables(schema: String, progress: @Sendable (Int64, Int64) -> Void) async throws(PostgresError) {
        let start = ContinuousClock.now
        let tables = relations.filter { $0.isHeap && !done.contains($0.oid) }
        let total = Int64(tables.reduce(0) { $0 + ($1.bytes ?? 0) })
        var read: Int64 = 0
        var findings: [Finding] = []
        for table in tables {
            progress(read, total)
            read += Int64(table.bytes ?? 0)
            do throws(PostgresError) {
                let rows = try await connection.query(
                    """
                    SELECT blkno, offnum, msg, pg_catalog.count(*) OVER () AS n
                    FROM \(schema).verify_heapam($1::pg_catalog.oid::pg_catalog.regclass, check_toast => true) LIMIT 1
                    """, [table.oid])
                guard let first = rows.first else { continue }
                let many = first["n"].flatMap { Int($0) } ?? 1
                findings.append(
                    Finding(
                        .tableDamaged, object: table.title, expected: "pages, rows and long values that fit together",
                        actual: "block \(first["blkno"] ?? "?"): \(first["msg"] ?? "")" + (many > 1 ? ", and \(many - 1) more" : ""),
                        message: "verify_heapam finds \(words(table)) damaged", hint: StoragePass.hint))
                finish(table)
            } catch {
                try await note(error, table, .tableDamaged, &findings)
            }
        }
        progress(total, total)
        judge(StoragePass.tablesCase(database), since: start, findings)
    }

    private mutating func askIndexes(schema: String) async throws(PostgresError) {
        let start = ContinuousClock.now
        var findings: [Finding] = []
        for index in relations where index.isTree && index.isValid && !done.contains(index.oid) {
            guard index.sortsAlike else {
                unread.append("\(index.name) (built where texts may sort otherwise)")
                continue
            }
            // To look for an expression's entries is to compute it: by code of the database's own, under another search path.
            if index.runsOwnCode { unread.append("the entries of \(index.name) (they come from a function of the database's own)") }
            let heap = index.runsOwnCode ? "false" : "true"
            let unique = connection.serverVersion >= 170_000 ? ", checkunique => \(heap)" : ""
            do throws(PostgresError) {
                _ = try await connection.query(
                    "SELECT \(schema).bt_index_check($1::pg_catalog.oid::pg_catalog.regclass, heapallindexed => \(heap)\(unique))",
                    [index.oid])
            } catch {
                try await note(error, index, .indexDamaged, &findings)
            }
        }
        judge(StoragePass.indexesCase(database), since: start, findings)
    }

    // MARK: - Answers

    /// By the code alone: what speaks of storage is a finding, a lost session ends the pass, and anything else was not asked.
    private mutating func note(
        _ error: PostgresError, _ relation: StorageRelation, _ rule: Rule, _ findings: inout [Finding]
    ) async throws(PostgresError) {
        guard error.kind == .query else { throw error }
        try await connection.execute("ROLLBACK TO muster")
        guard error.isStorageDamage else {
            unread.append("\(relation.title) (\(error.message))")
            return
        }
        findings.append(
            Finding(
                rule, object: relation.title, expected: "\(words(relation)) that can be read to its end",
                actual: error.sqlState.map { "SQLSTATE \($0)" } ?? "", message: error.message, hint: StoragePass.hint))
        finish(relation)
    }

    private mutating func judge(_ name: String, since start: ContinuousClock.Instant, _ findings: [Finding]) {
        var shown = Array(findings.prefix(StoragePass.mostFindings))
        if let first = findings.first, findings.count > shown.count {
            shown.append(
                Finding(
                    first.rule, object: "\(findings.count - shown.count) more relations", expected: "no damaged relation",
                    actual: "\(findings.count) in all", message: "more relations of \(database) are damaged", hint: StoragePass.hint))
        }
        outcome.cases.append(
            .judged(.restore, service: pass.service, name: name, duration: start.duration(to: .now), findings: shown))
    }

    private static func list(_ names: [String]) -> String {
        names.prefix(5).joined(separator: ", ") + (names.count > 5 ? " and \(names.count - 5) more" : "")
    }

    private mutating func sayWhatWasNotRead() {
        let others = relations.filter { $0.kind == "i" && !$0.isTree && !done.contains($0.oid) && $0.method != "" }.map(\.name)
        if !others.isEmpty { outcome.unproven.append("indexes of \(database) that are no B-trees were not read: \(Self.list(others)).") }
        let foreign = relations.filter { ["r", "m"].contains($0.kind) && !$0.isHeap }.map(\.name)
        if !foreign.isEmpty { outcome.unproven.append("tables of \(database) that are no heaps were not read: \(Self.list(foreign)).") }
        let invalid = relations.filter { $0.isTree && !$0.isValid }.map(\.name)
        if !invalid.isEmpty { outcome.unproven.append("invalid indexes of \(database) were not read: \(Self.list(invalid)).") }
        if !unread.isEmpty { outcome.unproven.append("the storage of these was not read in \(database): \(Self.list(unread)).") }
        let large = relations.filter { $0.isHeap && ($0.bytes ?? 0) > StoragePass.small }.count
        if large > 0 {
            outcome.unproven.append(
                "of \(large == 1 ? "one table" : "\(large) tables") of \(database) beyond 4 MB the index entries were not followed one by one: rows that their files lost and left "
                    + "no trace of (no page of zeros, no shorter file than recorded) show in a declared count alone.")
        }
    }
}
