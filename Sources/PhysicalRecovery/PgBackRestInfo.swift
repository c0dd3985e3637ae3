// What `pgbackrest info --output=json` prints, as far as it is read here.

import DrillModel

struct PgBackRestInfo: Decodable {
    struct Status: Decodable {
        var code: Int
    }
    struct Backup: Decodable {
        struct Positions: Decodable {
            var stop: String?
        }
        struct Times: Decodable {
            var stop: Int
        }
        struct Sizes: Decodable {
            struct Repository: Decodable {
                var size: Int64?
            }
            var size: Int64
            var repository: Repository?
        }
        var label: String
        var type: String
        var prior: String?
        var lsn: Positions?
        var timestamp: Times
        var info: Sizes
    }
    var name: String
    var status: Status
    var backup: [Backup]
}

/// The text of `pgbackrest verify`.
struct PgBackRestVerification: Sendable {
    /// A line about one archive or backup, and what its counts say.
    struct Part: Sendable, Hashable {
        var name: String
        var isValid: Bool
        /// `checksum invalid: 1`
        var flaws: [String]
    }
    var parts: [Part] = []
    /// The whole stanza's word.
    var isOK: Bool

    init(_ text: String) {
        isOK = text.contains("status: ok") && !text.contains("status: error")
        for line in text.split(separator: "\n").map({ $0.drop { $0 == " " } }) {
            if let archive = line.firstMatch(of: /^archiveId: ([^,]+), total WAL checked: ([0-9]+), total valid WAL: ([0-9]+)/)?.output {
                parts.append(Part(name: "archive \(archive.1)", isValid: archive.2 == archive.3, flaws: []))
            } else if let backup = line.firstMatch(of: /^backup: ([^,]+), status: ([^,]+)/)?.output {
                parts.append(Part(name: "backup \(backup.1)", isValid: backup.2 == "valid", flaws: []))
            } else if !parts.isEmpty {
                let flaws = line.split(separator: ", ").map(String.init).filter { $0.contains(": ") && !$0.hasSuffix(": 0") }
                parts[parts.count - 1].flaws += flaws
            }
        }
    }

    func findings(stanza: String) -> [Finding] {
        let bad = parts.filter { !$0.isValid || !$0.flaws.isEmpty }
        if bad.isEmpty, isOK, !parts.isEmpty { return [] }
        let hint = "take a new full backup, and find out what damaged the repository"
        guard !bad.isEmpty else {
            return [
                Finding(
                    .repositoryDamaged, object: "stanza \(stanza)", expected: "status: ok",
                    actual: isOK ? "nothing was looked at" : "status: error",
                    message: "pgbackrest verify doesn't call the repository whole", hint: hint)
            ]
        }
        return bad.map {
            Finding(
                .repositoryDamaged, object: $0.name, expected: "valid",
                actual: $0.flaws.isEmpty ? "invalid" : $0.flaws.joined(separator: ", "),
                message: "pgbackrest verify found damage in the repository", hint: hint)
        }
    }
}
