// Finds the Postgres installations of this machine: initdb and its kin are not on PATH.

public import DrillModel
import Foundation
import ScratchHost

extension Rule {
    public static let postgresMissing = Rule("postgres-missing")
    public static let postgresTooOld = Rule("postgres-too-old")
}

/// One installed major version of Postgres.
public struct PostgresBinaries: Sendable, Hashable, Codable {
    public var major: Int
    public var folder: String

    public func path(_ program: String) -> String { "\(folder)/\(program)" }

    /// All installations that hold a server, the oldest first.
    ///
    /// Looked for in `MUSTER_PG_BIN` (folders parted by colons), Debian's and Red Hat's places, and PATH.
    public static func installed() -> [PostgresBinaries] {
        let environment = ProcessInfo.processInfo.environment
        var folders = (environment["MUSTER_PG_BIN"] ?? "").split(separator: ":").map(String.init)
        folders += children(of: "/usr/lib/postgresql").map { "/usr/lib/postgresql/\($0)/bin" }
        folders += children(of: "/usr").filter { $0.hasPrefix("pgsql-") }.map { "/usr/\($0)/bin" }
        folders += ["/usr/local/pgsql/bin"]
        folders += (environment["PATH"] ?? "").split(separator: ":").map(String.init)
        var found: [Int: PostgresBinaries] = [:]
        // The tools run in a folder of their own.
        folders = folders.map { URL(fileURLWithPath: $0, isDirectory: true).standardizedFileURL.path }
        for folder in folders where ScratchHost.locate("\(folder)/postgres") != nil && ScratchHost.locate("\(folder)/initdb") != nil {
            guard let major = major(of: folder), found[major] == nil else { continue }
            found[major] = PostgresBinaries(major: major, folder: folder)
        }
        return found.values.sorted { $0.major < $1.major }
    }

    /// For findings: `postgres 15, 17`.
    static var installedMajors: String { "postgres " + installed().map { String($0.major) }.joined(separator: ", ") }

    /// The installation whose pg_dump reads a server: of the server's own major, or the next newer one, since pg_dump refuses a newer server.
    ///
    /// - Parameter version: As `server_version_num` has it: 150018.
    /// - Returns: nil where no server is installed at all; the client may be there without one.
    /// - Throws: ``DrillFailure`` (error): all are older.
    public static func dumping(serverVersion version: Int) throws(DrillFailure) -> PostgresBinaries? {
        let major = version / 10000
        let installed = installed()
        if let match = installed.first(where: { $0.major >= major }) { return match }
        guard !installed.isEmpty else { return nil }
        throw .error(
            Finding(
                .postgresTooOld, object: "pg_dump", expected: "pg_dump \(major) or newer", actual: installedMajors,
                message: "the server is PostgreSQL \(major), newer than any pg_dump on this machine (\(installedMajors))",
                hint: "apt-get install postgresql-client-\(major), or name its bin folder in MUSTER_PG_BIN"))
    }

    /// The installation to restore a dump with: the dump's own major, or the next newer one.
    ///
    /// - Parameter dumpMajor: nil where nobody knows; then the newest.
    /// - Throws: ``DrillFailure`` (error): no server at all, or none that is new enough.
    public static func suitable(forDumpOf dumpMajor: Int?) throws(DrillFailure) -> PostgresBinaries {
        let installed = installed()
        guard let newest = installed.last else {
            throw .error(
                Finding(
                    .postgresMissing, object: "postgres", expected: "a postgres server", actual: "none",
                    message: "no postgres server is installed on this machine",
                    hint: "apt-get install postgresql, or name its bin folder in MUSTER_PG_BIN"))
        }
        guard let dumpMajor else { return newest }
        guard let match = installed.first(where: { $0.major >= dumpMajor }) else {
            throw .error(
                Finding(
                    .postgresTooOld, object: "postgres \(dumpMajor)", expected: "postgres \(dumpMajor) or newer",
                    actual: installedMajors,
                    message: "the dump is of postgres \(dumpMajor), newer than any server on this machine",
                    hint: "apt-get install postgresql-\(dumpMajor), or name its bin folder in MUSTER_PG_BIN"))
        }
        return match
    }

    /// Debian's folder name tells; elsewhere PG_VERSION's sibling does not exist, so the name of the share folder is no help
    /// and the program itself is asked.
    private static func major(of folder: String) -> Int? {
        let parts = folder.split(separator: "/").map(String.init)
        if parts.count >= 2, parts.last == "bin", let major = Int(parts[parts.count - 2]) { return major }
        guard let text = ScratchHost.version(of: "\(folder)/postgres") else { return nil }
        let version = text.split(separator: " ").first { $0.first?.isNumber == true }
        return version.flatMap { Int($0.prefix { $0.isNumber }) }
    }

    private static func children(of folder: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
    }
}
