// What kind of dump lies in the scratch folder, and what its own words say about where it came from.

public import ArtifactFormats
public import DrillModel
public import Foundation

extension Rule {
    static let artifactNotADump = Rule("artifact-not-a-dump")
}

/// A decrypted and unpacked `pg_dump` backup.
public struct DumpSource: Sendable, Hashable {
    public enum Format: String, Sendable, Hashable {
        case custom, tar, directory, plain
    }
    public var location: URL
    public var format: Format
    /// The globals file, where the backup has one.
    public var globals: URL?
    /// The server that was dumped, as `server_version_num` has it: 150018; nil where the dump doesn't say.
    public var serverVersion: Int?
    /// The dump's own instant, read as UTC; nil for a plain script.
    public var header: ArchiveHeader?

    /// - Throws: ``DrillFailure`` (failed): the artifact is no dump at all.
    public init(location: URL, format: ArtifactFormat, isFolder: Bool, globals: URL?, backup: String) throws(DrillFailure) {
        self.location = location
        self.globals = globals
        if isFolder {
            let toc = location.appendingPathComponent("toc.dat")
            guard let head = Self.head(of: toc), let header = ArchiveHeader(head, timeZone: .gmt), header.layout != .custom else {
                let names = FileManager.default.enumerator(atPath: location.path)?.lazy.compactMap { $0 as? String }.prefix(5000)
                let strange = names.flatMap { StrangeTree(names: $0) }
                throw Self.notADump(backup, strange?.what ?? "a folder without a pg_dump table of contents", hint: strange?.hint)
            }
            self.format = .directory
            self.header = header
            serverVersion = Self.number(header.serverVersion)
            return
        }
        guard let head = Self.head(of: location) else { throw Self.notADump(backup, "a file that can't be read") }
        switch format {
        case .postgresArchive:
            guard let header = ArchiveHeader(head, timeZone: .gmt), header.layout == .custom else {
                throw LineEnds.translated(location, object: backup) ?? Self.notADump(backup, "an archive with a damaged head")
            }
            self.format = .custom
            self.header = header
            serverVersion = Self.number(header.serverVersion)
        case .tar:
            // A tar's first member follows its 512-byte header, and pg_dump writes toc.dat first.
            guard let header = ArchiveHeader(Array(head.dropFirst(512)), timeZone: .gmt), header.layout == .tar else {
                throw Self.notADump(backup, "a tar without a pg_dump table of contents")
            }
            self.format = .tar
            self.header = header
            serverVersion = Self.number(header.serverVersion)
        case .sql:
            self.format = .plain
            header = nil
            let text = String(decoding: head, as: UTF8.self)
            // A CR LF is one character.
            let line = text.split(whereSeparator: \.isNewline).first { $0.hasPrefix("-- Dumped from database version ") }
            serverVersion = line.flatMap { Self.number($0.dropFirst("-- Dumped from database version ".count)) }
        default:
            throw Self.notADump(backup, format.rawValue)
        }
    }

    var isFolder: Bool { format == .directory }

    /// The major version of the server that was dumped.
    public var serverMajor: Int? { serverVersion.map { $0 / 10_000 } }

    /// `15.18 (Debian …)` → 150018; `19rc1` → 190000.
    static func number(_ text: some StringProtocol) -> Int? {
        let parts = text.split(separator: ".", maxSplits: 1)
        guard let major = parts.first.flatMap({ Int($0.prefix { $0.isNumber }) }) else { return nil }
        let minor = parts.count > 1 ? Int(parts[1].prefix { $0.isNumber }) ?? 0 : 0
        return major * 10_000 + minor
    }

    private static func head(of file: URL) -> [UInt8]? {
        guard let handle = try? FileHandle(forReadingFrom: file) else { return nil }
        defer { try? handle.close() }
        return (try? handle.read(upToCount: ArtifactFormat.bytesNeeded)).flatMap { $0 }.map { Array($0) }
    }

    private static func notADump(_ backup: String, _ actual: String, hint: String? = nil) -> DrillFailure {
        .failed(
            Finding(
                .artifactNotADump, object: backup, expected: "a pg_dump backup", actual: actual,
                message: "the artifact isn't what its kind says",
                hint: hint ?? "check the backup's kind and match in the estate file"))
    }
}
