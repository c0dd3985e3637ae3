// A globals file made fit for a scratch server: whole, and without the folders of another machine.

import DrillModel
import Foundation
import ScratchHost

/// What `pg_dumpall --globals-only` wrote.
enum GlobalsFile {
    /// Copies it without its tablespaces, which would make a server write outside of its scratch folder, or fail; without the drops
    /// of `--clean`, which have nothing to drop here; and without what takes from the scratch superuser its rights.
    ///
    /// - Parameter superuser: The role that the restore itself works as.
    /// - Throws: ``DrillFailure`` (failed): it is cut short.
    static func prepare(_ file: URL, as target: URL, superuser: String) throws {
        let script = try DumpScript(reading: file)
        guard script.complete else {
            throw DrillFailure.failed(
                Finding(
                    .scriptTruncated, object: "globals", expected: "a script that ends with \"\(DumpScript.clusterLastWords)\"",
                    actual: script.ending, message: "the globals file is cut short",
                    hint: "psql would restore it without an error and with roles missing: look at that day's backup log"))
        }
        // It holds password verifiers: nobody else may read it, not even for a moment.
        let handle = try UnlinkedFile.writer(target)
        defer { try? handle.close() }
        try LineReader.forEachLine(of: file) { line in
            try handle.write(contentsOf: Data((isUnfit(line, superuser: superuser) ? "" : String(line)).utf8) + Data("\n".utf8))
        }
    }

    /// pg_dumpall writes each of these on one line.
    private static func isUnfit(_ line: Substring, superuser: String) -> Bool {
        if line.hasPrefix("DROP ROLE ") || isOfTablespace(line) { return true }
        let names = [superuser, "\"" + superuser.replacingOccurrences(of: "\"", with: "\"\"") + "\""]
        guard names.contains(where: { line.hasPrefix("ALTER ROLE \($0) WITH ") }) else { return false }
        return line.contains(" NOSUPERUSER") || line.contains(" NOLOGIN")
    }

    private static func isOfTablespace(_ line: Substring) -> Bool {
        let starts = ["CREATE TABLESPACE ", "ALTER TABLESPACE ", "DROP TABLESPACE ", "COMMENT ON TABLESPACE "]
        if starts.contains(where: line.hasPrefix) { return true }
        return (line.hasPrefix("GRANT ") || line.hasPrefix("REVOKE ")) && line.contains(" ON TABLESPACE ")
    }
}
