// The sealed moments that lie beside a write-ahead log.

public import DrillModel
import Foundation
import Seals

extension Rule {
    public static let momentMissing = Rule("moment-missing")
}

/// One moment's file.
public struct StoredMoment: Sendable, Hashable {
    public var store: String
    /// Relative to the store's root.
    public var path: String
    /// Whether it holds, and what it says.
    public var state: RecoveryPoint.SealState

    /// Where the snapshot was taken, so far as the seal holds.
    public var seal: Seal? { state.seal }

    public init(store: String, path: String, state: RecoveryPoint.SealState) {
        self.store = store
        self.path = path
        self.state = state
    }
}

extension Catalogue {
    /// How many moments of a store are read, the newest first; of a remote one each is a round trip, and may be large.
    private static let mostMoments = 100
    static let mostMomentsFetched = 10

    static func newest(_ moments: [StoredItem], most: Int) -> [StoredItem] {
        Array(moments.filter { !$0.isFolder }.sorted { ($0.modified, $0.path) > ($1.modified, $1.path) }.prefix(most))
    }

    /// The set's newest moments, the newest first; those that can't be believed come last. Of copies in several stores, the first one that holds.
    ///
    /// - Throws: ``DrillFailure``: none can be told, since no store can be read.
    public func moments() throws(DrillFailure) -> [StoredMoment] {
        var moments: [StoredMoment] = []
        var problems: [DrillFailure] = []
        let origin = SealOrigin(estate: estate, set: set)
        for name in set.momentStores {
            guard let store = estate.stores[name] else { continue }
            do {
                let most = store.remote == nil ? Self.mostMoments : Self.mostMomentsFetched
                for item in Self.newest(try StoreListing(store: store, opened: opened).items(matching: set.momentMatch), most: most) {
                    moments.append(StoredMoment(store: name, path: item.path, state: state(of: item, origin)))
                }
            } catch {
                problems.append(error)
            }
        }
        if moments.isEmpty, let problem = problems.first { throw problem }
        let sorted = moments.sorted { ($0.seal?.snapshotTime ?? .distantPast, $0.path) > ($1.seal?.snapshotTime ?? .distantPast, $1.path) }
        var held: Set<String> = []
        return sorted.filter { held.insert($0.path).inserted }
    }

    private func state(of item: StoredItem, _ origin: SealOrigin) -> RecoveryPoint.SealState {
        if let obstacle = item.obstacle { return obstacle.verdict == .error ? .unread(obstacle.finding) : .broken(obstacle.finding) }
        let state = SealFile.read(moment: item.location, trusted: trusted)
        guard let seal = state.seal, let finding = origin.judge(seal, name: item.path) else { return state }
        return .broken(finding)
    }
}
