// What `pgbackrest verify --output=text --verbose` says, with the lines that tell why a file counts as invalid.

import DrillModel

/// The answer of `pgbackrest verify`, read line by line. It ends with 0 whatever it found.
struct PgBackRestVerification: Sendable {
    /// A line about one archive or backup, and what its counts say.
    struct Part: Sendable, Hashable {
        /// `15-1` of an archive, its label of a backup.
        var id: String
        var name: String
        var isValid: Bool
        /// `checksum invalid: 1`
        var flaws: [String]

        var family: Substring { PgBackRestVerification.family(of: id[...]) }
    }

    /// `20261129-180012F_20261129-181937I` builds on `20261129-180012F`.
    private static func family(of id: Substring) -> Substring { id.prefix { $0 != "_" } }

    private(set) var parts: [Part] = []
    /// Whether there is an answer at all.
    private(set) var isThere = false
    private var isOK = false
    private var isBad = false
    /// Why this machine could not read files of an archive, or of a full backup and what builds on it: those count for each of them.
    private var unread: [Substring: String] = [:]
    /// Where files could be read and are not what they should be.
    private var damaged: Set<Substring> = []
    /// Why this machine could not read files of the catalogue, by the part; an empty name: the stanza's own.
    private var closed: [String: String] = [:]

    init(lines: some Sequence<String>) {
        var isAnswer = false
        for line in lines {
            // The log has the whole text once more, indented, and its own lines begin like this.
            if line.hasPrefix("stanza: ") {
                isAnswer = true
                parts = []
            } else if line.hasPrefix("P"), line.contains(#/^P[0-9]+ +[A-Z]+: /#) {
                isAnswer = false
                readReason(line)
            } else if isAnswer {
                readAnswer(line)
            }
        }
    }

    private mutating func readAnswer(_ line: String) {
        let line = line.drop { $0 == " " }
        if line.hasPrefix("status: ") {
            isThere = true
            isOK = line == "status: ok"
            isBad = !isOK
        } else if let archive = line.firstMatch(of: /^archiveId: ([^,]+), total WAL checked: ([0-9]+), total valid WAL: ([0-9]+)/)?.output {
            parts.append(Part(id: String(archive.1), name: "archive \(archive.1)", isValid: archive.2 == archive.3, flaws: []))
        } else if let backup = line.firstMatch(of: /^backup: ([^,]+), status: ([^,]+)/)?.output {
            parts.append(Part(id: String(backup.1), name: "backup \(backup.1)", isValid: backup.2 == "valid", flaws: []))
        } else if !parts.isEmpty {
            let flaws = line.split(separator: ", ").map(String.init).filter { $0.contains(": ") && !$0.hasSuffix(": 0") }
            parts[parts.count - 1].flaws += flaws
        }
    }

    /// `P01   INFO: invalid result 15-1/0000000100000000/….gz: [41] … unable to open file '…' for read: [13] Permission denied`, and of the
    /// catalogue's own files `P00 DETAIL: unable to open file '…/backup.info' for read: [13] Permission denied`.
    private mutating func readReason(_ line: String) {
        if let reason = line.firstMatch(of: #/invalid result ([^\/]+)\/.*?: \[([0-9]+)\] /#)?.output {
            let family = Self.family(of: reason.1)
            switch PgBackRestTrouble(exit: Int32(reason.2), words: line) {
            case .machine(let words): unread[family] = words
            case .repository, .diskFull: damaged.insert(family)
            }
        } else if line.contains(/^P[0-9]+ +DETAIL: .*: \[[0-9]+\] [A-Z]/),
            case .machine(let words) = PgBackRestTrouble(exit: nil, words: line)
        {
            // `…/backup/STANZA/LABEL/backup.manifest`
            let part = line.firstMatch(of: /\/([^\/]+)\/backup\.manifest/).map { String($0.output.1) }
            closed[part ?? ""] = words
        }
    }

    /// A finding for each part that isn't valid: what is damaged, and what only this machine can't read.
    ///
    /// - Parameter references: By a backup's label, the backups that it can't be restored without; pgbackrest calls it valid without them.
    func judged(stanza: String, references: [String: Set<String>] = [:]) -> (findings: [Finding], errors: [Finding]) {
        let bad = parts.filter { !$0.isValid || !$0.flaws.isEmpty }
        if bad.isEmpty, isOK, !parts.isEmpty { return ([], []) }
        let hint = "take a new full backup, and find out what damaged the repository"
        guard !bad.isEmpty else {
            if let words = closed[""] { return ([], [unreadable("stanza \(stanza)", words, stanza: stanza)]) }
            return (
                [
                    Finding(
                        .repositoryDamaged, object: "stanza \(stanza)", expected: "status: ok",
                        actual: isBad ? "status: error" : "nothing was looked at",
                        message: "pgbackrest verify doesn't call the repository whole", hint: hint)
                ], []
            )
        }
        var findings: [Finding] = []
        var errors: [Finding] = []
        for part in bad {
            if let words = closed[part.id] {
                errors.append(unreadable(part.name, words, stanza: stanza))
            } else if let words = unread[part.family], !damaged.contains(part.family), part.flaws.count == 1,
                part.flaws[0].hasPrefix("other: ")
            {
                errors.append(unreadable(part.name, words, stanza: stanza))
            } else {
                findings.append(
                    Finding(
                        .repositoryDamaged, object: part.name, expected: "valid",
                        actual: part.flaws.isEmpty ? "invalid" : part.flaws.joined(separator: ", "),
                        message: "pgbackrest verify found damage in the repository", hint: hint))
            }
        }
        let broken = Set(findings.map(\.object))
        // What a backup refers to may refer to more itself.
        func parents(_ label: String, _ seen: Set<String> = []) -> Set<String> {
            var seen = seen
            for parent in references[label] ?? [] where seen.insert(parent).inserted { seen.formUnion(parents(parent, seen)) }
            return seen
        }
        for part in parts where !broken.contains(part.name) {
            guard let parent = parents(part.id).sorted().first(where: { broken.contains("backup \($0)") }) else { continue }
            findings.append(
                Finding(
                    .repositoryDamaged, object: part.name, expected: "valid, with all that it builds on", actual: "builds on \(parent)",
                    message: "the backup builds on one that is damaged, so it can't be restored, though pgbackrest verify calls it valid",
                    hint: hint))
        }
        return (findings, errors)
    }

    private func unreadable(_ name: String, _ words: String, stanza: String) -> Finding {
        Finding(
            .pgBackRestFailed, object: name, expected: "every file can be read here", actual: words,
            message: "pgbackrest verify can't read all of it on this machine, so nothing is said of the rest",
            hint: PgBackRestTrouble.hint(words, call: "verify", stanza: stanza))
    }
}
