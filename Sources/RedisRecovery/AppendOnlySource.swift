// What an append-only backup consists of: a folder with its manifest, or the one file of Redis 2 to 6.

import ArtifactFormats
import DrillModel
public import Foundation

/// The append-only files inside an artifact.
public enum AppendOnlySource: Sendable, Hashable {
    /// The folder that holds the manifest of that name.
    case parts(folder: URL, manifest: String)
    case single(URL)

    /// Finds them: in a folder of its own, in a whole data folder, or as one file.
    ///
    /// - Returns: nil where there are none.
    public init?(_ artifact: URL, isFolder: Bool) {
        guard isFolder else {
            guard Self.isAppendOnly(artifact) else { return nil }
            self = .single(artifact)
            return
        }
        let names = Self.names(in: artifact)
        if let manifest = names.first(where: { $0.hasSuffix(AppendOnlyManifest.suffix) }) {
            self = .parts(folder: artifact, manifest: manifest)
            return
        }
        // A data folder, with the set in it one folder down and perhaps a dump.rdb beside it.
        let below = names.compactMap { name -> AppendOnlySource? in
            let folder = artifact.appendingPathComponent(name, isDirectory: true)
            return Self.names(in: folder).first { $0.hasSuffix(AppendOnlyManifest.suffix) }.map { .parts(folder: folder, manifest: $0) }
        }
        if below.count == 1 {
            self = below[0]
            return
        }
        // Parts whose manifest is lost: any one of them would load, and be a part of the data.
        let orphans = ([artifact] + names.map { artifact.appendingPathComponent($0, isDirectory: true) }).contains { folder in
            Self.names(in: folder).contains(where: Self.isPart)
        }
        guard !orphans else { return nil }
        let files = names.filter { $0.hasSuffix(".aof") && Self.isAppendOnly(artifact.appendingPathComponent($0)) }
        guard below.isEmpty, files.count == 1 else { return nil }
        self = .single(artifact.appendingPathComponent(files[0]))
    }

    /// The file that tells who wrote it: the base, or the one file.
    public var origin: RedisOrigin {
        switch self {
        case .single(let file): return RedisOrigin(RDBHeader(Self.head(of: file)), needsSeven: Self.holdsTimes(file))
        case .parts(let folder, let manifest):
            let text = (try? Data(contentsOf: folder.appendingPathComponent(manifest))).map { Array($0) } ?? []
            let base = AppendOnlyManifest(text)?.base.map { folder.appendingPathComponent($0.name) }
            return RedisOrigin(base.flatMap { RDBHeader(Self.head(of: $0)) }, needsSeven: true)
        }
    }

    /// `appendonly.aof.2.incr.aof`: one file of a set.
    static func isPart(_ name: String) -> Bool { name.contains(/\.[0-9]+\.(incr|base)\.(aof|rdb)/) }

    private static func isAppendOnly(_ file: URL) -> Bool { [.rdb, .appendOnly].contains(ArtifactFormat(head: head(of: file))) }

    static func head(of file: URL) -> [UInt8] {
        guard let handle = try? FileHandle(forReadingFrom: file) else { return [] }
        defer { try? handle.close() }
        return (try? handle.read(upToCount: RDBHeader.bytesNeeded)).map { Array($0) } ?? []
    }

    /// `#TS:`, which a server before Redis 7 takes for damage.
    private static func holdsTimes(_ file: URL) -> Bool {
        head(of: file).starts(with: Array("#TS:".utf8)) || AppendOnlyText.lastTime(in: tail(of: file, 256 << 10)) != nil
    }

    /// The base of a set, and nothing behind it: what was written since stood in other files.
    static func isLoneBase(_ file: URL) -> Bool {
        RDBHeader(head(of: file))?.isBaseOfSet == true && !AppendOnlyText.follows(aSnapshotEndingWith: tail(of: file, 64))
    }

    private static func tail(of file: URL, _ count: UInt64) -> [UInt8] {
        guard let handle = try? FileHandle(forReadingFrom: file) else { return [] }
        defer { try? handle.close() }
        guard let size = try? handle.seekToEnd() else { return [] }
        try? handle.seek(toOffset: size > count ? size - count : 0)
        return (try? handle.readToEnd()).map { Array($0) } ?? []
    }

    private static func names(in folder: URL) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).sorted()
    }
}

/// What may be wrong with a set before any tool reads it.
struct AppendOnlySet {
    var folder: URL
    var manifestName: String
    var manifest: AppendOnlyManifest

    /// `appendonly.aof`
    var stem: String { String(manifestName.dropLast(AppendOnlyManifest.suffix.count)) }

    /// - Throws: ``DrillFailure`` (failed): the manifest can't be read, or names none, or the set isn't whole.
    init(in folder: URL, manifest name: String) throws(DrillFailure) {
        self.folder = folder
        manifestName = name
        let bytes = (try? Data(contentsOf: folder.appendingPathComponent(name))).map { Array($0) } ?? []
        guard let manifest = AppendOnlyManifest(bytes) else {
            throw Self.incomplete(name, expected: "lines that name files", actual: "a line that no server reads")
        }
        self.manifest = manifest
        let missing = manifest.loaded.map(\.name).filter { size(of: $0) == nil }
        guard !manifest.loaded.isEmpty, missing.isEmpty else {
            throw Self.incomplete(
                name, expected: "\(manifest.loaded.count) files that the manifest names",
                actual: manifest.loaded.isEmpty ? "an empty manifest" : "without \(missing.joined(separator: ", "))")
        }
        // The smallest snapshot has its magic and its end; a server takes an empty one for an empty dataset. Commands in its place, as with
        // aof-use-rdb-preamble no, are none where a server has begun with an empty dataset: in the first base alone.
        if let base = manifest.base, size(of: base.name) == 0, base.name.hasSuffix(".rdb") || base.sequence > 1 {
            throw Self.incomplete(name, expected: "a base with something in it", actual: "\(base.name) of 0 bytes")
        }
        if manifest.base == nil, let first = manifest.increments.map(\.sequence).min(), first != 1 {
            throw Self.incomplete(
                name, expected: "a base, or the increments from the first on", actual: "no base, and increments from \(first) on")
        }
        // As a server reads it: it takes the lines in their order, and ends at one that is there twice or goes back.
        let bases = manifest.parts.filter { $0.kind == .base }
        guard bases.count < 2 else {
            throw Self.incomplete(name, expected: "one base", actual: "\(bases.count) lines that name one: \(Self.list(bases))")
        }
        if let (before, after) = zip(manifest.increments, manifest.increments.dropFirst()).first(where: { $0.sequence >= $1.sequence }) {
            throw Self.incomplete(
                name, expected: "increments in rising order",
                actual: "\(after.name) (\(after.sequence)) behind \(before.name) (\(before.sequence))")
        }
        // What is older than what is named was superseded by a rewrite, and holds nothing that the base doesn't.
        let lost = unnamed { number, first in number > first }
        guard lost.isEmpty else {
            throw Self.incomplete(
                name, expected: "a manifest that names every part beside it", actual: "\(lost.joined(separator: ", ")) beside it, unnamed")
        }
    }

    /// Whether it has commands in it: these carry no checksum, as a snapshot does.
    var hasCommands: Bool {
        manifest.loaded.contains { part in
            guard size(of: part.name) ?? 0 > 0 else { return false }
            return part.kind == .increment || RDBHeader(AppendOnlySource.head(of: url(part))) == nil
        }
    }

    func url(_ part: AppendOnlyManifest.Part) -> URL { folder.appendingPathComponent(part.name) }

    func size(of name: String) -> Int64? {
        ((try? FileManager.default.attributesOfItem(atPath: folder.appendingPathComponent(name).path))?[.size] as? NSNumber)?.int64Value
    }

    /// Increments that no line names and that are older than those that are named, without a base as old beside them: a rewrite supersedes them,
    /// and so does whoever loses a line of the manifest.
    var doubtful: [String] {
        let older = unnamed { number, first in number < first }
        return older.contains { $0.contains(".base.") } ? [] : older
    }

    /// Increments that should stand between those that are named: a server numbers them without a gap.
    var gaps: [String] {
        let numbers = manifest.increments.map(\.sequence).sorted()
        return zip(numbers, numbers.dropFirst()).filter { $0.1 > $0.0 + 1 }.map { "\(stem).\($0.0 + 1).incr.aof" }
    }

    /// Parts with something in them that no line names.
    ///
    /// - Parameter wanted: By its number, and the lowest of its kind that is named.
    private func unnamed(_ wanted: (Int, Int) -> Bool) -> [String] {
        let named = Set(manifest.parts.map(\.name))
        let lowest = (base: manifest.base?.sequence ?? 0, increment: manifest.increments.map(\.sequence).min() ?? 0)
        return ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).sorted().filter { name in
            guard !named.contains(name), name.hasPrefix(stem + "."), (size(of: name) ?? 0) > 0,
                let match = name.dropFirst(stem.count + 1).wholeMatch(of: /([0-9]+)\.(base|incr)\.(rdb|aof)/), let number = Int(match.1)
            else { return false }
            return wanted(number, match.2 == "base" ? lowest.base : lowest.increment)
        }
    }

    private static func list(_ parts: [AppendOnlyManifest.Part]) -> String { parts.map(\.name).joined(separator: ", ") }

    private static func incomplete(_ name: String, expected: String, actual: String) -> DrillFailure {
        .failed(
            Finding(
                .appendOnlyIncomplete, object: name, expected: expected, actual: actual, message: "the append-only set is not whole",
                hint: "back up the whole folder while no rewrite is running"))
    }
}
