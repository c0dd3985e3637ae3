// Whose a genuine seal is: that of the backup which was asked for, or of another estate, service, series, database or cluster.

import DrillModel
import Foundation

extension Rule {
    static let sealedClusterChanged = Rule("sealed-cluster-changed")
}

/// What the seals of one series must say of their source.
struct SealOrigin: Sendable {
    private let estate: Set<String>
    private let service: Set<String>
    private let backup: Set<String>
    /// nil: the estate doesn't say.
    private let databases: Set<String>?
    private let systemIdentifiers: Set<String>?
    private let expected: String
    private let object: String
    private let hint: String

    init(estate: Estate, set: BackupSet) {
        let service = estate.services[set.service]
        self.estate = Set([estate.name] + estate.sealedAs)
        self.service = Set([set.service] + (service?.sealedAs ?? []))
        backup = Set([set.name] + set.sealedAs)
        let declared = service?.databases ?? []
        databases = declared.isEmpty ? service?.source?.database.map { [$0] } : Set(declared)
        let systems = service?.systemIdentifiers ?? []
        systemIdentifiers = systems.isEmpty ? nil : Set(systems)
        expected = "estate \(estate.name), \(set.service)/\(set.name)"
        object = "\(set.service)/\(set.name)"
        hint = "look for what copied it here, and put this backup's own in its place"
    }

    // MARK: One seal

    /// What a genuine seal says that it shouldn't; nil where it is this backup's.
    ///
    /// - Parameter name: The seal's file.
    func judge(_ seal: Seal, name: String) -> Finding? {
        let named = [
            (seal.estate, estate, "of the estate"), (seal.service, service, "of the service"), (seal.backup, backup, "of the backup"),
        ]
        if let (_, _, place) = named.first(where: { stated, names, _ in !names.contains(stated) }) {
            let database = Self.source(seal).map { _ in ", \(Self.held(seal))" } ?? ""
            return finding(
                name, expected: expected, actual: "estate \(seal.estate), \(seal.service)/\(seal.backup)\(database)",
                message: "the seal is genuine, and of another backup than this one",
                hint: "\(hint); if that is a former name, or its backups are copied here on purpose, name it under sealed-as \(place)")
        }
        guard let source = Self.source(seal) else { return nil }
        if let databases, databases.isDisjoint(with: seal.databases.map(\.identity.database)) {
            return finding(
                name, expected: "database \(databases.sorted().joined(separator: " or "))", actual: Self.held(seal),
                message: "the seal is genuine, and of another database than the service's",
                hint: "\(hint); if the database was renamed, name both under databases of the service")
        }
        if let systemIdentifiers, !systemIdentifiers.contains(source.systemIdentifier) {
            return finding(
                name, expected: "system identifier \(systemIdentifiers.sorted().joined(separator: " or "))",
                actual: "system identifier \(source.systemIdentifier)",
                message: "the seal is genuine, and of a database in another cluster than the service's",
                hint: "\(hint); if the database was moved there, add the cluster to system-identifiers of the service")
        }
        return nil
    }

    /// What the seal's truth was read from. A restored backup has the scratch server's identity, which says nothing.
    private static func source(_ seal: Seal) -> PostgresIdentity? { seal.truth == .source ? seal.identity : nil }

    private static func held(_ seal: Seal) -> String {
        seal.cluster == nil
            ? "database \(seal.identity?.database ?? "")"
            : "databases \(seal.databases.map(\.identity.database).sorted().joined(separator: ", "))"
    }

    // MARK: A whole series

    /// What a series' seals say of each other.
    struct Series: Sendable {
        /// By path, what is wrong with the seals that don't go with the others.
        var strangers: [String: Finding] = [:]
        /// On the series as a whole.
        var findings: [Finding] = []
    }

    /// Holds the seals against each other, where the estate names neither databases nor clusters.
    func judge(_ points: [RecoveryPoint]) -> Series {
        var seen: Set<String> = []
        let sealed = points.filter { seen.insert($0.path).inserted }.compactMap { point in
            point.sealState.seal.flatMap(Self.source).map { (point: point, source: $0) }
        }.sorted { $0.point.time < $1.point.time }
        var series = Series()
        if databases == nil {
            // A cluster's come and go.
            let single = sealed.filter { $0.point.sealState.seal?.cluster == nil }
            judge(single.map { ($0.point, $0.source.database) }, what: "database", &series) {
                "\(hint); if the database was renamed, name both under databases of the service"
            }
        }
        guard systemIdentifiers == nil, series.findings.isEmpty else { return series }
        if let moves = Self.upgrades(sealed.map(\.source)) {
            series.findings += moves.map { old, new in
                Finding(
                    .sealedClusterChanged, .warning, object: object, expected: "one cluster",
                    actual: "system identifier \(old.systemIdentifier) (PostgreSQL \(old.serverVersion / 10_000)), then "
                        + "\(new.systemIdentifier) (PostgreSQL \(new.serverVersion / 10_000))",
                    message: "the backups are of a cluster of another major version than the older ones, as after an upgrade",
                    hint: "if it was upgraded, name both under system-identifiers of the service; if not, \(hint)")
            }
        } else {
            judge(sealed.map { ($0.point, $0.source.systemIdentifier) }, what: "system identifier", &series) {
                "\(hint); if the database was moved to another cluster, name both under system-identifiers of the service"
            }
        }
        return series
    }

    /// Those that differ from most are the strangers; of equally many, the younger ones.
    private func judge(
        _ sealed: [(point: RecoveryPoint, value: String)], what: String, _ series: inout Series, hint: () -> String
    ) {
        var counts: [String: Int] = [:]
        for (_, value) in sealed { counts[value, default: 0] += 1 }
        guard counts.count > 1, let most = counts.values.max(), let usual = sealed.first(where: { counts[$0.value] == most })?.value else {
            return
        }
        for (point, value) in sealed where value != usual {
            series.strangers[point.path] = finding(
                point.path, expected: "\(what) \(usual), as most of the series' seals", actual: "\(what) \(value)",
                message: "the seal is genuine, and of another \(what == "database" ? what : "cluster") than the others of this series",
                hint: hint())
        }
        let told = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(4)
            .map { "\(what) \($0.key) in \($0.value == 1 ? "1 seal" : "\($0.value) seals")" }
        series.findings.append(
            finding(
                object, expected: "seals of one \(what == "database" ? what : "cluster")", actual: told.joined(separator: ", "),
                message: "the backups of this series are of different \(what == "database" ? "databases" : "clusters")", hint: hint()))
    }

    /// The changes of cluster in a series, oldest first, where each comes with a newer major version and none goes back; empty where there is
    /// no change.
    private static func upgrades(_ sources: [PostgresIdentity]) -> [(PostgresIdentity, PostgresIdentity)]? {
        let changes = zip(sources, sources.dropFirst()).filter { $0.systemIdentifier != $1.systemIdentifier }
        return changes.allSatisfy { $0.serverVersion / 10_000 < $1.serverVersion / 10_000 } ? Array(changes) : nil
    }

    private func finding(_ object: String, expected: String, actual: String, message: String, hint: String) -> Finding {
        Finding(.sealNamesOtherSource, object: object, expected: expected, actual: actual, message: message, hint: hint)
    }
}
