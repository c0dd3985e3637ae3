// Which databases a seal speaks of, and what each must hold.

import DrillModel

extension Rule {
    static let databaseMissing = Rule("database-missing")
    static let databaseExtra = Rule("database-extra")
}

/// The truths of a seal by the restored database that each is compared with.
struct SealedDatabases: Sendable {
    private let truths: [String: PostgresTruth]
    /// In the seal's order; of one that is about a single database, the one that is compared with it.
    let names: [String]
    private let isCluster: Bool

    /// - Parameter first: Where a single database is, whatever it is called here; and where a cluster's roles are compared.
    init(_ seal: Seal?, first: String) {
        isCluster = seal?.cluster != nil
        guard let cluster = seal?.cluster else {
            truths = seal?.postgres.map { [first: $0] } ?? [:]
            names = truths.keys.sorted()
            return
        }
        names = cluster.databases.map(\.name)
        truths = Dictionary(
            cluster.databases.map { database in
                var truth = database.truth
                if database.name == first { truth.objects += cluster.roles }
                return (database.name, truth)
            }
        ) { first, _ in first }
    }

    func truth(of database: String) -> PostgresTruth? { truths[database] }

    /// Whether a cluster's databases came back, and no others; nil where the seal is of one.
    ///
    /// - Parameters:
    ///   - open: Those that take connections; nil where that could not be asked.
    ///   - own: Those of them that are somebody's.
    func complete(open: [String]?, own: [String], service: String) -> CaseResult? {
        guard isCluster else { return nil }
        let name = "every sealed database came back"
        guard let open else {
            return .unasked(
                .restore, service: service, name: name,
                finding: Finding(
                    Rule("not-asked"), object: service, message: "which databases came back could not be asked",
                    hint: "the server's own findings say why"))
        }
        let missing = names.filter { !open.contains($0) }.map { name in
            Finding(
                .databaseMissing, object: name, expected: "the database \(name), as sealed",
                actual: own.isEmpty ? "none that is anybody's" : own.sorted().joined(separator: ", "),
                message: "a database of the sealed cluster did not come back",
                hint: "restore from another backup: this script makes it no more, or not so that it takes connections")
        }
        let extra = own.filter { truths[$0] == nil }.map { name in
            Finding(
                .databaseExtra, object: name, expected: names.sorted().joined(separator: ", "), actual: "\(name) beside them",
                message: "a database came back that the sealed cluster didn't hold", hint: "find out who put it into the script")
        }
        return .judged(.restore, service: service, name: name, findings: missing + extra)
    }
}
