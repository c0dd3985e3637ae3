// Asks whether the source has what a minor release of PostgreSQL is known to have damaged.

public import DrillModel
public import PostgresClient

/// ``ServerAdvisory`` against the objects that came back.
public struct KnownServerBugCheck: PostgresCheck {
    public func run(_ context: PostgresCheckContext) async {
        let name = "what the source's server is known to damage"
        let version: Int
        let isKnown: Bool
        switch context.origin {
        case .dump(let known):
            guard let known = known ?? context.seal?.identity.serverVersion else { return }
            (version, isKnown) = (known, true)
        case .files(let known): (version, isKnown) = (known ?? context.connection.serverVersion, known != nil)
        }
        let start = ContinuousClock.now
        do throws(PostgresError) {
            let findings = try await Self.damaged(context.connection, version: version, isKnown: isKnown).map {
                finding($0.advisory, $0.indexes, version: isKnown ? version : nil, context.origin)
            }
            guard !findings.isEmpty else { return }
            await context.judge(.backup, name, since: start, findings)
        } catch {
            await context.fail(.backup, name, since: start, object: context.service, error)
        }
    }

    /// Warnings about a source that is about to be backed up.
    public static func warnings(ofSource connection: PostgresConnection) async throws(PostgresError) -> [Finding] {
        let version = connection.serverVersion
        return try await damaged(connection, version: version, isKnown: true).map { advisory, indexes in
            advisory.warning(serverVersion: version, indexes: indexes)
        }
    }

    /// - Parameter isKnown: The version is the very one; otherwise its major version alone is the source's.
    private static func damaged(
        _ connection: PostgresConnection, version: Int, isKnown: Bool
    ) async throws(PostgresError) -> [(advisory: ServerAdvisory, indexes: [String])] {
        var result: [(ServerAdvisory, [String])] = []
        for advisory in ServerAdvisory.all {
            guard case .indexes(let condition, _) = advisory.subject,
                isKnown ? advisory.concerns(serverVersion: version) : advisory.concerns(major: version / 10_000)
            else { continue }
            let names = try await connection.query(question(condition)).compactMap { $0[0] }
            if !names.isEmpty { result.append((advisory, names)) }
        }
        return result
    }

    private func finding(
        _ advisory: ServerAdvisory, _ names: [String], version: Int?, _ origin: PostgresCheckContext.Origin
    ) -> Finding {
        let carried: String
        switch origin {
        case .dump: carried = ServerAdvisory.carriedByNoDump
        case .files: carried = "; this copy has the source's own"
        }
        if let version { return advisory.warning(serverVersion: version, indexes: names, isNamed: false, carried: carried) }
        return Finding(
            .knownServerBug, .note, object: "index \(ServerAdvisory.list(names))", expected: "a source of \(advisory.mends) or later",
            actual: "a minor release that these files don't tell", message: "\(advisory.message)\(carried)",
            hint: "\(advisory.hint) (\(advisory.source))")
    }

    private static func question(_ condition: String) -> String {
        """
        SELECT c.oid::regclass::text FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid JOIN pg_am m ON m.oid = c.relam
        WHERE c.oid >= 16384 AND c.relkind = 'i' AND c.relnamespace <> 'pg_toast'::regnamespace AND (\(condition)) ORDER BY 1
        """
    }
}
