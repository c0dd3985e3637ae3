// One question to the system catalogue, and the table of all of them.

import DrillModel
import PostgresClient

/// A query that lists all objects of one kind: a column `name`, and a column `definition` of one property a line.
struct CatalogQuery: Sendable {
    /// What a query depends on.
    struct Server: Sendable {
        /// As `server_version_num` has it.
        var version: Int
        /// Roles that are read whether this database needs them or not.
        var roles: [String]
        /// Whether who asks may know which roles have a password.
        var showsPasswords = false
    }

    /// Counts the changes of what is asked. A seal says which it was asked by: ``SealedForm`` knows what each has brought.
    static let version = 3

    var kind: SchemaObject.Kind
    var sql: @Sendable (Server) -> String

    init(_ kind: SchemaObject.Kind, _ sql: @escaping @Sendable (Server) -> String) {
        self.kind = kind
        self.sql = sql
    }

    /// Every kind of object that is compared: one line a query.
    static let all: [CatalogQuery] = [
        .database, .schemas, .extensions, .languages,
        .enums, .domains, .composites, .ranges, .baseTypes, .collations,
        .tables, .columns, .tunedColumns, .defaults, .partitions, .constraints, .indexes, .statistics,
        .views, .materializedViews, .rules,
        .functions, .aggregates, .triggers, .partitionTriggers, .eventTriggers, .policies, .dependencies,
        .sequences, .publications, .casts, .operators, .operatorClasses, .operatorFamilies, .textSearch, .textSearchParts,
        .accessMethods, .conversions, .transforms,
        .foreignWrappers, .foreignServers, .userMappings, .foreignTables,
        .owners, .grants, .changedGrants, .columnGrants, .parameterGrants, .defaultPrivileges,
        .comments, .databaseComments, .roleComments,
        .roles, .rolePasswords, .roleMemberships, .settings,
    ]
}

extension PostgresInventory {
    func readSchema(roles: [String] = []) async throws(PostgresError) -> [SchemaObject] {
        let showsPasswords = try await connection.value("SELECT has_table_privilege('pg_catalog.pg_authid', 'SELECT')") == "t"
        let server = CatalogQuery.Server(version: connection.serverVersion, roles: roles, showsPasswords: showsPasswords)
        var objects: [SchemaObject] = []
        for query in CatalogQuery.all {
            let rows = try await connection.query(
                "SELECT name, definition FROM (\(query.sql(server))) q ORDER BY name COLLATE \"C\", definition COLLATE \"C\""
            )
            for row in rows {
                guard let name = row["name"] else {
                    throw PostgresError(
                        .unsupported, message: "an object of kind \(query.kind.rawValue) has no name", hint: "report this as a defect")
                }
                objects.append(SchemaObject(kind: query.kind, name: name, definition: row["definition"] ?? ""))
            }
        }
        return objects
    }
}
