// The database that a dump is restored into: as the dump makes it, or as near to that as this machine can.

import DrillModel
import PostgresClient

extension DumpRestorer {
    /// For a script that makes none.
    func createDatabase(
        _ name: String, for script: DumpScript, identity: PostgresIdentity?, on server: ScratchPostgres
    ) async throws -> [Finding] {
        let encoding = identity?.encoding ?? script.encoding ?? "UTF8"
        if try await createDatabase(name, encoding: encoding, locale: identity, on: server) { return [] }
        try await createDatabase(name, encoding: encoding, locale: nil, on: server)
        return [localeFinding(name)]
    }

    /// Makes the database that the dump's own CREATE DATABASE could not make, and says why.
    func makeDatabase(
        _ name: String, insteadOf verdict: RestoreVerdict, script: DumpScript, identity: PostgresIdentity?, on server: ScratchPostgres
    ) async throws -> [Finding] {
        let encoding = identity?.encoding ?? script.encoding ?? "UTF8"
        guard verdict.log.isOptionTrouble else {
            try await createDatabase(name, encoding: encoding, locale: nil, on: server)
            return [localeFinding(name)]
        }
        let locale = script.collate.map { ($0, script.ctype ?? $0) }
        var findings = [
            Finding(
                .databaseOptionUnknown, .warning, object: name,
                expected: "a CREATE DATABASE that PostgreSQL \(server.binaries.major) knows",
                actual: verdict.log.problems.first { $0.text.hasSuffix("not recognized") }?.text ?? "an option that it doesn't know",
                message: """
                    the dump was made by a newer pg_dump than its server, and its CREATE DATABASE is refused there; \
                    the database was made without it, so its own rights and settings were not restored
                    """,
                hint: """
                    dump PostgreSQL \(server.binaries.major) with pg_dump \(server.binaries.major); in an emergency create the database by hand and \
                    restore into it without --create
                    """)
        ]
        if try await !createDatabase(name, encoding: encoding, collate: locale, on: server) {
            findings.append(localeFinding(name))
            try await createDatabase(name, encoding: encoding, locale: nil, on: server)
        }
        return findings
    }

    /// A dump of the database `postgres` meets the one that initdb made.
    func makeRoom(for database: String, on server: ScratchPostgres) async throws {
        guard database == "postgres" else { return }
        try await ask(server) { try await $0.execute("DROP DATABASE IF EXISTS postgres") }
    }

    /// - Returns: Whether it was made; false where this machine lacks the locale.
    @discardableResult
    private func createDatabase(
        _ name: String, encoding: String, locale: PostgresIdentity?, on server: ScratchPostgres
    ) async throws -> Bool {
        var icu = ""
        if let locale, locale.localeProvider == "icu", let name = locale.locale {
            icu = " LOCALE_PROVIDER icu ICU_LOCALE \(SQL.literal(name))"
        }
        return try await createDatabase(name, encoding: encoding, collate: locale.map { ($0.collate, $0.ctype) }, options: icu, on: server)
    }

    /// - Parameter collate: The locale by which texts sort, and that of the character classes.
    private func createDatabase(
        _ name: String, encoding: String, collate: (String, ctype: String)?, options: String = "", on server: ScratchPostgres
    ) async throws -> Bool {
        try await makeRoom(for: name, on: server)
        var sql = "CREATE DATABASE \(SQL.identifier(name)) TEMPLATE template0 ENCODING \(SQL.literal(encoding))"
        if let collate { sql += " LC_COLLATE \(SQL.literal(collate.0)) LC_CTYPE \(SQL.literal(collate.ctype))\(options)" }
        let hasLocale = collate != nil
        let statement = sql
        return try await ask(server) { connection in
            do throws(PostgresError) {
                try await connection.execute(statement)
                return true
            } catch {
                // Wrong object type, invalid value and unsupported feature: what the versions say of a locale that they lack.
                guard hasLocale, ["42809", "22023", "0A000"].contains(error.sqlState) else { throw error }
                return false
            }
        }
    }

    /// For whatever this machine can't give it.
    func createInC(_ name: String, encoding: String?, on server: ScratchPostgres) async throws {
        try await createDatabase(name, encoding: encoding ?? "UTF8", locale: nil, on: server)
    }

    func localeFinding(_ database: String) -> Finding {
        Finding(
            .localeMissing, .warning, object: database, expected: "the locale that the database was made with",
            actual: "not on this machine; C was used", message: "this machine lacks the database's locale, so sort orders were not proven",
            hint: "install it (apt-get install locales-all), here and on the host that production would recover to")
    }
}
