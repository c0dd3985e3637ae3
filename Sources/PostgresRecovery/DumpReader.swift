// Reads a dump to its end without a server: every block of it, to nowhere.

import ArtifactFormats
public import DrillModel
public import Foundation
import OutsideTools
public import ScratchHost

/// Has `pg_restore` turn a whole dump into a script that nobody keeps: every block is read and decompressed on the way.
public struct DumpReader: Sendable {
    public var host: ScratchHost
    /// A private folder of the host's for the tool's log.
    public var folder: URL

    public init(host: ScratchHost, folder: URL) {
        self.host = host
        self.folder = folder
    }

    /// - Parameter object: Names the dump in findings.
    /// - Returns: What is sound to read, and should be mended all the same.
    /// - Throws: ``DrillFailure``: failed where the dump is damaged, error where the tool is missing; `CancellationError`.
    public func readThrough(_ dump: DumpSource, object: String) async throws -> [Finding] {
        if dump.format == .plain {
            let script = try await BlockingRead.run { try DumpScript(reading: dump.location) }
            guard script.complete else {
                throw DrillFailure.failed(
                    Finding(
                        .scriptTruncated, object: object, expected: "a script that ends with \"\(script.lastWordsExpected)\"",
                        actual: script.ending, message: "the dump script is cut short",
                        hint: "psql would restore it without an error and with rows missing: look at that day's backup log"))
            }
            try DataOnlyDump.refuse(script, object: object)
            return Self.warnings(of: script, of: dump, object: object)
        }
        let errors = folder.appendingPathComponent("pg_restore-read.log")
        // The newest one reads every older archive.
        let program = PgRestore(program: try PostgresBinaries.suitable(forDumpOf: nil).path("pg_restore"))
        try await run(program.reading(dump.location), dump, object: object, errors: errors)
        let schema = folder.appendingPathComponent("schema-read.sql")
        defer { try? FileManager.default.removeItem(at: schema) }
        try await run(program.script(dump.location, .preData, .postData, to: schema), dump, object: object, errors: errors)
        let script = try await BlockingRead.run { try DumpScript(reading: schema) }
        try await DataOnlyDump.refuse(script, object: object) {
            let list = folder.appendingPathComponent("contents-read.txt")
            defer { try? FileManager.default.removeItem(at: list) }
            let listed = try? await host.run(program.contents(dump.location), workingFolder: folder, output: list)
            guard listed?.succeeded == true else { return nil }
            return UnlinkedFile.whole(list, of: 1 << 30).map { String(decoding: $0, as: UTF8.self) }
        }
        return Self.warnings(of: script, of: dump, object: object)
    }

    private func run(_ command: [String], _ dump: DumpSource, object: String, errors: URL) async throws {
        let result: ToolResult
        do {
            result = try await host.run(command, workingFolder: folder, errors: errors)
        } catch let error as ScratchError {
            throw DrillFailure.error(Finding(.scratchUnusable, object: command[0], message: error.message, hint: error.hint))
        }
        guard !result.succeeded else { return }
        let failure = RestoreVerdict(tool: "pg_restore", service: object, log: try RestoreLog(reading: errors)).failure(
            of: result, object: object, scratch: host.folder.url.path, serverDied: false, writtenBy: dump.header?.dumpVersion)
        throw failure.namingLineEnds(of: dump)
    }

    private static func warnings(of script: DumpScript, of dump: DumpSource, object: String) -> [Finding] {
        let client = script.serversOwnOption.map { RestoreVerdict.olderClient($0, object: object, isRefused: false) }
        let ofScript = LineEnds.warning(script, object: object) + RowsByInsert.note(on: script, object: object)
        let noticed = (client.map { [$0] } ?? []) + (dump.format == .plain ? ofScript : [])
        guard let version = dump.serverVersion else { return noticed }
        let advisories = ServerAdvisory.all.compactMap { advisory -> Finding? in
            guard case .indexes(_, let trait?) = advisory.subject, advisory.concerns(serverVersion: version),
                let names = script.indexes[trait]
            else { return nil }
            return advisory.warning(serverVersion: version, indexes: names.sorted(), carried: ServerAdvisory.carriedByNoDump)
        }
        return noticed + advisories
    }
}
