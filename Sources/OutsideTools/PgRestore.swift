// pg_restore: reads archives older than itself, and goes on after errors.

public import Foundation

/// Its exit code tells too little: 1 stands for what it passed over as for what it could not begin. Its words are judged
/// (`PostgresRecovery/RestoreLog`). Since 17 it sets session parameters that older servers don't know, so that of the server's own major
/// version is asked first, and a newer one where that can't read the archive.
public struct PgRestore: Sendable {
    /// What of an archive is read.
    public enum Section: String, Sendable {
        case preData = "pre-data"
        case postData = "post-data"
    }

    /// The program's path.
    public var program: String

    public init(program: String) { self.program = program }

    /// Every block of an archive decompressed, to nowhere.
    public func reading(_ archive: URL) -> [String] { [program, "-f", "/dev/null", archive.path] }

    /// The statements as a script. Not `--schema-only`: that would leave out the large objects and their owners.
    ///
    /// - Parameter file: nil: on standard output.
    public func script(_ archive: URL, _ sections: Section..., creatingDatabase: Bool = false, to file: URL? = nil) -> [String] {
        [program] + sections.map { "--section=\($0.rawValue)" } + (creatingDatabase ? ["-C"] : []) + [
            "-f", file?.path ?? "-", archive.path,
        ]
    }

    /// The table of contents, a line an entry.
    public func contents(_ archive: URL) -> [String] { [program, "-l", archive.path] }

    /// Into a server that the environment names. Tablespaces are folders of another machine.
    ///
    /// - Parameters:
    ///   - database: Where it is restored; with `creating`, what the session begins in.
    ///   - jobs: Above one, in parallel; a tar can't be read at several places at once.
    public func restore(_ archive: URL, into database: String, creating: Bool, jobs: Int) -> [String] {
        [program, "--no-password", "--no-tablespaces"] + (jobs > 1 ? ["-j", String(jobs)] : []) + (creating ? ["-C"] : [])
            + ["-d", database, archive.path]
    }
}
