// What stands for one living service: who it is, and what it holds, before and after.

import DrillModel
import Foundation
import IntegrityChecks
import PostgresClient
import RedisClient
import RedisRecovery

extension Rule {
    static let existingGone = Rule("existing-gone")
    static let existingRestarted = Rule("existing-restarted")
    static let existingLost = Rule("existing-lost")
    static let existingChanged = Rule("existing-changed")
}

/// One look at one server.
struct ExistingService: Sendable {
    /// More findings than these help nobody.
    static let mostFindings = 20

    /// The same for as long as the server isn't started anew, and for no other server.
    struct Identity: Sendable, Hashable {
        var server: String
        var start: String
    }

    enum Holdings: Sendable, Hashable {
        case database(Database)
        case keys(Keys)
        /// Of a living server: whether nobody can write to it. What production does with it is no business of a drill's.
        case readOnly(Bool)
    }

    struct Database: Sendable, Hashable {
        var tables: [String: TableFingerprint]
        /// Names of views, sequences and the like.
        var objects: Set<String>
        /// Where sequences stand that count upwards.
        var sequences: [String: Int64]
        var largeObjects: Int64
    }

    struct Keys: Sendable, Hashable {
        var all: Int64
        /// Without a time to live: none of them goes by itself.
        var lasting: Int64
        /// How often a whole database was emptied.
        var flushes: Int64
    }

    /// It answered, and with nothing that tells: that must not look like the same as before.
    private struct NoAnswer: Error {}

    var service: String
    var endpoint: ScratchEndpoint

    /// - Throws: ``DrillFailure`` (failed): what lived is gone.
    func identity() async throws -> Identity {
        do {
            switch endpoint {
            case .postgres(let configuration), .living(let configuration):
                let connection = try await PostgresConnection.connect(configuration)
                let row = try await connection.query(
                    "SELECT system_identifier::text, pg_postmaster_start_time()::text FROM pg_control_system()"
                ).first
                await connection.close()
                guard let server = row?[0], let start = row?[1] else { throw NoAnswer() }
                return Identity(server: server, start: start)
            case .redis(let server):
                let connection = try await server.connect()
                defer { connection.close() }
                let info = try await connection.command(["INFO", "server"]).text
                guard let id = info?.split(whereSeparator: \.isNewline).first(where: { $0.hasPrefix("run_id:") }).map(String.init) else {
                    throw NoAnswer()
                }
                return Identity(server: id, start: id)
            }
        } catch {
            if endpoint.isLiving { throw LivingDriver.gone(service) }
            throw DrillFailure.failed(
                Finding(
                    .existingGone, object: service, expected: "a server that lives through the disaster", actual: "no answer",
                    message: "the existing \(service) doesn't answer any more",
                    hint: "run again with --keep, and read its server.log: did a hook, or the application, end it?"))
        }
    }

    /// A count of what is there; of tables with a hash of their content.
    func holdings() async throws -> Holdings {
        switch endpoint {
        case .postgres(let configuration):
            let connection = try await PostgresConnection.connect(configuration)
            let inventory = PostgresInventory(connection, options: PostgresInventory.Options(parallelWorkers: true))
            var tables: [String: TableFingerprint] = [:]
            for table in try await inventory.tables() { tables[table.name] = try await inventory.fingerprint(table) }
            let database = try await Self.database(tables, connection)
            await connection.close()
            return .database(database)
        case .living(let configuration):
            let connection = try await PostgresConnection.connect(configuration)
            let isStandby = try await connection.value("SELECT pg_is_in_recovery()")
            await connection.close()
            return .readOnly(isStandby == "t")
        case .redis(let server):
            let connection = try await server.connect()
            defer { connection.close() }
            guard let info = try await connection.command(["INFO", "keyspace"]).text, info.hasPrefix("# Keyspace") else { throw NoAnswer() }
            // db0:keys=12,expires=3,avg_ttl=0
            guard let statistics = try await connection.command(["INFO", "commandstats"]).text, statistics.hasPrefix("# Commandstats")
            else { throw NoAnswer() }
            func sum(_ numbers: [Substring]) -> Int64 { numbers.reduce(0) { $0 + (Int64($1) ?? 0) } }
            let all = sum(info.matches(of: /keys=([0-9]+)/).map(\.output.1))
            return .keys(
                Keys(
                    all: all, lasting: all - sum(info.matches(of: /expires=([0-9]+)/).map(\.output.1)),
                    flushes: sum(statistics.matches(of: /cmdstat_flush(?:all|db):calls=([0-9]+)/).map(\.output.1))))
        }
    }

    /// What an application may do is to write; what it must not do is to lose.
    static func differences(_ before: Holdings, _ after: Holdings, service: String) -> [Finding] {
        switch (before, after) {
        case (.database(let before), .database(let after)):
            var findings = Self.differences(before, after)
            let after = after.tables
            for (name, old) in before.tables.sorted(by: { $0.key < $1.key }) {
                guard let new = after[name] else {
                    findings.append(lost(name, expected: "a table", actual: "none", "the restarted application took a table away"))
                    continue
                }
                if new.rows < old.rows {
                    findings.append(
                        lost(name, expected: "at least \(old.rows) rows", actual: "\(new.rows)", "rows are gone since the application runs")
                    )
                } else if new != old, new.hash != old.hash {
                    findings.append(
                        Finding(
                            .existingChanged, .note, object: name, expected: "\(old.rows) rows", actual: "\(new.rows) rows, or others",
                            message: "the table was written to since the application runs",
                            hint: "nothing to mend where the application writes to it as it starts"))
                }
            }
            return Array(findings.prefix(mostFindings))
        case (.keys(let before), .keys(let after)):
            if after.flushes > before.flushes {
                return [
                    lost(service, expected: "no flush", actual: "\(after.flushes - before.flushes)", "the application emptied the cache")
                ]
            }
            // Keys whose time has come go by themselves; all of them at once don't, and neither do those without one.
            if before.all > 0, after.all == 0 {
                return [lost(service, expected: "keys", actual: "none", "all keys are gone since the application runs")]
            }
            guard after.lasting < before.lasting else { return [] }
            // A job that was done goes; most of what is kept for good doesn't.
            if after.lasting * 2 < before.lasting {
                return [
                    lost(
                        service, expected: "most of \(before.lasting) keys without a time to live", actual: "\(after.lasting)",
                        "keys are gone since the application runs")
                ]
            }
            return [
                Finding(
                    .existingChanged, .note, object: service, expected: "\(before.lasting) keys without a time to live",
                    actual: "\(after.lasting)", message: "keys were taken away since the application runs",
                    hint: "nothing to mend where the application works off what it finds as it starts")
            ]
        case (_, .readOnly(let isReadOnly)): return isReadOnly ? [] : [LivingDriver.promoted(service)]
        default: return []
        }
    }

    private static func database(_ tables: [String: TableFingerprint], _ connection: PostgresConnection) async throws -> Database {
        let user = "c.relnamespace NOT IN (SELECT oid FROM pg_namespace WHERE nspname ~ '^pg_' OR nspname = 'information_schema')"
        let objects = try await connection.query(
            "SELECT c.oid::regclass::text FROM pg_class c WHERE c.relkind IN ('v', 'm', 'S', 'f') AND \(user)")
        let sequences = try await connection.query(
            "SELECT format('%I.%I', schemaname, sequencename), last_value::text FROM pg_sequences WHERE increment_by > 0 AND NOT cycle")
        guard let count = try await connection.value("SELECT count(*) FROM pg_largeobject_metadata"), let largeObjects = Int64(count)
        else { throw NoAnswer() }
        return Database(
            tables: tables, objects: Set(objects.compactMap { $0[0] }),
            sequences: Dictionary(
                sequences.compactMap { row in row[0].flatMap { name in row[1].flatMap(Int64.init).map { (name, $0) } } },
                uniquingKeysWith: { first, _ in first }), largeObjects: largeObjects)
    }

    /// Beside the tables.
    private static func differences(_ before: Database, _ after: Database) -> [Finding] {
        var findings = before.objects.subtracting(after.objects).sorted().map {
            lost($0, expected: "a view, a sequence or a foreign table", actual: "none", "the restarted application took it away")
        }
        for (name, value) in before.sequences.sorted(by: { $0.key < $1.key }) where after.objects.isSuperset(of: before.objects) {
            let now = after.sequences[name] ?? 0
            guard now < value else { continue }
            findings.append(
                lost(name, expected: "at least \(value)", actual: "\(now)", "a sequence was set back: the next row takes a number anew"))
        }
        if after.largeObjects < before.largeObjects {
            findings.append(
                lost(
                    "large objects", expected: "at least \(before.largeObjects)", actual: "\(after.largeObjects)",
                    "large objects are gone since the application runs"))
        }
        return findings
    }

    private static func lost(_ object: String, expected: String, actual: String, _ message: String) -> Finding {
        Finding(
            .existingLost, object: object, expected: expected, actual: actual, message: message,
            hint: "a new instance must not clear what it finds: look at what it does as it starts, migrations first")
    }
}
