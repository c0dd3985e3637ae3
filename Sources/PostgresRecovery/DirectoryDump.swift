// Looks at the data files of a dump folder that pg_restore would take without a murmur when they are cut short.

import DrillModel
import Foundation

/// The data files of a `pg_dump -Fd` folder. Compressed ones carry a checksum that pg_restore heeds; plain ones don't.
enum DirectoryDump {
    /// What pg_dump ends the data of each table with: COPY's end mark, or the last INSERT's semicolon.
    private static let endings = ["\\.\n\n\n", ";\n\n\n"].map { Array($0.utf8) }

    /// - Throws: ``DrillFailure`` (failed): a data file ends before its table does.
    static func requireWhole(_ folder: URL, object: String) throws(DrillFailure) {
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).sorted()
        // Large objects (`blob_…`) are bytes of any kind, and say nothing about their end.
        let tables = names.filter { $0.hasSuffix(".dat") && $0.first?.isNumber == true }
        let cut = tables.filter { !isWhole(folder.appendingPathComponent($0)) }
        guard !cut.isEmpty else { return }
        throw .failed(
            Finding(
                .archiveTruncated, object: object, expected: "data files that end with their table's last row",
                actual: "\(cut.count) cut short, \(cut[0]) the first", message: "a table's data ends before its last row",
                hint: "pg_restore would take it without an error and with rows missing: look at that day's backup log"))
    }

    private static func isWhole(_ file: URL) -> Bool {
        guard let handle = try? FileHandle(forReadingFrom: file), let size = try? handle.seekToEnd() else { return false }
        defer { try? handle.close() }
        let longest: UInt64 = 5
        guard (try? handle.seek(toOffset: size - min(size, longest))) != nil, let tail = try? handle.readToEnd() else { return size == 0 }
        // A table without rows, dumped as INSERTs, leaves two line breaks.
        if size <= 2 { return size == 2 && tail.elementsEqual("\n\n".utf8) }
        return endings.contains { tail.suffix($0.count).elementsEqual($0) }
    }
}
