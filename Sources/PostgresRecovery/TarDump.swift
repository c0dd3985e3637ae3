// Looks whether a tar of pg_dump's is whole: of one that is cut short, pg_restore 15 reads the end for ever.

import DrillModel
import Foundation
import OutsideTools
import ScratchHost

/// A `pg_dump -Ft` archive.
enum TarDump {
    /// pg_dump writes this member last.
    private static let last = "restore.sql"

    /// - Throws: ``DrillFailure`` (failed): it ends before its last member does; `ScratchError`; `CancellationError`.
    static func requireWhole(_ file: URL, on host: ScratchHost, in folder: URL, object: String) async throws {
        let list = folder.appendingPathComponent("tar.list")
        defer { try? FileManager.default.removeItem(at: list) }
        let result = try await host.run(Tar.names(of: file), output: list)
        var name = ""
        try LineReader.forEachLine(of: list) { name = String($0) }
        guard !result.succeeded || name != last else { return }
        throw DrillFailure.failed(
            Finding(
                .archiveTruncated, object: object, expected: "a tar that ends with \(last)",
                actual: result.succeeded ? "one that ends before" : "one that tar can't read to its end",
                message: "the archive ends before its content does",
                hint: "the backup was cut short: look at that day's backup log for a full disk or an ended job"))
    }
}
