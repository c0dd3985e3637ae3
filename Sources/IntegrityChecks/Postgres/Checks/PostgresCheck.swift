// What a check of a restored Postgres database is given, and the table of all checks.

public import DrillModel
public import PostgresClient

/// A question, or a family of them, that is asked of a restored database.
public protocol PostgresCheck: Sendable {
    /// Asks, and emits a case for every question. Whatever can't be asked is emitted as an error, never left out.
    func run(_ context: PostgresCheckContext) async
}

/// All checks of a Postgres database.
public enum PostgresChecks {
    /// One line a check, in the order that they are asked.
    public static let all: [any PostgresCheck] = [
        RestoredSomethingCheck(),
        IdentityCheck(),
        CollationVersionCheck(),
        KnownServerBugCheck(),
        SchemaCheck(),
        SequenceValuesCheck(),
        ColumnSequencesCheck(),
        TableContentsCheck(),
        ExtensionTablesCheck(),
        LargeObjectsCheck(),
        ConstraintsCheck(),
        DeclaredRowsCheck(),
        DeclaredQueryCheck(),
        DeclaredSealedCheck(),
        DeclaredCommandCheck(),
    ]

    /// The case that says whether anything came back.
    public static let restoredSomething = "the restore produced something"

    /// Asks every check, one after the other.
    public static func run(_ context: PostgresCheckContext) async {
        for check in all { await check.run(context) }
        await refuseOthers(context)
    }

    /// What names a database is put to that one by whoever asks: here nobody would.
    private static func refuseOthers(_ context: PostgresCheckContext) async {
        for case .inDatabase(let database, let check) in context.declared {
            await context.fail(
                .declared, check.name, since: .now, object: database,
                PostgresError(
                    .unsupported, message: "a check that names its database can't be asked of this service",
                    hint: "remove database from it: one database is asked here"))
        }
    }

    /// Asks nothing but what the drill file declares.
    public static func askDeclared(_ context: PostgresCheckContext) async {
        let checks: [any PostgresCheck] = [DeclaredRowsCheck(), DeclaredQueryCheck(), DeclaredSealedCheck(), DeclaredCommandCheck()]
        for check in checks { await check.run(context) }
        await refuseOthers(context)
    }
}

/// What a check may use.
public struct PostgresCheckContext: Sendable {
    /// How the database came here, and what is known of the server that it comes from.
    public enum Origin: Sendable, Hashable {
        /// Made anew from a dump, indexes and all. The version is the source's, as `server_version_num` has it; nil where nothing says.
        case dump(serverVersion: Int?)
        /// The source's own files, indexes and all. The version is nil where only the major one is known.
        case files(serverVersion: Int?)
    }

    /// What may be done with a server that is nobody's but the drill's.
    public struct Scratch: Sendable {
        /// Opens a session of a role with the same database.
        public var connect: @Sendable (_ role: String) async throws(PostgresError) -> PostgresConnection
        /// Runs a command beside the server, which is told of the database and the role; nil: the superuser's.
        public var run: @Sendable (CommandCheck, _ role: String?) async -> CaseResult

        /// Why its roles are not those of the source; nil where the backup brought them.
        public var rolesLack: String?

        public init(
            rolesLack: String? = nil,
            connect: @escaping @Sendable (_ role: String) async throws(PostgresError) -> PostgresConnection,
            run: @escaping @Sendable (CommandCheck, _ role: String?) async -> CaseResult
        ) {
            self.rolesLack = rolesLack
            self.connect = connect
            self.run = run
        }
    }

    /// A session with the restored database, as a superuser, opened with no settings of Muster's.
    public var connection: PostgresConnection
    public var service: String
    /// What the source held; nil where the backup has no seal.
    public var seal: PostgresTruth?
    public var origin: Origin
    /// Why there is no seal.
    public var unsealedReason: String
    public var declared: [DeclaredCheck]
    /// How the restored server is used by others than ``connection``; nil where only that may use it.
    public var scratch: Scratch?
    /// Why what belongs to the database itself (owner, rights, settings) can't be compared; nil where it can.
    public var databasePropertiesUnproven: String?
    /// Why roles can't be compared; nil where they can.
    public var rolesUnproven: String?
    /// The seal holds all roles of the cluster, and the restored server none but those: one that is not sealed is one too many.
    public var sealsEveryRole = false
    /// Which sequences the dump sets; nil where there is none, or none that tells.
    public var positions: SequencePositions?
    /// How long a declared question may take.
    public var statementTimeout: Duration
    public var inventoryOptions: PostgresInventory.Options
    public var emit: @Sendable (CaseResult) async -> Void
    /// A whole sentence for people: what was not proven.
    public var unproven: @Sendable (String) -> Void
    /// Label, completed, total; in bytes.
    public var progress: @Sendable (String, Int64, Int64?) -> Void

    public init(
        connection: PostgresConnection, service: String, seal: PostgresTruth?, origin: Origin = .dump(serverVersion: nil),
        unsealedReason: String = "not sealed",
        declared: [DeclaredCheck] = [], scratch: Scratch? = nil, databasePropertiesUnproven: String? = nil, rolesUnproven: String? = nil,
        positions: SequencePositions? = nil, statementTimeout: Duration = .seconds(600),
        inventoryOptions: PostgresInventory.Options = PostgresInventory.Options(),
        emit: @escaping @Sendable (CaseResult) async -> Void, unproven: @escaping @Sendable (String) -> Void = { _ in },
        progress: @escaping @Sendable (String, Int64, Int64?) -> Void = { _, _, _ in }
    ) {
        self.connection = connection
        self.service = service
        self.seal = seal
        self.origin = origin
        self.unsealedReason = unsealedReason
        self.declared = declared
        self.scratch = scratch
        self.databasePropertiesUnproven = databasePropertiesUnproven
        self.rolesUnproven = rolesUnproven
        self.positions = positions
        self.statementTimeout = statementTimeout
        self.inventoryOptions = inventoryOptions
        self.emit = emit
        self.unproven = unproven
        self.progress = progress
    }

    var inventory: PostgresInventory {
        let report = progress
        return PostgresInventory(connection, options: inventoryOptions) { report($0, $1, $2) }
    }

    /// A case whose verdict follows from its findings.
    func judge(_ group: CaseResult.Group, _ name: String, since start: ContinuousClock.Instant, _ findings: [Finding]) async {
        await emit(.judged(group, service: service, name: name, duration: start.duration(to: .now), findings: findings))
    }

    /// A question that nobody asked.
    func skip(_ group: CaseResult.Group, _ name: String, _ reason: String) async {
        await emit(.skipped(group, service: service, name: name, reason: reason))
    }

    /// A question that could not be asked. Where the copy's own files are to blame, that is the answer.
    func fail(
        _ group: CaseResult.Group, _ name: String, since start: ContinuousClock.Instant, object: String, _ error: PostgresError
    ) async {
        // What a dump made anew lies on this machine's own disk, and is no evidence against the backup.
        if case .files = origin, error.isStorageDamage {
            return await judge(
                group, name, since: start,
                [.storageDamaged(object, error)])
        }
        let finding = Finding(
            .notAsked, object: object, expected: "an answer", actual: error.sqlState.map { "SQLSTATE \($0)" } ?? error.kind.rawValue,
            message: error.message, hint: error.hint.isEmpty ? "look into the scratch server's log" : error.hint)
        await emit(.unasked(group, service: service, name: name, duration: start.duration(to: .now), finding: finding))
    }
}

extension Finding {
    /// What a question to a physical copy met.
    public static func storageDamaged(_ object: String, _ error: PostgresError) -> Finding {
        Finding(
            .storageDamaged, object: object, expected: "an answer", actual: error.sqlState.map { "SQLSTATE \($0)" } ?? "none",
            message: "the server calls the copy's own files damaged: \(error.message)",
            hint: "restore from an older backup, and check the source's disks")
    }
}

extension Rule {
    /// A check could not be asked.
    static let notAsked = Rule("not-asked")
    /// A check met a file, page or index that the server calls damaged.
    public static let storageDamaged = Rule("storage-damaged")
}
