// A living database that an application is started against: proven to be one that nobody can write to, and asked the drill's own checks.

import BackupAccess
import BackupCatalog
import DrillEngine
import DrillModel
import Foundation
import IntegrityChecks
import PostgresClient
import ScratchHost

extension Rule {
    static let existingNotReadOnly = Rule("existing-not-read-only")
    static let existingRoleTooStrong = Rule("existing-role-too-strong")
    static let existingUnreachable = Rule("existing-unreachable")
}

/// Stands for one service by itself. Nothing is made, and nothing is changed.
struct LivingDriver: ServiceDriver {
    let service: String
    private let living: SourceConnection
    private let plan: DrillPlan
    private let host: ScratchHost

    /// The living server itself, in every step.
    struct Retrieved: StepOutcome {
        var server: PostgresConfiguration
        var detail: String { "nothing is fetched: the living server stands for itself" }
    }

    struct Restored: StepOutcome {
        var server: PostgresConfiguration
        var detail: String { "nothing is restored: the living server is only read" }
    }

    init(_ living: SourceConnection, recovery: Recovery, plan: DrillPlan, host: ScratchHost) {
        service = recovery.service
        self.living = living
        self.plan = plan
        self.host = host
    }

    func identify(before disaster: Date) async throws -> Identified<PostgresConfiguration> {
        let configuration = try SourceAccess.configuration(living, of: service, database: nil, in: plan.estate)
        let size = try await ask(configuration)
        let point = RecoveryPoint(
            service: service, backup: Recovery.livingName, store: "living", zone: nil, path: "the living server",
            location: host.folder.url, size: size, time: disaster, timeSource: .sameAsLive, sealState: .missing)
        let cases = ["the living server is a standby that nobody can write to", "the role that reads in it can do nothing else"].map {
            CaseResult.judged(.quarantine, service: service, name: $0, findings: [])
        }
        return Identified(
            points: [point], worstCase: nil, cases: cases, detail: "the living server, a standby that is only read", context: configuration)
    }

    func retrieve(_ point: RecoveryPoint, of server: PostgresConfiguration, _ attempt: Attempt) async throws -> Retrieved {
        attempt.log.fact("living", living.host)
        attempt.log.unproven(
            "\(service): the application is started against the living server: no backup of it is proven by this drill.")
        return Retrieved(server: server)
    }

    func restore(_ retrieved: Retrieved, _ attempt: Attempt) async throws -> Restored { Restored(server: retrieved.server) }

    func verify(_ restored: Restored, _ attempt: Attempt) async throws -> Verified<ServiceProvision> {
        let connection: PostgresConnection
        do {
            connection = try await PostgresConnection.connect(restored.server)
        } catch {
            throw Self.gone(service)
        }
        let tally = CaseTally(attempt.log)
        let (own, others) = Self.parted(plan.checks[service] ?? [])
        await PostgresChecks.askDeclared(context(connection, own, tally))
        await connection.close()
        for (database, checks) in others.sorted(by: { $0.key < $1.key }) { try await ask(checks, in: database, tally) }
        return Verified(detail: tally.summary, provision: .server(.living(restored.server)))
    }

    /// Those that name no database, and the others by the one that they name.
    private static func parted(_ declared: [DeclaredCheck]) -> (own: [DeclaredCheck], others: [String: [DeclaredCheck]]) {
        declared.reduce(into: ([], [:])) { parts, check in
            if case .inDatabase(let name, let question) = check {
                parts.1[name, default: []].append(question)
            } else {
                parts.0.append(check)
            }
        }
    }

    private func context(
        _ connection: PostgresConnection, _ declared: [DeclaredCheck], _ tally: CaseTally, in database: String? = nil
    ) -> PostgresCheckContext {
        PostgresCheckContext(
            connection: connection, service: service, seal: nil, unsealedReason: "a living server has no seal", declared: declared,
            emit: { result in
                var named = result
                if let database { named.name += " in \(database)" }
                tally.record(named)
            })
    }

    /// Puts questions to a database that they name, in which the role must be as weak as in its own: rights to functions are a
    /// database's own.
    private func ask(_ checks: [DeclaredCheck], in database: String, _ tally: CaseTally) async throws {
        let configuration = try SourceAccess.configuration(living, of: service, database: database, in: plan.estate)
        do {
            _ = try await ask(configuration)
            let connection = try await PostgresConnection.connect(configuration)
            await PostgresChecks.askDeclared(context(connection, checks, tally, in: database))
            await connection.close()
        } catch let error as CancellationError {
            throw error
        } catch {
            var finding = (error as? DrillFailure)?.finding ?? Self.gone(service).finding
            finding.object = "\(service), database \(database)"
            if finding.rule == .existingUnreachable {
                finding.message = "the database \(database) of the living \(service) can't be asked"
                finding.hint = "check its name, and that the role of living may connect to it: GRANT CONNECT ON DATABASE"
            }
            for check in checks {
                tally.record(.unasked(.declared, service: service, name: "\(check.name) in \(database)", finding: finding))
            }
        }
    }

    // MARK: What it must be

    /// - Returns: The size of its database.
    /// - Throws: ``DrillFailure`` (error): it can't be asked, can be written to, or the role may do more than read.
    private func ask(_ configuration: PostgresConfiguration) async throws -> Int64 {
        let row: PostgresRow?
        do {
            let connection = try await PostgresConnection.connect(configuration)
            row = try await connection.query(Self.question).first
            await connection.close()
        } catch {
            if Task.isCancelled { throw CancellationError() }
            throw DrillFailure.error(
                Finding(
                    .existingUnreachable, object: service, expected: "a living server that answers", actual: "no answer",
                    message: "the living \(service) can't be asked", hint: "check living in the estate file: its folder, user and password")
            )
        }
        guard let row, row[0] == "t" else {
            throw DrillFailure.error(
                Finding(
                    .existingNotReadOnly, object: service, expected: "a standby", actual: "a server that can be written to",
                    message: "a drill starts no application against a server that it could write to",
                    hint: "name a hot standby as living in the estate file, or a backup under existing"))
        }
        guard let powers = row[1], powers.isEmpty else {
            throw DrillFailure.error(
                Finding(
                    .existingRoleTooStrong, object: service, expected: "a role that can log in and read", actual: row[1] ?? "nobody knows",
                    message: "the role that the application would be given may do more in the living server than read",
                    hint: "make a role of its own for drills: CREATE ROLE … LOGIN, with SELECT on what the application reads"))
        }
        return row[2].flatMap(Int64.init) ?? 0
    }

    /// Whether it is a standby; what the role may do beside reading, also to a standby; how large the database is.
    private static let question = """
        SELECT pg_is_in_recovery(),
               concat_ws(', ',
                   CASE WHEN r.rolsuper THEN 'superuser' END, CASE WHEN r.rolreplication THEN 'replication' END,
                   CASE WHEN r.rolcreaterole THEN 'createrole' END, CASE WHEN r.rolcreatedb THEN 'createdb' END,
                   (SELECT string_agg(g.rolname, ', ' ORDER BY g.rolname) FROM pg_roles g
                     WHERE NOT r.rolsuper AND pg_has_role(r.oid, g.oid, 'MEMBER')
                       AND (g.rolsuper OR g.rolname IN (
                           'pg_execute_server_program', 'pg_write_server_files', 'pg_read_server_files', 'pg_signal_backend',
                           'pg_write_all_data', 'pg_checkpoint', 'pg_maintain', 'pg_create_subscription'))),
                   (SELECT string_agg(p.proname, ', ' ORDER BY p.proname) FROM pg_proc p
                     WHERE NOT r.rolsuper AND p.pronamespace = 'pg_catalog'::regnamespace
                       AND p.proname IN ('pg_promote', 'pg_wal_replay_pause', 'pg_reload_conf', 'pg_rotate_logfile', 'pg_switch_wal')
                       AND has_function_privilege(r.oid, p.oid, 'EXECUTE'))),
               pg_database_size(current_database())::text
          FROM pg_roles r WHERE r.rolname = current_user
        """

    static func gone(_ service: String) -> DrillFailure {
        .error(
            Finding(
                .existingGone, object: service, expected: "a living server that answers to the end", actual: "no answer",
                message: "the living \(service) doesn't answer any more",
                hint: "look at that server: the drill only reads in it, so something else ended it or shut the drill out"))
    }

    /// From then on the application could have written.
    static func promoted(_ service: String) -> Finding {
        Finding(
            .existingNotReadOnly, object: service, expected: "a standby, as before", actual: "a server that can be written to",
            message: "the living \(service) was promoted while the drill ran",
            hint: "the drill's sessions were told to read only; look at what the application did there")
    }
}
