// What a dump says of itself without being restored: from its table of contents, or the first lines of a script.

public import Foundation
import OutsideTools
public import ScratchHost

/// What is known of a dump by its beginning.
public struct DumpContents: Sendable, Hashable {
    /// nil where only reading all of it would tell: a script's.
    public var tables: Int?
    /// Those that it creates, but for plpgsql, which every database has; sorted.
    public var extensions: [String]

    /// - Parameters:
    ///   - dump: May be cut off behind its table of contents, and a script anywhere.
    ///   - folder: Private, of the host's.
    /// - Returns: nil where its table of contents can't be read by any pg_restore of this machine, or doesn't lie in what is there of it.
    public static func read(_ dump: DumpSource, on host: ScratchHost, in folder: URL) async throws -> DumpContents? {
        if dump.format == .plain { return DumpContents(script: (try? Data(contentsOf: dump.location)) ?? Data()) }
        let list = folder.appendingPathComponent("contents")
        defer { try? FileManager.default.removeItem(at: list) }
        // The newest one reads every older archive.
        let program = PgRestore(program: try PostgresBinaries.suitable(forDumpOf: nil).path("pg_restore"))
        let result = try await host.run(program.contents(dump.location), output: list)
        guard result.succeeded, let text = try? Data(contentsOf: list) else { return nil }
        return DumpContents(listing: String(decoding: text, as: UTF8.self))
    }
}

extension DumpContents {
    /// Of what `pg_restore -l` prints: `3; 3079 16384 EXTENSION - hstore `, `215; 1259 16500 TABLE public orders shop`.
    init(listing: String) {
        var tables = 0
        var extensions = Set<String>()
        for line in listing.split(separator: "\n") where line.first != ";" {
            guard let entry = line.wholeMatch(of: /\d+; \d+ \d+ (TABLE|EXTENSION) (\S+) (.+) \S*/) else { continue }
            if entry.output.1 == "TABLE" {
                // `TABLE DATA public orders`, `TABLE ATTACH …` begin as a table does.
                if !["DATA", "ATTACH"].contains(entry.output.2) { tables += 1 }
            } else {
                extensions.insert(String(entry.output.3))
            }
        }
        self.tables = tables
        self.extensions = extensions.subtracting(["plpgsql"]).sorted()
    }

    /// Of a script: extensions stand before everything that may need them.
    init(script: Data) {
        let text = String(decoding: script, as: UTF8.self)
        let created = text.matches(of: /\nCREATE EXTENSION (?:IF NOT EXISTS )?(?:"([^"\n]+)"|([^\s;"]+))/)
        tables = nil
        extensions = Set(created.compactMap { ($0.output.1 ?? $0.output.2).map(String.init) }).subtracting(["plpgsql"]).sorted()
    }
}

extension PostgresBinaries {
    /// Which of these extensions' files this installation lacks; nil where it can't say where they would be.
    public func lacking(_ extensions: [String], on host: ScratchHost) async -> [String]? {
        guard let answer = try? await host.run([path("pg_config"), "--sharedir"]), answer.succeeded else { return nil }
        let folder = URL(fileURLWithPath: answer.output.trimmingCharacters(in: .whitespacesAndNewlines)).appendingPathComponent("extension")
        guard FileManager.default.fileExists(atPath: folder.appendingPathComponent("plpgsql.control").path) else { return nil }
        return extensions.filter { !FileManager.default.fileExists(atPath: folder.appendingPathComponent("\($0).control").path) }
    }
}
