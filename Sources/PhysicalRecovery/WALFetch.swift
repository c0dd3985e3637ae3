// A write-ahead log that only another tool can read: file by file, through its own command.

import ArtifactFormats
import DrillModel
public import Foundation
import ScratchHost

/// Fetches files of an archive by a program.
public struct WALFetch: Sendable {
    public enum Tool: Sendable {
        case pgBackRest(PgBackRest)
        /// A command of the estate's. As PostgreSQL has it: 1 to 125 means that there is no such file, anything above that it broke.
        case command([String], hidden: Set<String>)
    }
    let tool: Tool
    /// The data folder of the cluster that is recovered.
    let data: URL

    public init(_ tool: Tool, data: URL) {
        self.tool = tool
        self.data = data
    }

    /// What is known to be there; nil where nobody can tell beforehand.
    var listed: Set<WALFileName>? {
        switch tool {
        case .pgBackRest(let repository): repository.archived()
        case .command: nil
        }
    }

    /// - Parameter target: A file that doesn't exist yet, inside the scratch folder.
    /// - Returns: false where the archive doesn't hold it.
    func fetch(_ name: String, to target: URL, on host: ScratchHost) async throws -> Bool {
        switch tool {
        case .pgBackRest(let repository): return try await repository.fetch(name, to: target, data: data, on: host)
        case .command(let words, let hidden):
            let command = RestoreCommand.filled(words, with: [.wal: name, .path: target.path, .data: data.path])
            let environment = ProcessInfo.processInfo.environment.filter { !hidden.contains($0.key) }
            do {
                let result = try await host.runAsInvoker(command, environment: environment, isolated: false, output: nil)
                guard let code = result.exitCode, code <= 125 else {
                    throw StoredFileProblem(
                        .machine, "the declared fetch-wal command broke off with \(result.ending)",
                        hint: "run it by hand; let it end with 1 where the archive doesn't hold the file")
                }
                // A command that says so by leaving nothing there, too.
                return result.succeeded && FileManager.default.fileExists(atPath: target.path)
            } catch let error as ScratchError {
                throw StoredFileProblem(.machine, error.message, hint: error.hint)
            }
        }
    }
}
