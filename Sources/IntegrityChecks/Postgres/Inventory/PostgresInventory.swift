// Reads what a database holds: the truth of a seal, and what a drill compares with it.

public import DrillModel
public import PostgresClient

/// Reads a database's contents, schema and identity through one session. Nothing is written, and no row leaves the server.
///
/// The parts can be read at moments of their own: a seal reads them within a `REPEATABLE READ` transaction, so that all of
/// them but the sequences describe one instant.
public struct PostgresInventory: Sendable {
    /// How much the server may be made to work.
    public struct Options: Sendable {
        /// Lets a scan use the server's parallel workers. Large tables are then read in one go, without progress within.
        public var parallelWorkers: Bool
        /// The share of time, in percent from 1 to 100, that scans may keep the server busy; 100: no pauses.
        public var loadPercent: Int
        /// The server is in recovery, or what it holds is compared with what recovery makes of it: unlogged tables count as empty, and
        /// unlogged sequences are left out.
        public var isStandby: Bool

        public init(parallelWorkers: Bool = false, loadPercent: Int = 100, isStandby: Bool = false) {
            self.isStandby = isStandby
            self.parallelWorkers = parallelWorkers
            self.loadPercent = loadPercent
        }
    }

    /// Hears the table that is being read, and how many bytes of all tables are done.
    public typealias ProgressHandler = @Sendable (_ table: String, _ completed: Int64, _ total: Int64) -> Void

    /// The session settings that what is read depends on. They are set before anything is read.
    public static let settings: [String: String] = [
        "DateStyle": "ISO, YMD",
        "IntervalStyle": "postgres",
        "TimeZone": "UTC",
        "bytea_output": "hex",
        "extra_float_digits": "1",
        "jit": "off",
        "lc_monetary": "C",
        "lc_numeric": "C",
        "quote_all_identifiers": "off",
        // With row security on, a policy would silently hide rows from the count; off, it is an error.
        "row_security": "off",
        "search_path": "",
        "statement_timeout": "0",
        "xmlbinary": "base64",
        "xmloption": "content",
    ]

    let connection: PostgresConnection
    let options: Options
    let progress: ProgressHandler

    public init(
        _ connection: PostgresConnection, options: Options = Options(), progress: @escaping ProgressHandler = { _, _, _ in }
    ) {
        self.connection = connection
        self.options = options
        self.progress = progress
    }

    /// Everything, in one pass. The sequences' low and high are the one moment that they were read at.
    ///
    /// - Parameter beforeRows: Called once all but the rows of tables has been read.
    public func truth(beforeRows: @Sendable () async throws -> Void = {}) async throws -> PostgresTruth {
        try await pin()
        let sequences = try await readSequences()
        let identity = try await readIdentity()
        let objects = try await readSchema()
        let largeObjects = try await readLargeObjects()
        let tables = try await readTables()
        let total = tables.reduce(0) { $0 + $1.bytes }
        try await beforeRows()
        var done: Int64 = 0
        var fingerprints: [TableFingerprint] = []
        for table in tables {
            fingerprints.append(try await readFingerprint(table, done: done, total: total))
            done += table.bytes
        }
        return PostgresTruth(
            identity: identity, tables: fingerprints, objects: objects, sequences: sequences, largeObjects: largeObjects,
            catalogue: CatalogQuery.version, extensionTables: try await readExtensionTables())
    }

    /// Which database it is, and where it stands.
    public func identity() async throws(PostgresError) -> PostgresIdentity {
        try await pin()
        return try await readIdentity()
    }

    /// Every object of the schema, in an order of its own, without object identifiers.
    ///
    /// - Parameter sealed: What the source held, where a copy is compared with it: the roles that mattered there are then
    ///   read even if nothing here needs them.
    public func schema(comparingWith sealed: [SchemaObject] = []) async throws(PostgresError) -> [SchemaObject] {
        try await pin()
        return try await readSchema(roles: sealed.filter { $0.kind == .role }.map(\.roleName))
    }

    /// All roles of the cluster but those that every one has, with nothing but their names: to be compared with.
    public func roleNames() async throws(PostgresError) -> [SchemaObject] {
        try await connection.query("SELECT pg_catalog.quote_ident(rolname) FROM pg_catalog.pg_roles WHERE oid >= 16384")
            .compactMap { $0[0] }.map { SchemaObject(kind: .role, name: $0, definition: "") }
    }

    /// The tables that hold rows of their own.
    public func tables() async throws(PostgresError) -> [TableReference] {
        try await pin()
        return try await readTables()
    }

    /// Row count and content hash of one table, in one scan. docs/fingerprints.md defines the hash.
    ///
    /// - Parameters:
    ///   - done: Bytes of the tables before, for progress.
    ///   - total: Bytes of all tables, for progress.
    public func fingerprint(
        _ table: TableReference, done: Int64 = 0, total: Int64? = nil
    ) async throws(PostgresError) -> TableFingerprint {
        try await pin()
        return try await readFingerprint(table, done: done, total: total ?? table.bytes)
    }

    /// Where each sequence stands: the last value handed out; of one that was never used, the one before its start.
    public func sequences() async throws(PostgresError) -> [SequenceState] {
        try await pin()
        return try await readSequences()
    }

    /// Where each sequence may stand once the log that is written by now has been replayed.
    public func sequencesOnceRecovered() async throws(PostgresError) -> [SequenceState] {
        try await pin()
        return try await readSequences(recovered: true)
    }

    /// The tables that belong to extensions, with what a dump carries of their rows.
    public func extensionTables() async throws(PostgresError) -> [ExtensionTable] {
        try await pin()
        return try await readExtensionTables()
    }

    /// Count and content hash of all large objects.
    ///
    /// - Throws: SQLSTATE `42501` where there are some, and the user may not read `pg_largeobject`.
    public func largeObjects() async throws(PostgresError) -> LargeObjectFingerprint {
        try await pin()
        return try await readLargeObjects()
    }

    /// Sets what the answers depend on. Whoever opened the session may have set anything.
    func pin() async throws(PostgresError) {
        var all = Self.settings
        if !options.parallelWorkers { all["max_parallel_workers_per_gather"] = "0" }
        let calls = all.sorted { $0.key < $1.key }.map {
            "pg_catalog.set_config(\(SQL.literal($0.key)), \(SQL.literal($0.value)), false)"
        }
        _ = try await connection.query("SELECT " + calls.joined(separator: ", "))
    }
}
