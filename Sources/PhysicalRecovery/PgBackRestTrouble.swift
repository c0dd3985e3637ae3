// Why pgbackrest failed, by its exit code and its words: what lies in the repository, or this machine.

public import DrillModel
import ScratchHost

extension Rule {
    public static let pgBackRestFailed = Rule("pgbackrest-failed")
}

/// What a call of pgbackrest ended with, judged.
enum PgBackRestTrouble: Sendable, Hashable {
    /// What is stored can't be used: damage, a missing file, another key.
    case repository
    /// Options, permissions, the version, the connection, or the program itself: nothing is said of what is stored.
    ///
    /// - Parameter words: What pgbackrest says to it, on one line.
    case machine(words: String)
    case diskFull

    /// The errors that speak of what is stored, by their exit codes. Every other is the machine's: options (27, 30 to 37, 43, 96), permissions and
    /// its own files (41, 47, 52 to 54, 60 to 64, 70 to 74, 79, 83, 88, 89, 97, 98), a version too old for the source (46), locks and stops (50, 62),
    /// connections (39, 49, 72, 101, 102, 105), memory and the kernel (94, 100), and what it didn't foresee itself (25, 122 to 125).
    ///
    /// Source: pgBackRest's build/error.yaml, which has given no code another meaning from 2.45 to 2.60.
    static let ofRepository: [String: Int32] = [
        "ChecksumError": 26, "FileInvalidError": 28, "FormatError": 29, "FileReadError": 42, "ArchiveMismatchError": 44,
        "BackupMismatchError": 51, "FileMissingError": 55, "PathMissingError": 73, "BackupSetInvalidError": 75, "CryptoError": 95,
        "JsonFormatError": 99, "RepoInvalidError": 103,
    ]

    /// - Parameters:
    ///   - exit: nil where a signal ended it; 0 where only its words tell what went wrong.
    ///   - words: Its messages. The errors that led to the last one stand there by their names: 42, 75 and 103 say only that none was good.
    init(exit: Int32?, words: String, hiding secret: String? = nil) {
        if words.contains("No space left on device") {
            self = .diskFull
            return
        }
        let causes = words.matches(of: /\b[A-Z][A-Za-z]+Error\b/).map { String($0.output) }
        let isStored = causes.allSatisfy { Self.ofRepository[$0] != nil }
        if isStored, exit == 0 || Self.ofRepository.values.contains(where: { $0 == exit }) {
            self = .repository
        } else {
            self = .machine(words: Self.line(of: words, hiding: secret))
        }
    }

    /// The line that tells why, fit to be shown: a system's error before pgbackrest's own, and neither a secret nor bytes of a file.
    private static func line(of words: String, hiding secret: String?) -> String {
        let lines = words.split(separator: "\n").map { $0.replacing(/^ *(?:P[0-9]+ +)?(?:(?:ERROR|WARN|INFO|DETAIL): )? */, with: "") }
        let told =
            lines.first { $0.contains(/: \[[0-9]+\] [A-Z]/) } ?? lines.first { $0.contains(#/^\[[0-9]+\]: /#) }
            ?? lines.first { $0.contains(/\b[A-Z][A-Za-z]+Error\b/) } ?? ""
        let shown = secret.map { $0.isEmpty ? told : told.replacing($0, with: "…") } ?? told
        let plain = String(shown.unicodeScalars.map { (32..<127).contains($0.value) || $0 == "…" ? Character($0) : "?" })
        // The reason stands behind the path of the file.
        return plain.count <= 300 ? plain : "\(plain.prefix(120)) … \(plain.suffix(170))"
    }

    /// What a person is told of a machine that can't.
    ///
    /// - Parameter ending: `exit 31`.
    static func finding(_ words: String, call: String, ending: String, stanza: String) -> Finding {
        Finding(
            .pgBackRestFailed, object: "pgbackrest \(call)", expected: "a pgbackrest that can work here",
            actual: words.isEmpty ? ending : "\(ending): \(words)",
            message: "pgbackrest can't do its work on this machine, which says nothing of the backups",
            hint: hint(words, call: call, stanza: stanza))
    }

    static func hint(_ words: String, call: String, stanza: String) -> String {
        if words.contains("Permission denied") { return "let the user who runs muster read the whole repository" }
        if words.contains(/^\[0*46\]/) {
            return "install a pgbackrest that knows the source's major version, and put its folder first on PATH"
        }
        return "see what it wants: pgbackrest --stanza=\(stanza) \(call)"
    }
}
