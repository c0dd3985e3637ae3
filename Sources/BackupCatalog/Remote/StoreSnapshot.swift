// A remote store as it was listed, with what has been brought of it for a catalogue to read.

public import DrillModel
import Foundation

/// What one listing of a remote store told. The catalogue reads it as it reads a folder.
///
/// Each object has a place below ``root`` where it will lie once it has been brought. Until then nothing is there: whoever forgets to bring
/// it finds a file that can't be read, and nothing that holds.
public struct StoreSnapshot: Sendable {
    var root: URL
    var objects: [RemoteObject]
    var unusable: [UnusableObject] = []
    /// The first bytes of artifacts that have no seal, by path.
    var heads: [String: [UInt8]]
    /// What a look without the key told, by path; empty where nobody looked.
    public var looks: [String: StoredContent] = [:]
    /// What stands in the way of single objects, by path.
    var obstacles: [String: DrillFailure] = [:]

    /// An object's path by the place where it would lie.
    func path(of location: URL) -> String { String(location.path.dropFirst(root.path.count + 1)) }

    func passedOver(matching pattern: String, in store: String) -> [PassedOver] {
        unusable.filter { $0.matches(pattern) }
            .map { PassedOver(store: store, path: $0.path, modified: $0.modified, reason: $0.reason) }
    }

    func items(matching pattern: String) -> [StoredItem] {
        objects.items(matching: pattern, root: root).map { item in
            var item = item
            item.head = heads[item.path]
            item.obstacle = item.archive.map { .error(.archived(item.path, tier: $0)) } ?? obstacles[item.path]
            item.sealObstacle = obstacles[item.path + ".seal.json"]
            return item
        }
    }
}

/// Which of an estate's remote stores were listed for one set; a store that is a folder is in none of this.
public struct OpenedStores: Sendable {
    public var snapshots: [String: Result<StoreSnapshot, DrillFailure>]

    public init(snapshots: [String: Result<StoreSnapshot, DrillFailure>] = [:]) { self.snapshots = snapshots }

    /// - Returns: nil for a folder.
    /// - Throws: ``DrillFailure``: it could not be listed.
    func snapshot(of store: Store) throws(DrillFailure) -> StoreSnapshot? {
        guard store.remote != nil else { return nil }
        guard let result = snapshots[store.name] else {
            throw .error(
                Finding(
                    .storeUnreadable, object: "store \(store.name)", expected: "a listing", actual: "none",
                    message: "the remote store was not listed", hint: "report this as a defect of muster"))
        }
        return try result.get()
    }

    /// What a look at an artifact and at its globals file told.
    ///
    /// - Returns: nil where the artifact lies in a folder, to be looked at there.
    public func looks(at point: RecoveryPoint) -> (artifact: StoredContent?, globals: StoredContent?)? {
        guard let snapshot = try? snapshots[point.store]?.get() else { return nil }
        return (snapshot.looks[point.path], point.globals.flatMap { snapshot.looks[snapshot.path(of: $0)] })
    }
}
