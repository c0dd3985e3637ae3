// The truth of a whole cluster, read from a restore of its script.

import DrillModel
import Foundation
import IntegrityChecks
import PostgresClient
import PostgresRecovery

/// Nothing changes there, so every database is read as it is.
struct RestoredCluster: Sendable {
    var restored: RestoredDatabase
    /// Of the artifact: nothing else tells of which moment a database is.
    var time: Date

    func truth() async throws -> ClusterTruth {
        let names = try await with("template1") { connection in
            try await connection.query(
                "SELECT datname FROM pg_database WHERE datallowconn ORDER BY datname <> 'template1', datname"
            ).compactMap { $0[0] }
        }
        var databases: [ClusterTruth.Database] = []
        for name in names {
            var truth = try await with(name) { try await PostgresInventory($0, options: .init(parallelWorkers: true)).truth() }
            truth.objects.removeAll(where: SchemaDiff.isOfCluster)
            databases.append(ClusterTruth.Database(snapshotTime: time, truth: truth))
        }
        return ClusterTruth(databases: databases, roles: try await with(restored.database) { try await ClusterRoles.read($0) })
    }

    private func with<Value: Sendable>(
        _ database: String, _ work: (PostgresConnection) async throws -> Value
    ) async throws -> Value {
        let connection = try await PostgresConnection.connect(
            restored.server.configuration(database: database, settings: PostgresInventory.settings))
        do {
            let value = try await work(connection)
            await connection.close()
            return value
        } catch {
            await connection.close()
            throw error
        }
    }
}

/// All of the cluster's, since a script that makes all of them is compared with these.
enum ClusterRoles {
    static func read(_ connection: PostgresConnection) async throws -> [SchemaObject] {
        let inventory = PostgresInventory(connection)
        return try await inventory.schema(comparingWith: inventory.roleNames()).filter(SchemaDiff.isOfCluster)
    }
}
