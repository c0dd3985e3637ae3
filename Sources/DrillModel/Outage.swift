// A zone that doesn't exist any more: what is lost with it, and the estate that is left.

public import Foundation

/// The loss of a data center, as a drill rehearses it.
public struct Outage: Sendable, Hashable {
    /// The zone that is gone.
    public var zone: String
    /// Its stores. No part of the drill knows them but the one that asks whether they are out of reach.
    public var lost: [Store]
    /// What makes them unreachable, and what brings them back; nil: they are out of reach already.
    public var commands: Commands?

    /// How a zone is cut off: stated by the estate for each of its zones, or by a drill for itself.
    public struct Commands: Sendable, Hashable {
        public var cut: Hook
        public var restore: Hook
        /// The file that states them; relative paths in them start at its folder.
        public var file: URL

        public init(cut: Hook, restore: Hook, file: URL) {
            self.cut = cut
            self.restore = restore
            self.file = file
        }
    }

    public init(zone: String, lost: [Store], commands: Commands? = nil) {
        self.zone = zone
        self.lost = lost
        self.commands = commands
    }
}

extension Estate {
    /// Whether a store is known to live on when a zone is lost. One without a zone may stand beside those that are gone.
    public func outlives(_ store: String, theLossOf zone: String) -> Bool {
        stores[store]?.zone.map { $0 != zone } ?? false
    }

    /// What is left when a zone is lost: its stores are gone, and so are those of which nobody knows where they stand.
    public func without(zone: String) -> Estate {
        var left = self
        left.stores = stores.filter { outlives($0.key, theLossOf: zone) }
        for (service, name) in services.values.flatMap({ service in service.backups.keys.map { (service.name, $0) } }) {
            left.services[service]?.backups[name]?.stores.removeAll { !outlives($0, theLossOf: zone) }
            left.services[service]?.backups[name]?.wal?.stores.removeAll { !outlives($0, theLossOf: zone) }
        }
        return left
    }
}
