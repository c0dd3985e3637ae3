// Asks whether every object of the schema came back as it was, a case for each kind.

import DrillModel
import PostgresClient

/// The schema against the seal.
struct SchemaCheck: PostgresCheck {
    func run(_ context: PostgresCheckContext) async {
        guard let seal = context.seal else { return await context.skip(.schema, "schema", context.unsealedReason) }
        let start = ContinuousClock.now
        var sealed = seal.objects
        let found: [SchemaObject]
        let unknown: Int
        do throws(PostgresError) {
            let others = context.sealsEveryRole ? try await context.inventory.roleNames() : []
            (found, unknown) = SealedForm.known(
                to: seal.catalogue ?? 1, of: try await context.inventory.schema(comparingWith: sealed + others))
            if seal.identity.serverVersion / 10000 != context.connection.serverVersion / 10000 {
                sealed = try await context.inventory.reprinted(sealed, comparingWith: found)
            }
        } catch {
            return await context.fail(.schema, "schema", since: start, object: context.service, error)
        }
        var options = SchemaDiff.Options(
            databaseProperties: context.databasePropertiesUnproven == nil, roles: context.rolesUnproven == nil,
            majors: (seal.identity.serverVersion / 10000, context.connection.serverVersion / 10000))
        options.everyRole = context.sealsEveryRole
        let findings = Dictionary(grouping: SchemaDiff.differences(expected: sealed, actual: found, options: options), by: \.kind)
        let compared = Set((sealed + found).filter(options.compares).map(\.kind))
        for kind in SchemaObject.Kind.allCases where compared.contains(kind) {
            await context.judge(.schema, kind.plural, since: start, findings[kind]?.map(\.finding) ?? [])
        }
        if compared.isEmpty {
            await context.fail(
                .schema, "schema", since: start, object: context.service,
                PostgresError(.query, message: "neither the seal nor the database holds any object", hint: "seal the right database"))
        }
        if unknown > 0 {
            let objects = unknown == 1 ? "one object" : "\(unknown) objects"
            let reason = "\(objects) of kinds, or with properties, that the release of Muster that made the seal didn't ask for"
            await context.skip(.schema, "what the seal doesn't hold", reason)
            context.unproven("\(context.service): the schema was not compared in all: \(reason) came back.")
        }
        if let reason = context.databasePropertiesUnproven { await context.skip(.schema, "the database's own properties", reason) }
        if let reason = context.rolesUnproven { await context.skip(.schema, "roles and memberships", reason) }
    }
}

extension SchemaObject.Kind {
    /// The name of the case that asks about all objects of the kind.
    var plural: String {
        switch self {
        case .database: "database"
        case .index: "indexes"
        case .policy: "policies"
        case .materializedView: "materialized views"
        case .eventTrigger: "event triggers"
        case .roleMembership: "role memberships"
        case .statistics: "extended statistics"
        case .textSearch: "text search"
        case .foreign: "foreign data"
        case .accessMethod: "access methods"
        case .dependency: "dependencies on extensions"
        case .rolePassword: "role passwords"
        default: rawValue + "s"
        }
    }
}
