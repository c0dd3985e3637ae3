// Dumps that hold the rows and none of their tables: nothing can be restored of them alone.

import DrillModel

extension Rule {
    static let dumpDataOnly = Rule("dump-data-only")
}

/// What `pg_dump -a` and `pg_dumpall -a` write.
enum DataOnlyDump {
    /// - Throws: ``DrillFailure`` (failed): the script holds rows, and makes nothing that they could be put into.
    static func refuse(_ script: DumpScript, object: String) throws(DrillFailure) {
        // The tables of an extension come with it.
        guard script.inserts + script.rows.count > 0, !script.makesTables, !script.makesExtensions else { return }
        throw .failed(finding(object))
    }

    /// - Parameters:
    ///   - script: An archive's, without its rows.
    ///   - listing: The archive's contents, as `pg_restore -l` prints them; asked for where the script makes no table.
    /// - Throws: ``DrillFailure`` (failed), as ``refuse(_:object:)``.
    static func refuse(_ script: DumpScript, object: String, listing: () async throws -> String?) async throws {
        guard !script.makesTables, !script.makesExtensions, let text = try await listing() else { return }
        guard text.split(separator: "\n").contains(where: { $0.first != ";" && $0.contains(" TABLE DATA ") }) else { return }
        throw DrillFailure.failed(finding(object))
    }

    private static func finding(_ object: String) -> Finding {
        Finding(
            .dumpDataOnly, object: object, expected: "a dump with its tables", actual: "rows alone, as pg_dump -a writes them",
            message: "the dump holds the rows and none of their tables: in a new database nothing of it can be restored",
            hint: "have the backup job leave -a (--data-only) out; for this one, make the tables first, from a pg_dump -s of that day")
    }
}
