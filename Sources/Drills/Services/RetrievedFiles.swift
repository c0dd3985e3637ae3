// What configuration and code have in common up to their restore: one artifact, fetched and decrypted in a folder of its own.

import BackupAccess
import DrillEngine
import DrillModel
import FileRecovery
import Foundation
import ScratchHost

/// An artifact of one point of a file backup.
struct RetrievedFiles: Sendable {
    var point: RecoveryPoint
    var artifact: RetrievedArtifact
    /// Private, and of this attempt.
    var folder: URL
    var backup: FileBackup
    /// The instant that production is held against.
    var disaster: Date
    var detail: String

    /// - Parameter name: The folder's, before the attempt's number.
    init(
        _ point: RecoveryPoint, of source: ServiceBackups, at disaster: Date, _ name: String, _ attempt: Attempt, host: ScratchHost
    ) async throws {
        let log = attempt.log
        folder = try attempt.folder("\(name)-\(attempt.number)", on: host, of: source.set.service)
        backup = FileBackup(backups: source, host: host, folder: folder)
        artifact = try await backup.retrieve(point) { log.progress("fetching", completed: $0, total: point.size, unit: .bytes) }
        source.recordFileBackup(point, artifact, asOf: disaster, log)
        detail = source.describe(artifact)
        self.point = point
        self.disaster = disaster
    }
}
