// A primary that is lost with its zone: asked for its position right before, and reached for ever after.

import BackupAccess
import BackupCatalog
import DrillEngine
import DrillModel
import PhysicalRecovery
import PostgresClient
import RedisClient
import RedisRecovery

/// One service's primary, between the outage that takes it and the standby that stands in for it.
actor LostPrimary {
    nonisolated let service: String
    /// Whether the drill itself cuts the zone off. Otherwise the primary was gone before anybody could ask it.
    nonisolated let isCutByDrill: Bool
    private let source: SourceConnection
    private let estate: Estate
    private let engine: Service.Engine?
    private(set) var position: PrimaryPosition?
    /// The same of a Redis.
    private(set) var offset: ReplicationPosition?
    /// When it was gone.
    private(set) var lost: ContinuousClock.Instant?

    init(_ service: String, source: SourceConnection, plan: DrillPlan, title: String? = nil) {
        self.title = title ?? "the primary of \(service)"
        self.service = service
        self.source = source
        isCutByDrill = plan.outage?.commands != nil
        estate = plan.estate
        engine = plan.estate.services[service]?.engine
    }

    /// For the report.
    nonisolated let title: String

    /// Asks it, right before its zone is cut off. Where it doesn't answer, the report says what nobody knows then.
    ///
    /// - Throws: `CancellationError`.
    func ask() async throws {
        if engine == .redis {
            guard let live = try? SourceAccess.live(source, of: service, in: estate) else { return }
            offset = try await ReplicationPosition.ask(live)
        } else if let configuration = try? SourceAccess.configuration(source, of: service, database: nil, in: estate) {
            position = try await PrimaryPosition.ask(configuration)
        }
    }

    func isGone() { lost = .now }

    /// What shows that it is not out of reach, or what keeps that from being told; nil where nothing takes a connection there.
    func reach() async -> Finding? {
        guard engine == .postgres else { return await redisAnswers() ? isReachable : nil }
        // No password is needed to be refused.
        let configuration = PostgresConfiguration(
            host: source.host, port: source.port ?? 5432, database: source.database ?? "postgres", user: source.user ?? "postgres",
            applicationName: "muster drill")
        do throws(PostgresError) {
            guard try await PostgresConnection.isReachable(configuration) else { return nil }
            return isReachable
        } catch {
            return Finding(
                .lostZoneUnproven, object: title, expected: "no answer", actual: "it could not be tried",
                message: "whether \(title) is out of reach can't be told: \(error.message)", hint: error.hint)
        }
    }

    private var isReachable: Finding {
        Finding(
            .lostZoneReachable, object: title, expected: "nothing that takes a connection", actual: "something that does",
            message: "the drill is of a zone that is lost, and \(title) can still be reached from this machine",
            hint: "have outage: {cut: …} shut the way to it as well, with a firewall's rule or by moving its socket away")
    }

    private func redisAnswers() async -> Bool {
        let connection =
            source.host.hasPrefix("/")
            ? try? await RedisConnection.connect(unixSocket: source.host, timeout: .seconds(5))
            : try? await RedisConnection.connect(host: source.host, port: source.port ?? 6379, timeout: .seconds(5))
        connection?.close()
        return connection != nil
    }
}
