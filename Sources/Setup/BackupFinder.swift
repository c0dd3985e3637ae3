// Recognises backups in a folder by what they hold.

import BackupAccess
import ArtifactFormats
import BackupCatalog
import ConfigurationRecovery
import Cryptography
public import DrillModel
import Foundation
import Glibc
import ScratchHost

/// A series of alike artifacts.
public struct FoundSet: Sendable, Hashable {
    var kind: BackupSet.Kind
    /// Relative to the folder that was searched.
    var match: String
    /// In the order of their names: of a dated series the newest last.
    var paths: [String]
    var count: Int { paths.count }
    /// The estate file's word for the format; nil where it is stored in plain text.
    public var encryption: String?
    /// Told by a name, since what is encrypted tells nothing.
    var isGuessed = false
    var globals: String?
    var wal: String?
    var walEncryption: String?
    var stanza: String?
    /// What the seals beside its artifacts say.
    var sealed = SealedNames()

    public var summary: String {
        let what = "\(count) of kind \(kind.rawValue)\(isGuessed ? " (by their names)" : "")\(encryption == nil ? "" : ", encrypted")"
        return "\(match): \(what)\(wal.map { ", with the WAL archive \($0)" } ?? "")\(globals.map { ", with the roles in \($0)" } ?? "")"
    }
}

/// One search. It reads the first bytes of every file, and follows no link.
public struct BackupFinder: Sendable {
    var root: URL
    /// Deeper folders belong to something, and are no store of their own.
    static let deepest = 6

    public struct Found: Sendable {
        public var sets: [FoundSet] = []
        /// What was recognised and is no backup that is drilled as it lies there: what it is, and what to do.
        public var named: [String] = []
        public var passedOver: [String] = []
        /// Whether seals lie beside the artifacts.
        public var hasSeals = false

        /// Why there is nothing to write of, and what to do.
        ///
        /// - Parameter place: As the user named it.
        public func failure(in place: String) -> CommandFailure {
            if !named.isEmpty, named.allSatisfy({ $0.contains(BackupFinder.refused) }), passedOver.isEmpty {
                return CommandFailure(
                    .unverified, "nothing in \(place) may be read by this user",
                    hint: "run muster as a user who may, or let this one, as it is said above")
            }
            if !named.isEmpty {
                return CommandFailure(
                    .unverified, "no backup in \(place) can be drilled as it lies there",
                    hint: "what lies there is named above, with its mend")
            }
            return CommandFailure(
                .unverified, "no backup was recognised in \(place)",
                hint: "it looks for dumps, base backups, pgBackRest repositories, RDB and AOF files"
                    + (passedOver.isEmpty ? "; is the store mounted?" : ", and knows none of what lies there"))
        }
    }

    private enum Item: Hashable {
        case artifact(BackupSet.Kind, encryption: String?, guessed: Bool)
        case globals(encryption: String?)
        case wal(encryption: String?)
        case repository(stanza: String, encryption: String?)
        /// A key, a seal, a log: nothing to say of.
        case nothing
        case seal
        /// Of append-only files, without their manifest.
        case partOfSet
        case unknown
        /// A tar or something compressed: by its content, or else by its name.
        case packed
        /// Another tool's, or of no use as it is.
        case foreign(String)

        /// Whatever is called `sun` there, each repository is a series of its own, and an archive is one.
        var mayRotate: Bool {
            switch self {
            case .artifact(.gitMirror, _, _), .repository, .wal: false
            default: true
            }
        }
    }

    /// The paths of each pattern, by what they are.
    private typealias Groups = [SeriesName: [Item: [String]]]

    /// - Parameter look: What lies in a packed file; nil where it can't be told.
    func find(looking look: (URL) async -> PackedContent? = { _ in nil }) async -> Found {
        var groups: Groups = [:]
        var passedOver: [String] = []
        var seen: Set<String> = []
        walk("", depth: 0, &groups, &passedOver, &seen)
        groups = rotating(groups)
        for (pattern, items) in groups {
            guard let paths = items[.packed], let newest = paths.last else { continue }
            groups[pattern]?[.packed] = nil
            let item: Item
            switch await look(root.appendingPathComponent(newest)) {
            case .backup(let kind)?: item = .artifact(kind, encryption: nil, guessed: false)
            case .globals?: item = .globals(encryption: nil)
            case .other(let words)?: item = .foreign(words)
            case .encryptedInside?:
                item = .foreign("encrypted, and packed after that: have the backup job compress first, and encrypt then")
            case nil: item = Self.named(String(newest.split(separator: "/").last ?? ""), encryption: nil)
            }
            if item == .unknown { passedOver += paths.map { "\($0): not recognised" } }
            groups[pattern]?[item, default: []] += paths
        }
        return found(groups, passedOver, seen)
    }

    /// One series of what differs by a weekday, a month or a week alone; where there is just one of them, it is no rotation.
    private func rotating(_ groups: Groups) -> Groups {
        var result = groups
        let alike = Dictionary(grouping: groups.filter { $0.value.keys.allSatisfy(\.mayRotate) }.keys) { $0.rotating }
        for (name, members) in alike {
            guard let name, members.count > 1 else { continue }
            for member in members {
                result.removeValue(forKey: member)?.forEach { item, paths in result[name, default: [:]][item, default: []] += paths }
            }
            for item in result[name, default: [:]].keys { result[name]?[item]?.sort() }
        }
        return result
    }

    private func found(_ groups: Groups, _ passedOver: [String], _ seen: Set<String>) -> Found {
        var found = Found(passedOver: passedOver.sorted())
        var globals: [(match: String, encryption: String?)] = []
        var archives: [(match: String, encryption: String?)] = []
        for (series, items) in groups.sorted(by: { $0.key < $1.key }) {
            let pattern = series.pattern
            for (item, paths) in items {
                switch item {
                case .artifact(let kind, let encryption, let guessed):
                    found.sets.append(FoundSet(kind: kind, match: pattern, paths: paths, encryption: encryption, isGuessed: guessed))
                case .repository(let stanza, let encryption):
                    found.sets.append(FoundSet(kind: .pgBackRest, match: pattern, paths: paths, encryption: encryption, stanza: stanza))
                case .globals(let encryption): globals.append((pattern, encryption))
                case .wal(let encryption): archives.append((pattern, encryption))
                case .seal: found.hasSeals = true
                case .foreign(let words):
                    found.named.append(
                        "\(pattern.isEmpty ? "the folder itself" : pattern): \(words)" + (paths.count > 1 ? "; \(paths.count) of them" : "")
                    )
                case .nothing, .partOfSet, .unknown, .packed: break
                }
            }
        }
        found.sets = merged(found.sets)
        // What may not be read may well belong to its series.
        let refused = groups.values.flatMap { $0[.foreign(Self.refused)] ?? [] }
        for index in found.sets.indices where found.sets[index].kind != .pgBackRest {
            let set = found.sets[index]
            let (match, strangers) = TightGlob.fitted(set.match, to: set.paths, among: seen.subtracting(refused))
            found.sets[index].match = match
            guard let first = strangers.first else { continue }
            found.named.append(
                "\(match) takes \(first)\(strangers.count > 1 ? " and \(strangers.count - 1) more" : "") as well, which belongs elsewhere: "
                    + "keep it in a folder of its own, or a drill takes it for a backup of this series")
        }
        for file in globals where !found.sets.contains(where: { $0.kind == .pgDump && Self.parent($0.match) == Self.parent(file.match) }) {
            found.named.append("\(file.match): a globals file (roles), and no dump lies beside it")
        }
        for index in found.sets.indices {
            let set = found.sets[index]
            if set.kind == .pgDump {
                found.sets[index].globals =
                    globals.first { Self.parent($0.match) == Self.parent(set.match) && $0.encryption == set.encryption }?.match
            }
            // Of several archives the one that lies nearest.
            if set.kind == .baseBackup,
                let archive = archives.max(by: { Self.shared($0.match, set.match) < Self.shared($1.match, set.match) })
            {
                found.sets[index].wal = archive.match
                found.sets[index].walEncryption = archive.encryption
            }
        }
        return found
    }

    /// Base backups of one folder are one set, whatever they are called: an incremental one builds on another of them.
    private func merged(_ sets: [FoundSet]) -> [FoundSet] {
        var result: [FoundSet] = []
        for set in sets {
            let parent = Self.parent(set.match)
            let alike = sets.filter { $0.kind == .baseBackup && Self.parent($0.match) == parent && $0.encryption == set.encryption }
            let all = alike.flatMap(\.paths).sorted()
            let place = parent.isEmpty ? root : root.appendingPathComponent(String(parent))
            let inside = ((try? FileManager.default.contentsOfDirectory(atPath: place.path)) ?? []).filter { !$0.hasPrefix(".") }
            guard set.kind == .baseBackup, inside.count == all.count else {
                result.append(set)
                continue
            }
            var whole = set
            whole.match = parent.isEmpty ? "*" : "\(parent)/*"
            whole.paths = all
            if !result.contains(whole) { result.append(whole) }
        }
        return result
    }

    /// - Parameter seen: Gets every path that a glob could take.
    private func walk(_ path: String, depth: Int, _ groups: inout Groups, _ passedOver: inout [String], _ seen: inout Set<String>) {
        let folder = path.isEmpty ? root : root.appendingPathComponent(path)
        if StoredAccess.isRefused(folder.path, R_OK | X_OK) {
            groups[SeriesName(DatePattern.pattern(path)), default: [:]][.foreign(Self.refused), default: []].append(path)
            return
        }
        let all = Set((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [])
        if let words = ForeignStore.told(all, of: folder, depth: depth) {
            groups[SeriesName(DatePattern.pattern(path)), default: [:]][.foreign(words), default: []].append(path)
            return
        }
        for name in ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).sorted() where !name.hasPrefix(".") {
            let item = folder.appendingPathComponent(name)
            let relative = path.isEmpty ? name : "\(path)/\(name)"
            seen.insert(relative)
            let type = (try? FileManager.default.attributesOfItem(atPath: item.path))?[.type] as? FileAttributeType
            switch type {
            case .typeDirectory?:
                if let kind = Self.kind(ofFolder: item) {
                    groups[SeriesName(kind.isRepository ? relative : DatePattern.pattern(relative)), default: [:]][kind.item, default: []]
                        .append(
                            relative)
                } else if depth < Self.deepest {
                    walk(relative, depth: depth + 1, &groups, &passedOver, &seen)
                }
            case .typeRegular?:
                switch Self.kind(ofFile: item) {
                case .nothing: break
                case .unknown: passedOver.append("\(relative): not recognised")
                case .partOfSet: passedOver.append("\(relative): a part of append-only files, whose manifest isn't here")
                case .wal(let encryption):
                    // One glob for all of an archive, history files included.
                    groups[SeriesName("\(path.isEmpty ? "" : path + "/")*"), default: [:]][.wal(encryption: encryption), default: []]
                        .append(relative)
                case let kind: groups[SeriesName(DatePattern.pattern(relative)), default: [:]][kind, default: []].append(relative)
                }
            default: break
            }
        }
    }

    private static func kind(ofFolder folder: URL) -> (item: Item, isRepository: Bool)? {
        let names = Set((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [])
        // A bare repository, by its own name alone: each is a series of its own.
        if names.isSuperset(of: ["HEAD", "objects"]), !names.isDisjoint(with: ["refs", "packed-refs", "reftable"]) {
            return (.artifact(.gitMirror, encryption: nil, guessed: false), true)
        }
        if names.isSuperset(of: ["backup", "archive"]),
            let stanza = ((try? FileManager.default.contentsOfDirectory(atPath: folder.appendingPathComponent("backup").path)) ?? [])
                .sorted()
                .first(where: { FileManager.default.fileExists(atPath: folder.appendingPathComponent("backup/\($0)/backup.info").path) })
        {
            let head = FirstBytes.of(folder.appendingPathComponent("backup/\(stanza)/backup.info"))
            return (.repository(stanza: stanza, encryption: ArtifactFormat(head: head).encryption.map { _ in "pgbackrest" }), true)
        }
        let plain = names.map { $0.replacing(".enc", with: "") }
        if plain.contains("backup_manifest") {
            let encrypted = names.first { $0.hasPrefix("backup_manifest") && $0.hasSuffix(".enc") }
            let format = encrypted.map { ArtifactFormat(head: FirstBytes.of(folder.appendingPathComponent($0))).encryption ?? "openssl" }
            return (.artifact(.baseBackup, encryption: format, guessed: false), false)
        }
        if names.contains("toc.dat") { return (.artifact(.pgDump, encryption: nil, guessed: false), false) }
        if names.contains(where: { $0.hasSuffix(".aof.manifest") }) { return (.artifact(.aof, encryption: nil, guessed: false), false) }
        return nil
    }

    private static func kind(ofFile file: URL) -> Item {
        let name = file.lastPathComponent
        if StoredAccess.isRefused(file.path) { return .foreign(refused) }
        if name.hasSuffix(".seal.json") { return .seal }
        if ["log", "key", "pem", "pub", "md", "txt"].contains(where: { name.hasSuffix(".\($0)") }) { return .nothing }
        let head = FirstBytes.of(file)
        let format = ArtifactFormat(head: head)
        if WALFileName(stored: name) != nil { return .wal(encryption: format.encryption) }
        switch format {
        case .postgresArchive: return .artifact(.pgDump, encryption: nil, guessed: false)
        // As a snapshot it would come back without the commands behind it.
        case .rdb:
            let isAppendOnly = AppendOnlyText.follows(aSnapshotEndingWith: FirstBytes.lastOf(file))
            if let header = RDBHeader(head), header.isAppendOnlyBase, !isAppendOnly {
                // Of Redis 4 to 6 it is all of a file that was rewritten just now; of a set only its manifest tells what belongs to it.
                return header.isBaseOfSet || isPart(name) ? .partOfSet : .artifact(.aof, encryption: nil, guessed: false)
            }
            return .artifact(isAppendOnly ? .aof : .rdb, encryption: nil, guessed: false)
        // A part of a set without its manifest is no backup.
        case .appendOnly:
            return isPart(name) ? .partOfSet : .artifact(.aof, encryption: nil, guessed: false)
        case .sql:
            let more = (try? ArtifactStream.head(of: file, count: 1 << 20)) ?? head
            return PackedContent.isGlobals(more) ? .globals(encryption: nil) : .artifact(.pgDump, encryption: nil, guessed: false)
        case .gitBundle: return .artifact(.gitBundle, encryption: nil, guessed: false)
        case .unknown where isEnvironment(head, called: name): return .artifact(.env, encryption: nil, guessed: false)
        case .unknown where isEncryptedNoise(file, head): return .foreign(noise)
        case .empty, .unknown: return .unknown
        case .zip, .packed:
            return .foreign("\(format.rawValue), which isn't read: have the backup job use gzip or zstd, or a hook unpack it")
        case .dumpMessages:
            return .foreign("pg_dump's own messages, before a dump if there is one: have the backup job leave 2>&1 out of its line")
        case .utf16: return .foreign("a dump in UTF-16, as PowerShell's > writes it: have the backup job use pg_dump --file")
        case .opensslEncrypted, .opensslBase64, .cmsEnveloped, .cmsAuthenticated, .cmsText, .age, .gpg:
            return named(name, encryption: format.encryption)
        case .tar, .gzip, .zstd, .xz, .bzip2, .lz4: return .packed
        }
    }

    /// Called encrypted, and random from its first byte on: no header tells by what.
    private static func isEncryptedNoise(_ file: URL, _ head: [UInt8]) -> Bool {
        let isCalledSo = file.lastPathComponent.lowercased().contains(/\.(?:enc|aes|aes256|crypt|ssl|openssl|age|gpg|pgp)(?:\.|$)/)
        return isCalledSo && Randomness.isNoise(head)
    }

    private static let noise =
        "random bytes without any format's header, as openssl enc -nosalt writes, which isn't read since nothing tells a wrong key: have the "
        + "backup job leave -nosalt out; what another program encrypted, that one opens in a hook before each drill (docs/setting-up.md)"

    private static func isPart(_ name: String) -> Bool { name.contains(/\.[0-9]+\.(incr|base)\.(aof|rdb)/) }

    /// A `.env` file in plain text: its name says so, and its first lines.
    private static func isEnvironment(_ head: [UInt8], called name: String) -> Bool {
        guard name.lowercased().contains(".env"), !head.contains(0) else { return false }
        return (try? EnvFile(parsing: Secret(head)))?.isEmpty == false
    }

    /// What only its name tells.
    private static func named(_ name: String, encryption: String?) -> Item {
        let name = name.lowercased()
        func says(_ words: [String]) -> Bool { words.contains { name.contains($0) } }
        if says(["global", "roles"]) { return .globals(encryption: encryption) }
        if says([".env"]) { return .artifact(.env, encryption: encryption, guessed: true) }
        if says([".bundle"]) { return .artifact(.gitBundle, encryption: encryption, guessed: true) }
        if says([".rdb"]) { return .artifact(.rdb, encryption: encryption, guessed: true) }
        if says(["aof", "appendonly"]) { return .artifact(.aof, encryption: encryption, guessed: true) }
        if says([".dump", ".sql", ".pgdump", ".backup", "pg_dump", ".tar"]) {
            return .artifact(.pgDump, encryption: encryption, guessed: true)
        }
        return .unknown
    }

    static let refused =
        "may not be read by this user: run muster as a user who may, or let this one: setfacl -R -m u:\(ScratchHost.callerName):rX FOLDER"

    private static func parent(_ path: String) -> Substring { path[..<(path.lastIndex(of: "/") ?? path.startIndex)] }

    private static func shared(_ left: String, _ right: String) -> Int {
        zip(left.split(separator: "/"), right.split(separator: "/")).prefix { $0 == $1 }.count
    }
}
