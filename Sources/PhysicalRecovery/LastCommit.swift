// The last transaction that came back, as the replayed segments themselves name it.

import ArtifactFormats
import Foundation
import OutsideTools
import PostgresRecovery
import ScratchHost

/// Asks pg_waldump: no server has to run for it, so it also answers where recovery stopped early.
struct LastCommit: Sendable, Hashable {
    var transaction: UInt64
    /// Of its commit record.
    var position: UInt64

    /// - Returns: nil where the last segments hold no commit, or can't be read.
    static func find(in dataFolder: URL, upTo end: UInt64?, binaries: PostgresBinaries, host: ScratchHost) async -> LastCommit? {
        guard let end else { return nil }
        let folder = dataFolder.appendingPathComponent("pg_wal")
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).compactMap(WALSegmentName.init)
        let newest = names.sorted { ($0.log, $0.part, $0.timeline) > ($1.log, $1.part, $1.timeline) }
        // Segments ahead of the end were prepared for later; the search goes back over a few that hold no commit.
        for name in newest.prefix(12) {
            // It ends with an error where the segment's written part does: what it printed until then counts.
            let command = PgWaldump(program: binaries.path("pg_waldump")).transactions(in: folder.appendingPathComponent(name.text))
            guard let result = try? await host.run(command) else { continue }
            if let found = last(in: result.output, upTo: end) { return found }
        }
        return nil
    }

    /// The last commit's transaction at or before a position.
    static func last(in text: String, upTo end: UInt64) -> LastCommit? {
        var found: LastCommit?
        for line in text.split(separator: "\n") where line.contains("desc: COMMIT") {
            guard let match = line.firstMatch(of: /tx: +([0-9]+), lsn: ([0-9A-F]+\/[0-9A-F]+)/)?.output,
                let position = WALPosition.parse(match.2), position <= end, let number = UInt64(match.1),
                number > 0
            else { continue }
            found = LastCommit(transaction: number, position: position)
        }
        return found
    }
}
