// A write-ahead log that only another tool can read: file by file, through its own command.

import ArtifactFormats
import DrillModel
public import Foundation
import ScratchHost

/// Fetches files of an archive by a program.
public struct WALFetch: Sendable {
    public enum Tool: Sendable {
        case pgBackRest(PgBackRest)
        /// A command of the estate's, and the exit codes by which it says that there is no such file. Every other code is an error: most
        /// tools end with one of their own where they may not read the archive, or can't reach it.
        case command([String], missing: Set<Int>, hidden: Set<String>)
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

    /// Segments that only a `.partial` file is known to be there of.
    var partial: Set<WALSegmentName> {
        switch tool {
        case .pgBackRest(let repository): repository.partialSegments()
        case .command: []
        }
    }

    /// What nobody but the estate's author vouches for.
    var isDeclared: Bool { if case .command = tool { true } else { false } }

    /// - Parameter target: A file that doesn't exist yet, inside the scratch folder.
    /// - Returns: false where the archive doesn't hold it.
    func fetch(_ name: String, to target: URL, on host: ScratchHost) async throws -> Bool {
        switch tool {
        case .pgBackRest(let repository): return try await repository.fetch(name, to: target, data: data, on: host)
        case .command(let words, let missing, let hidden):
            let command = RestoreCommand.filled(words, with: [.wal: name, .path: target.path, .data: data.path])
            var environment = ProcessInfo.processInfo.environment.filter { !hidden.contains($0.key) }
            // Its words are read.
            environment["LC_ALL"] = "C.UTF-8"
            environment["LANGUAGE"] = nil
            let log = target.appendingPathExtension("said")
            defer {
                unlink(log.path)
                unlink(log.appendingPathExtension("err").path)
            }
            let result: ToolResult
            do {
                result = try await host.runAsInvoker(command, environment: environment, isolated: false, output: log)
            } catch let error as ScratchError {
                throw StoredFileProblem(.machine, error.message, hint: error.hint)
            }
            let said = [log, log.appendingPathExtension("err")].map(ToolWords.end)
            // An empty file is none: a redirection makes one whatever the command before it finds. A part of one is no sign that it isn't there.
            let hasContent = Self.size(of: target) > 0
            if result.exitCode == 0, hasContent || Self.speakOfAbsence(said) { return hasContent }
            if let code = result.exitCode, missing.contains(Int(code)), !hasContent, code != 1 || Self.speakOfAbsence(said) { return false }
            let told = ToolWords(hiding: hidden).tail(of: said)
            throw failure(name, told.isEmpty ? result.ending : "\(result.ending): \(told)", missing: missing)
        }
    }

    private static func size(of file: URL) -> Int {
        (try? FileManager.default.attributesOfItem(atPath: file.path)[.size] as? Int).flatMap { $0 } ?? 0
    }

    private func failure(_ name: String, _ actual: String, missing: Set<Int>) -> DrillFailure {
        let codes = missing.sorted().map(String.init).joined(separator: ", ")
        return .error(
            Finding(
                .fetchFailed, object: name, expected: "exit 0, or \(codes) where the archive doesn't hold it", actual: actual,
                message:
                    "the declared fetch-wal command could not fetch a file of the write-ahead log, so nobody knows where the archive ends",
                hint: """
                    run it by hand; if it ends so where there is no such file, name that code in fetch-wal-missing, or let it end with 1 and say \
                    nothing but that the file was not found
                    """))
    }

    /// Whether a tool that ends with 1 says nothing, or that there is no such file. `barman get-wal`, `cp`, `aws` and a shell's pipes end with 1
    /// for refused logins, dead networks and damage, too: only words, or none, tell them apart.
    static func speakOfAbsence(_ said: [String]) -> Bool {
        let text = said.joined(separator: "\n")
        if text.allSatisfy(\.isWhitespace) { return true }
        // That a pipe's next program got nothing says no more than the first one: `unexpected end of file` alone is no absence, and no trouble either.
        // Case tells Barman's own EXCEPTION from the CommandException by which gsutil says that it found nothing.
        if text.contains("EXCEPTION: ") { return false }
        let trouble =
            #/
            (?i) traceback | denied | forbidden | credential | unknown\ server | no\ such\ host | not\ resolve | name\ resolution | refused | reset\ by
            | timed?\ ?-?out | unreachable | no\ route | not\ connected | stale\ file | no\ space | input\/output | decompress
            | corrupt | command\ not\ found | nosuchbucket | bucket\ does\ not
            /#
        let absence =
            #/
            (?i) no\ such\ file | not\ found | doesn't\ exist | does\ not\ exist | nosuchkey | \b404\b | unable\ to\ find | could\ not\ find
            | can(?:no|')t\ find | cannot\ be\ found | no\ such\ (?:key|object|segment|wal) | no\ urls\ matched | matched\ no\ objects
            /#
        return !text.contains(trouble) && text.contains(absence)
    }

    // MARK: What a declared command gives

    /// One that ignores what it is asked for never lets a recovery end, or fills it with the same file over and over.
    func confused(_ name: String, _ actual: String) -> DrillFailure {
        .error(
            Finding(
                .fetchFailed, object: name, expected: "the file that {wal} names, at {path}", actual: actual,
                message: "the declared fetch-wal command gives other files than it is asked for",
                hint: "run it by hand with \(name), and let it end with 1 where the archive doesn't hold that file"))
    }
}
