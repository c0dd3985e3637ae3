// One stanza of a pgBackRest repository, asked through the pgbackrest program itself; the repository is only read.

public import ArtifactFormats
public import Cryptography
public import DrillModel
public import Foundation
import Glibc
public import ScratchHost

extension Rule {
    public static let pgBackRestMissing = Rule("pgbackrest-missing")
    public static let repositoryUnreadable = Rule("repository-unreadable")
    public static let repositoryDamaged = Rule("repository-damaged")
}

/// A repository in a folder.
public struct PgBackRest: Sendable {
    /// One backup of it, as `pgbackrest info` has it.
    public struct Backup: Sendable {
        public var label: String
        /// `full`, `diff` or `incr`.
        public var type: String
        /// The backup that it builds on.
        public var prior: String?
        public var stop: Date
        /// Where it is consistent.
        public var end: UInt64
        /// Bytes in the repository that restoring it reads.
        public var size: Int64
        /// The segments that were written while it was taken.
        public var archive: (first: WALSegmentName, last: WALSegmentName)?
        /// Which of the stanza's clusters it is of: an upgrade makes a new one.
        public var database: Int
        /// The backups that it can't be restored without.
        public var references: Set<String>
    }

    public let folder: URL
    public let stanza: String
    private let passphrase: Secret?

    /// - Parameter passphrase: The repository's cipher pass; nil: it isn't encrypted.
    public init(folder: URL, stanza: String, passphrase: Secret?) {
        self.folder = folder
        self.stanza = stanza
        self.passphrase = passphrase
    }

    /// Where one backup lies.
    public func location(of label: String) -> URL { folder.appendingPathComponent("backup/\(stanza)/\(label)", isDirectory: true) }

    /// The settings of one call. The pass stands in the environment of a child of ours alone, never on a command line or in a file.
    ///
    /// - Parameters:
    ///   - scratch: Where it may write locks; nothing of it ever goes to the repository.
    ///   - level: From where on it tells things, to standard output.
    private func environment(
        for program: PgBackRestProgram, scratch: String, data: URL?, level: String = "warn"
    ) -> [String: String] {
        var values = [
            "CONFIG": "/dev/null", "STANZA": stanza, "REPO1_PATH": folder.path, "LOG_LEVEL_FILE": "off", "LOG_LEVEL_CONSOLE": level,
            "LOG_LEVEL_STDERR": "off", "LOG_TIMESTAMP": "n", "LOCK_PATH": scratch, "SPOOL_PATH": scratch, "JOB_RETRY": "1",
        ]
        // What it fears of root is files that root would own in the repository; nothing is written there.
        if program.wantsAllowRoot, geteuid() == 0 { values["ALLOW_ROOT"] = "y" }
        if let data { values["PG1_PATH"] = data.path }
        if let passphrase {
            values["REPO1_CIPHER_TYPE"] = "aes-256-cbc"
            values["REPO1_CIPHER_PASS"] = passphrase.withBytes { String(decoding: $0, as: UTF8.self) }
        }
        return Dictionary(values.map { ("PGBACKREST_\($0)", $1) }) { first, _ in first }
    }

    // MARK: The catalogue

    /// Every backup of the stanza, the oldest first.
    ///
    /// - Throws: ``DrillFailure``: error where the program is missing or can't work here, failed where the repository can't be read with this
    ///   key.
    public func backups() throws(DrillFailure) -> [Backup] {
        let program = try PgBackRestProgram.find()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program.path)
        process.arguments = ["info", "--output=json"]
        process.environment = ToolRunner.environment(environment(for: program, scratch: "/nonexistent", data: nil))
        process.standardInput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        let pipe = Pipe()
        process.standardOutput = pipe
        guard (try? process.run()) != nil else { throw Self.missing }
        let output = (try? pipe.fileHandleForReading.readToEnd()).flatMap { $0 } ?? Data()
        process.waitUntilExit()
        // A message may hold bytes of a file that it couldn't read, which need not be UTF-8.
        let text = String(decoding: output, as: UTF8.self)
        let isSignal = process.terminationReason == .uncaughtSignal
        let result = ToolResult(
            exitCode: isSignal ? nil : process.terminationStatus, signal: isSignal ? process.terminationStatus : nil, output: text)
        guard result.succeeded else { throw unreadable("info", result, words: text) }
        guard let stanzas = try? JSONDecoder().decode([PgBackRestInfo].self, from: Data(text.utf8)),
            let info = stanzas.first(where: { $0.name == stanza })
        else { throw unreadable("pgbackrest info tells nothing of it") }
        // The program ends with 0 whatever it found; only the status tells. 2 is a stanza without backups.
        guard [0, 2].contains(info.status.code) else {
            let words = (info.repo ?? []).compactMap(\.status.message).joined(separator: "\n")
            throw info.status.code == 99 ? unreadable("info", result, words: words) : unreadable(Self.told(info.status))
        }
        return info.backup.compactMap { entry in
            guard let end = WALPosition.parse(entry.lsn?.stop ?? "") else { return nil }
            return Backup(
                label: entry.label, type: entry.type, prior: entry.prior,
                stop: Date(timeIntervalSince1970: TimeInterval(entry.timestamp.stop)), end: end,
                size: entry.info.repository?.size ?? entry.info.size,
                archive: WALSegmentName(entry.archive?.start ?? "").flatMap { first in
                    WALSegmentName(entry.archive?.stop ?? "").map { (first, $0) }
                },
                database: entry.database?.id ?? 0, references: Set((entry.reference ?? []) + [entry.prior].compactMap { $0 }))
        }
    }

    /// Codes are pgBackRest's own; of what it says beside them, parts could be of the content that it failed to read.
    private static func told(_ status: PgBackRestInfo.Status) -> String {
        switch status.code {
        case 1: "missing stanza path"
        case 3: "missing stanza data"
        case 4: "different across repositories"
        case 6: "no such stanza"
        default: "its catalogue can't be read (status \(status.code))"
        }
    }

    /// - Parameter words: What it said, which tells whose fault it is.
    private func unreadable(_ call: String, _ result: ToolResult, words: String) -> DrillFailure {
        switch trouble(result, words: words) {
        case .repository:
            unreadable(result.succeeded ? "a catalogue that can't be read" : "pgbackrest \(call) ended with \(result.ending)")
        case .machine(let told): .error(PgBackRestTrouble.finding(told, call: call, ending: result.ending, stanza: stanza))
        case .diskFull: Self.diskFull(call)
        }
    }

    private func trouble(_ result: ToolResult, words: String) -> PgBackRestTrouble {
        PgBackRestTrouble(
            exit: result.exitCode, words: words, hiding: passphrase?.withBytes { String(decoding: $0, as: UTF8.self) })
    }

    private static func diskFull(_ object: String) -> DrillFailure {
        .error(
            Finding(
                .scratchDiskFull, object: object, expected: "room for the restored data", actual: "a full disk",
                message: "the scratch disk is full", hint: "free some space there, or choose another disk with --scratch"))
    }

    private func unreadable(_ actual: String) -> DrillFailure {
        let isEncrypted = passphrase != nil
        var message = "the pgBackRest repository can't be read"
        var hint = "check match, stanza\(isEncrypted ? " and the key" : "") in the estate file, then: pgbackrest --stanza=\(stanza) info"
        if let stored = isStoredEncrypted, stored != isEncrypted {
            message =
                "the estate says that the pgBackRest repository is \(isEncrypted ? "encrypted, and it is not" : "not encrypted, and it is")"
            hint =
                isEncrypted
                ? "write encryption: none for this backup in the estate file, and treat what it holds as disclosed"
                : "declare encryption: {format: pgbackrest, key: NAME} for this backup in the estate file"
        }
        return .broken(
            .repositoryUnreadable, "stanza \(stanza) in \(folder.lastPathComponent)", expected: "a repository that pgbackrest can read",
            actual: actual, "\(message); recoverable up to: nothing", hint: hint)
    }

    /// By its own catalogue's first bytes; nil where they tell nothing.
    private var isStoredEncrypted: Bool? {
        let info = ["backup/\(stanza)/backup.info", "archive/\(stanza)/archive.info"].lazy.compactMap {
            try? FileHandle(forReadingFrom: folder.appendingPathComponent($0))
        }.first
        defer { try? info?.close() }
        guard let head = try? info?.read(upToCount: 8) else { return nil }
        if head == Data("Salted__".utf8) { return true }
        return head.starts(with: Data("[".utf8)) ? false : nil
    }

    static let missing = DrillFailure.error(
        Finding(
            .pgBackRestMissing, object: "pgbackrest", expected: "the pgbackrest program", actual: "none on this machine",
            message: "a pgBackRest repository is restored through pgbackrest itself, and it is not on this machine",
            hint: "apt-get install pgbackrest"))

    // MARK: Restoring

    /// Restores one backup, and what it builds on, into an empty folder.
    ///
    /// pgBackRest holds every file against the checksum that it took at backup time. It runs as Muster's own user, who may read the
    /// repository, and without a network.
    /// - Parameter tablespaces: Where tablespaces go, one folder each.
    func restore(_ label: String, to data: URL, tablespaces: URL, on host: ScratchHost, log: URL) async throws {
        let program = try PgBackRestProgram.find()
        let jobs = max(1, min(8, ProcessInfo.processInfo.activeProcessorCount))
        let result = try await Self.run(
            host,
            [
                "restore", "--set=\(label)", "--type=none", "--archive-mode=off", "--tablespace-map-all=\(tablespaces.path)",
                "--process-max=\(jobs)",
            ], environment(for: program, scratch: host.folder.url.path, data: data), output: log)
        guard !result.succeeded else { return }
        throw failure(label, result, words: (try? String(decoding: Data(contentsOf: log), as: UTF8.self)) ?? "")
    }

    private func failure(_ label: String, _ result: ToolResult, words text: String) -> DrillFailure {
        switch trouble(result, words: text) {
        case .repository: break
        case .machine(let told): return .error(PgBackRestTrouble.finding(told, call: "restore", ending: result.ending, stanza: stanza))
        case .diskFull: return Self.diskFull(label)
        }
        // Of its words only the file's name is told.
        let file = text.firstMatch(of: /(?:'|\s)([^' ]*\/(?:pg_data|pg_tblspc)\/[^' ]+)/).map { String($0.output.1) }
        let name = file.map { $0.replacing("\(folder.path)/backup/\(stanza)/", with: "") } ?? label
        let missing = text.contains("missing file") || text.contains("FileMissingError")
        return .broken(
            .repositoryDamaged, name, expected: "every file as it was backed up",
            actual: missing ? "a file is missing" : "pgbackrest restore ended with \(result.ending)",
            missing
                ? "a file that the backup needs is missing from the repository: a link of its chain is gone"
                : "pgbackrest can't restore the backup from this repository",
            hint: "see what else is damaged with: pgbackrest --stanza=\(stanza) verify --output=text --verbose; then take a new full backup"
        )
    }

    /// - Returns: false where the repository doesn't hold it.
    func fetch(_ name: String, to target: URL, data: URL, on host: ScratchHost) async throws -> Bool {
        let program = try PgBackRestProgram.find()
        let result = try await Self.run(
            host, ["archive-get", name, target.path], environment(for: program, scratch: host.folder.url.path, data: data), output: nil)
        switch result.exitCode {
        case 0: return true
        case 1: return false
        default:
            switch trouble(result, words: result.output) {
            case .repository:
                throw StoredFileProblem(
                    .damaged, "pgbackrest can't read \(name) from its archive (\(result.ending))",
                    hint: "see: pgbackrest --stanza=\(stanza) verify --output=text")
            case .machine(let told):
                throw StoredFileProblem(
                    .machine, "pgbackrest archive-get can't work here: \(result.ending)\(told.isEmpty ? "" : ": \(told)")",
                    hint: PgBackRestTrouble.hint(told, call: "archive-get", stanza: stanza))
            case .diskFull:
                throw StoredFileProblem(
                    .machine, "the scratch disk is full", hint: "free some space there, or choose another disk with --scratch")
            }
        }
    }

    /// What the archive holds, by the names of its files; those are plain whatever the cipher. Segments of the newest history only.
    ///
    /// - Parameter database: The number of one cluster; nil: the newest's.
    public func archived(database: Int? = nil) -> Set<WALFileName> {
        Set(archivedNames(database).compactMap(WALFileName.init(stored:)))
    }

    func partialSegments() -> Set<WALSegmentName> { Set(archivedNames().compactMap(WALFileName.partial(stored:))) }

    private func archivedNames(_ database: Int? = nil) -> [String] {
        let archive = folder.appendingPathComponent("archive/\(stanza)", isDirectory: true)
        let files = FileManager.default
        // `15-1`: major version and the number of the cluster, which counts up with each new one.
        let histories = ((try? files.contentsOfDirectory(atPath: archive.path)) ?? []).filter { $0.wholeMatch(of: /[0-9.]+-[0-9]+/) != nil }
        func number(_ history: String) -> Int { Int(history.split(separator: "-")[1]) ?? 0 }
        let wanted = database.map { database in histories.filter { number($0) == database } } ?? histories
        guard let newest = wanted.max(by: { number($0) < number($1) }) else { return [] }
        var names: [String] = []
        let walk = files.enumerator(atPath: archive.appendingPathComponent(newest).path)
        while let path = walk?.nextObject() as? String {
            // Behind a segment's name stands its checksum: `000000010000000000000003-8913….gz`.
            if let name = path.split(separator: "/").last { names.append(String(name.prefix { $0 != "-" })) }
        }
        return names
    }

    /// What `pgbackrest verify` says of the whole stanza; it ends with 0 whatever it finds, so its text is read.
    ///
    /// - Returns: A finding for each archive and backup that isn't valid, and one for each that can't be read here.
    public func verify(on host: ScratchHost) async throws -> (findings: [Finding], errors: [Finding]) {
        let program = try PgBackRestProgram.find()
        // Why a file counts as invalid is told on the way only, a line each: of a large repository more than should lie in memory.
        let log = host.folder.url.appendingPathComponent("pgbackrest-verify.log")
        defer { unlink(log.path) }
        let result = try await Self.run(
            host, ["verify", "--output=text", "--verbose"],
            environment(for: program, scratch: host.folder.url.path, data: nil, level: "detail"), output: log)
        let said = (try? Data(contentsOf: log, options: .mappedIfSafe)) ?? Data()
        let verification = PgBackRestVerification(
            lines: said.split(separator: UInt8(ascii: "\n")).lazy.map { String(decoding: $0, as: UTF8.self) })
        guard result.succeeded, verification.isThere else {
            throw unreadable("verify", result, words: String(decoding: said.suffix(64 << 10), as: UTF8.self))
        }
        return verification.judged(
            stanza: stanza, references: Dictionary(((try? backups()) ?? []).map { ($0.label, $0.references) }) { first, _ in first })
    }

    private static func run(
        _ host: ScratchHost, _ words: [String], _ environment: [String: String], output: URL?
    ) async throws -> ToolResult {
        do {
            return try await host.runAsInvoker(["pgbackrest"] + words, environment: environment, isolated: true, output: output)
        } catch let error as ScratchError {
            throw DrillFailure.error(Finding(.scratchUnusable, object: "pgbackrest", message: error.message, hint: error.hint))
        }
    }
}
