// The files of one run, held against what its entries say of them: what is found of one run says nothing of another.

import Foundation
import Glibc

/// What became of a run's files.
struct RunFiles: Sendable {
    var problems: [LedgerVerification.Problem] = []
    /// By the line of the entry.
    var obstacles: [Int: [String]] = [:]
    /// Those that its entries name.
    var names: Set<String> = []
    /// Those in its folder that no entry names, sorted.
    var strangers: [String] = []
    /// How many are there and equal.
    var equal = 0
    /// Whether its folder is gone as a whole.
    var isGone = false

    /// - Parameters:
    ///   - entries: Of this run, at least one, by their lines. Where there are several, they name the same files.
    ///   - folder: The path that the run's folder lies in.
    init(_ entries: [LedgerEntry], in folder: String) {
        guard let run = entries.first?.run else { return }
        var status = stat()
        guard lstat("\(folder)/\(run)", &status) == 0 || errno != ENOENT else {
            isGone = true
            return
        }
        var looked: [String: RunFile] = [:]
        for entry in entries {
            for subject in entry.statement.subject { look(at: subject, of: entry, in: folder, &looked) }
        }
        let present = (try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/\(run)")) ?? []
        strangers = present.filter { !names.contains("\(run)/\($0)") }.sorted()
    }

    private mutating func look(at subject: Statement.Subject, of entry: LedgerEntry, in folder: String, _ looked: inout [String: RunFile]) {
        let name = subject.name
        func tell(_ message: String) {
            problems.append(LedgerVerification.Problem(line: entry.line, run: entry.run, message: message))
        }
        guard name.hasPrefix("\(entry.run)/"), !Self.climbs(name) else {
            tell("\(name) is no file of the run's folder")
            return
        }
        let isFirst = names.insert(name).inserted
        let file = looked[name] ?? RunFile.look(at: "\(folder)/\(name)")
        looked[name] = file
        switch file {
        case .missing: tell("removed: \(name)")
        case .foreign: tell("replaced: \(name) is no file any more")
        case .unreadable: obstacles[entry.line, default: []].append("\(name) can't be read")
        case .regular(let digest) where digest == subject.digest.sha256: equal += isFirst ? 1 : 0
        case .regular: tell("altered: \(name)")
        }
    }

    /// Whether there are two dots in a row, with which a path leads out of its folder.
    private static func climbs(_ name: String) -> Bool {
        let dot = UInt8(ascii: ".")
        return zip(name.utf8, name.utf8.dropFirst()).contains { $0 == dot && $1 == dot }
    }
}
