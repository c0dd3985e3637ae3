// An estate's remote stores for the time of one run: each listed once, and brought file by file into the run's scratch folder.

import ArtifactFormats
import Cryptography
public import DrillModel
public import Foundation
import Glibc
public import ScratchHost

/// Lists remote stores, and brings what lies there to where the recoveries read it.
public actor RemoteStores {
    private let estate: Estate
    /// nil where the estate has no remote store.
    private let host: ScratchHost?
    private var listings: [String: Task<Result<Listing, DrillFailure>, Never>] = [:]
    private var brought: [String: Task<Void, any Error>] = [:]

    private struct Listing: Sendable {
        var rclone: Rclone
        var root: URL
        var objects: [RemoteObject]
        var unusable: [UnusableObject]
    }

    /// How much of a set's artifacts is read ahead of a restore.
    public enum Reading: Sendable, Hashable {
        /// The first bytes of unsealed artifacts, so many of the newest: their own time stands there.
        case times(Int)
        /// Of every artifact also what tells whether it is encrypted.
        case looks(times: Int)

        var heads: Int {
            switch self {
            case .times(let count), .looks(let count): count
            }
        }
    }

    /// - Parameter host: Takes what is brought; nil where ``Estate/hasRemoteStores`` is false.
    public init(_ estate: Estate, host: ScratchHost?) {
        self.estate = estate
        self.host = host
    }

    // MARK: Listing

    /// Lists the remote stores of a set and of its write-ahead log, each once in this object's life, and brings what the catalogue reads:
    /// seals, manifests, backup history files, first bytes.
    public func open(for set: BackupSet, reading: Reading) async -> OpenedStores {
        var opened = OpenedStores()
        let archive = set.wal?.stores ?? []
        for name in set.stores + archive.filter({ !set.stores.contains($0) }) {
            guard let store = estate.stores[name], store.remote != nil else { continue }
            let listing = await listing(of: store)
            do throws(DrillFailure) {
                opened.snapshots[name] = .success(try await prepare(try listing.get(), set, in: name, reading))
            } catch {
                opened.snapshots[name] = .failure(error)
            }
        }
        return opened
    }

    private func listing(of store: Store) async -> Result<Listing, DrillFailure> {
        if let known = listings[store.name] { return await known.value }
        let (estate, host, index) = (estate, host, listings.count)
        let task = Task { () -> Result<Listing, DrillFailure> in
            await Self.failures(of: store) {
                guard let host, let remote = store.remote else { throw CancellationError() }
                let root = host.folder.url.appendingPathComponent("store-\(index)", isDirectory: true)
                try FileManager.default.createDirectory(
                    at: root, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
                let rclone = Rclone(connection: try await RcloneConnection(store, remote, keyring: Keyring(estate)), host: host)
                let (objects, unusable) = try await rclone.list()
                return Listing(rclone: rclone, root: root, objects: objects, unusable: unusable)
            }
        }
        listings[store.name] = task
        return await task.value
    }

    /// What stands between this machine and a store; nil where its top can be listed.
    public func failure(of store: Store) async -> DrillFailure? {
        let (estate, host) = (estate, host)
        let result = await Self.failures(of: store) {
            guard let host, let remote = store.remote else { throw CancellationError() }
            var rclone = Rclone(connection: try await RcloneConnection(store, remote, keyring: Keyring(estate)), host: host)
            // It writes nothing before it has all pages of a large one.
            rclone.patience = .seconds(180)
            let asked = rclone
            try await asked.retrying { try await asked.run(["lsf", "--max-depth", "1", asked.connection.base], output: .discard) }
        }
        if case .failure(let failure) = result { return failure }
        return nil
    }

    /// A folder that stands for a store: a file for each object, of its size and time, that holds the first bytes of the newest of each
    /// folder and zeros otherwise, and takes no room.
    ///
    /// - Throws: ``DrillFailure`` where the store can't be listed or read.
    public func standIns(for store: Store) async throws -> URL {
        let listing = try await listing(of: store).get()
        let folders = Dictionary(grouping: listing.objects) { $0.path.split(separator: "/").dropLast().joined(separator: "/") }
        var samples = RemoteSamples(rclone: listing.rclone, objects: listing.objects)
        let read = folders.values.flatMap { objects in
            objects.filter { $0.archive == nil }.sorted { $0.modified > $1.modified }.prefix(Self.mostOpenedOfFolder)
        }
        let items = read.map { object in
            StoredItem(
                path: object.path, location: listing.root.appendingPathComponent(object.path), isFolder: false, size: object.size,
                modified: object.modified)
        }
        try await samples.readHeads(of: items)
        for object in listing.objects {
            let file = listing.root.appendingPathComponent(object.path)
            try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            // An object that was not read looks as the newest beside it with the same ending does.
            let like = read.first { $0.path == object.path } ?? read.first { Self.alike($0.path, object.path) }
            try Data(like.flatMap { samples.heads[$0.path] } ?? []).write(to: file)
            guard truncate(file.path, off_t(object.size)) == 0 else { throw ScratchError.system(errno, "cannot write", file.path) }
            try FileManager.default.setAttributes([.modificationDate: object.modified], ofItemAtPath: file.path)
        }
        return listing.root
    }

    private static let mostOpenedOfFolder = 20

    private static func alike(_ left: String, _ right: String) -> Bool {
        func place(_ path: String) -> (folder: Substring, ending: Substring) {
            let name = path.split(separator: "/").last ?? ""
            return (path.dropLast(name.count), name.drop { $0 != "." })
        }
        return place(left) == place(right)
    }

    private func prepare(
        _ listing: Listing, _ set: BackupSet, in store: String, _ reading: Reading
    ) async throws(DrillFailure) -> StoreSnapshot {
        var snapshot = StoreSnapshot(root: listing.root, objects: listing.objects, unusable: listing.unusable, heads: [:])
        let items = set.stores.contains(store) ? snapshot.items(matching: set.match) : []
        let known = Set(listing.objects.lazy.map(\.path))
        var small = Set(items.map { $0.path + ".seal.json" })
        if set.kind == .baseBackup { small.formUnion(items.flatMap { ["\($0.path)/backup_manifest", "\($0.path)/backup_manifest.enc"] }) }
        if let wal = set.wal, wal.stores.contains(store) {
            small.formUnion(snapshot.items(matching: wal.match).filter { $0.path.contains(".backup") }.map(\.path))
        }
        if set.isPhysical, set.momentStores.contains(store) {
            small.formUnion(Catalogue.newest(snapshot.items(matching: set.momentMatch), most: Catalogue.mostMomentsFetched).map(\.path))
        }
        guard let opened = estate.stores[store] else { return snapshot }
        let archived = listing.objects.filter { small.contains($0.path) }.compactMap { object in
            object.archive.map { (object.path, DrillFailure.error(.archived(object.path, tier: $0))) }
        }
        snapshot.obstacles = Dictionary(archived) { $1 }
        // Whose seal can't be read has only its own word for when it was made.
        let sealed = Set(items.map(\.path).filter { known.contains($0 + ".seal.json") && snapshot.obstacles[$0 + ".seal.json"] == nil })
        let unsealed = items.filter { !sealed.contains($0.path) }.sorted { $0.modified > $1.modified }.prefix(reading.heads)
        let fetched = small.filter { known.contains($0) && snapshot.obstacles[$0] == nil }
        let work = Task { [small = Array(fetched)] () -> Result<RemoteSamples, DrillFailure> in
            await Self.failures(of: opened) {
                var samples = RemoteSamples(rclone: listing.rclone, objects: listing.objects)
                samples.troubles = try await listing.rclone.bring(small, of: listing.objects, into: listing.root)
                if case .looks = reading {
                    let globals = set.globals.map { listing.objects.items(matching: $0, root: listing.root) } ?? []
                    try await samples.look(at: items + globals, of: set)
                }
                try await samples.readHeads(of: Array(unsealed))
                return samples
            }
        }
        let samples = try await work.value.get()
        snapshot.heads = samples.heads
        snapshot.looks = samples.looked
        for (path, trouble) in samples.troubles {
            // What has gone since it was listed is as if it had not been listed.
            if trouble.kind != .missing { snapshot.obstacles[path] = trouble.failure(of: path, in: listing.rclone.connection) }
        }
        return snapshot
    }

    // MARK: Bringing

    /// Brings an artifact, and its globals file, to where the point says that they lie. Nothing to do for a store that is a folder.
    ///
    /// - Parameter progress: Bytes that have arrived so far.
    /// - Throws: ``DrillFailure``: failed where the object is gone, error where it can't be fetched or changes meanwhile; `CancellationError`.
    public func bring(_ point: RecoveryPoint, progress: @escaping @Sendable (Int64) -> Void = { _ in }) async throws {
        guard let store = estate.stores[point.store], store.remote != nil else { return }
        let key = "\(point.store)/\(point.path)"
        let task: Task<Void, any Error>
        if let known = brought[key] {
            task = known
        } else {
            task = Task { try await self.bringAll(point, from: try await self.listing(of: store).get(), progress) }
            brought[key] = task
        }
        do {
            try await withTaskCancellationHandler {
                try await task.value
            } onCancel: {
                task.cancel()
            }
        } catch {
            brought[key] = nil
            if Task.isCancelled { throw CancellationError() }
            throw Self.failure(error, of: store)
        }
    }

    private func bringAll(_ point: RecoveryPoint, from listing: Listing, _ progress: @escaping @Sendable (Int64) -> Void) async throws {
        try await Self.bring(point.location, from: listing, progress: progress)
        if let globals = point.globals { try await Self.bring(globals, from: listing) { _ in } }
    }

    /// The first bytes of a remote artifact; nil where its store is a folder.
    ///
    /// - Throws: ``DrillFailure``, `CancellationError`.
    public func beginning(of point: RecoveryPoint, count: Int) async throws -> [UInt8]? {
        guard let store = estate.stores[point.store], store.remote != nil else { return nil }
        let listing = try await listing(of: store).get()
        let objects = listing.objects.filter { $0.path == point.path }
        let came = try await listing.rclone.parts(of: objects, from: 0, count: count)
        if let trouble = came.troubles[point.path], let object = objects.first {
            throw trouble.failure(of: object.path, tier: object.archive, in: listing.rclone.connection)
        }
        return came.values[point.path] ?? []
    }

    /// Brings the files of a write-ahead log.
    public func bring(_ files: [ArchivedWAL], of set: BackupSet) async throws {
        for name in set.wal?.stores ?? [] {
            guard let store = estate.stores[name], store.remote != nil else { continue }
            let listing = try await self.listing(of: store).get()
            let prefix = listing.root.path + "/"
            let paths = files.map(\.location.path).filter { $0.hasPrefix(prefix) && !FileManager.default.fileExists(atPath: $0) }
            do {
                try await Self.bring(all: paths.map { String($0.dropFirst(prefix.count)) }, from: listing)
            } catch {
                if Task.isCancelled { throw CancellationError() }
                throw Self.failure(error, of: store)
            }
        }
    }

    /// Removes what was brought of an artifact, once it is needed no more. Seals stay.
    public func release(_ point: RecoveryPoint) {
        guard estate.stores[point.store]?.remote != nil, brought.removeValue(forKey: "\(point.store)/\(point.path)") != nil else { return }
        for location in [point.location, point.globals].compactMap({ $0 }) { host?.discard(location) }
    }

    private static func bring(_ location: URL, from listing: Listing, progress: @escaping @Sendable (Int64) -> Void) async throws {
        let path = String(location.path.dropFirst(listing.root.path.count + 1))
        guard let object = listing.objects.first(where: { $0.path == path }) else {
            let folder = listing.objects.filter { $0.path.hasPrefix(path + "/") }
            try await bring(all: folder.map(\.path), from: listing)
            return progress(folder.reduce(0) { $0 + $1.size })
        }
        try FileManager.default.createDirectory(at: location.deletingLastPathComponent(), withIntermediateDirectories: true)
        var listed = object
        // Once more where somebody has just put another object in its place; an object that is written again and again is no backup.
        for _ in 0..<2 {
            let whole = try await RangeFetch(rclone: listing.rclone).fetch(listed, to: location, progress: progress)
            guard var now = try await listing.rclone.look(at: path) else { throw DrillFailure.failed(.objectGone(path)) }
            // Restoring it from an archive moves it, and leaves it what it was.
            now.tier = listed.tier
            if whole, now == listed { return }
            listed = now
        }
        try? FileManager.default.removeItem(at: location)
        throw DrillFailure.error(changed(path))
    }

    /// Brings files all of which are needed.
    private static func bring(all paths: [String], from listing: Listing) async throws {
        let troubles = try await listing.rclone.bring(paths, of: listing.objects, into: listing.root)
        guard let (path, trouble) = troubles.min(by: { $0.key < $1.key }) else { return }
        throw trouble.failure(of: path, tier: listing.objects.first { $0.path == path }?.archive, in: listing.rclone.connection)
    }

    private static func changed(_ path: String) -> Finding {
        Finding(
            .objectChanged, object: path, expected: "an object that stays as it was listed", actual: "one that changes while it is read",
            message: "the object was written anew while it was being read, twice",
            hint: "let the backup job end, and let it write each backup once, under a name of its own; then run again")
    }

    // MARK: Comparing

    /// How a copy compares with the same artifact in another store. Where both stores have digests of their own, those are compared, and
    /// nothing is fetched; otherwise the bytes are.
    ///
    /// - Throws: `CancellationError`.
    public func compare(_ copy: RecoveryPoint, with first: RecoveryPoint) async throws -> CopyComparison {
        if copy.size == first.size, let one = await digest(of: first), let other = await digest(of: copy), one == other {
            return .identical
        }
        if let archived = [first, copy].first(where: \.isArchived)?.obstacle { return .unasked(archived.finding) }
        do {
            try await bring(first)
            try await bring(copy)
        } catch let failure as DrillFailure {
            return failure.verdict == .failed ? .unreadable(failure.finding.message) : .unasked(failure.finding)
        }
        let comparison = try await CopyComparer.compare(copy, with: first)
        release(copy)
        return comparison
    }

    /// MD5 as a remote store has it; nil where it isn't known without fetching.
    private func digest(of point: RecoveryPoint) async -> String? {
        guard let store = estate.stores[point.store], store.remote != nil else { return nil }
        guard let listing = try? await listing(of: store).get() else { return nil }
        return listing.objects.first { $0.path == point.path }?.md5
    }

    // MARK: What goes wrong

    private static func failures<Value: Sendable>(
        of store: Store, _ body: @Sendable () async throws -> Value
    ) async -> Result<Value, DrillFailure> {
        do {
            return .success(try await body())
        } catch {
            return .failure(failure(error, of: store))
        }
    }

    private static func failure(_ error: any Error, of store: Store) -> DrillFailure {
        if let failure = error as? DrillFailure { return failure }
        let scratch = error as? ScratchError
        return .error(
            Finding(
                .storeUnreadable, object: "store \(store.name)", expected: "an answer",
                actual: scratch?.message ?? String(describing: type(of: error)), message: "the store can't be asked",
                hint: scratch?.hint ?? "run muster doctor for this estate"))
    }
}
