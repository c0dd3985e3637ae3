// Page checksums of a recovered cluster, asked of pg_checksums once the server has ended in order.

public import DrillModel
import Foundation
import OutsideTools
import PostgresRecovery
public import ScratchHost

/// Every page of every relation, as recovery left it.
///
/// Pages that were torn while the base backup copied them have been made whole by replay by then; one that is wrong now was wrong at the
/// source, or became so on its way.
public struct PageChecksums: Sendable {
    /// More findings than these help nobody.
    static let mostFindings = 20

    let cluster: RecoveredCluster
    let host: ScratchHost
    let service: String

    public init(cluster: RecoveredCluster, host: ScratchHost, service: String) {
        self.cluster = cluster
        self.host = host
        self.service = service
    }

    /// Ends the server: nothing may be asked of it afterwards.
    public func ask() async throws -> CaseResult {
        let name = "every page matches its checksum"
        guard let server = cluster.server else {
            return .skipped(.restore, service: service, name: name, reason: "recovery left no server")
        }
        guard cluster.hasPageChecksums else {
            return .skipped(
                .restore, service: service, name: name,
                reason: "the source runs without page checksums: initdb --data-checksums, or pg_checksums -e")
        }
        let start = ContinuousClock.now
        // Fast, with its checkpoint: pg_checksums reads only what was shut down in order.
        await server.process.stop([(2, .seconds(600))])
        let log = server.dataFolder.deletingLastPathComponent().appendingPathComponent("pg_checksums.log")
        let result = try await host.run(
            PgChecksums(program: server.binaries.path("pg_checksums")).check(server.dataFolder), errors: log)
        let words = UnlinkedFile.data(log).map { String(decoding: $0, as: UTF8.self) } ?? ""
        return Self.judge(
            result, words: words, dataFolder: server.dataFolder.path, service: service, name: name, took: start.duration(to: .now))
    }

    static func judge(
        _ result: ToolResult, words: String, dataFolder: String, service: String, name: String, took: Duration
    ) -> CaseResult {
        let failed: [PgChecksums.Page]
        switch PgChecksums.reading(result, words: words, dataFolder: dataFolder) {
        case .whole: return .judged(.restore, service: service, name: name, duration: took, findings: [])
        case .unread(let scanned):
            return .unasked(
                .restore, service: service, name: name, duration: took,
                finding: Finding(
                    Rule("not-asked"), object: "pg_checksums", expected: "every page read", actual: "\(result.ending), \(scanned) blocks",
                    message: "the pages' checksums could not be asked",
                    hint: "run again with --keep, and read pg_checksums.log in the scratch folder"))
        case .damaged(let pages): failed = pages
        }
        var findings = failed.prefix(mostFindings).map { page in
            Finding(
                .pageChecksums, object: "\(page.file) block \(page.block)", expected: "the page's own checksum", actual: "another one",
                message: "a page of the restored cluster is damaged",
                hint:
                    "find its relation with pg_filenode_relation, restore from an older backup, and check the source's disks with pg_checksums"
            )
        }
        if failed.count > mostFindings {
            findings.append(
                Finding(
                    .pageChecksums, object: "\(failed.count - mostFindings) more pages", expected: "no damaged page",
                    actual: "\(failed.count) in all", message: "more pages of the restored cluster are damaged",
                    hint: "restore from an older backup, and check the source's disks"))
        }
        return .judged(.restore, service: service, name: name, duration: took, findings: findings)
    }
}
