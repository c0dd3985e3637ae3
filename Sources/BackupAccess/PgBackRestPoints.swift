// The recovery points of a pgBackRest repository, as its own catalogue has them.

import BackupCatalog
public import DrillModel
import Foundation
public import PhysicalRecovery

/// One backup set of kind pgbackrest.
public struct PgBackRestPoints: Sendable {
    var estate: Estate
    var set: BackupSet

    public init(estate: Estate, set: BackupSet) {
        self.estate = estate
        self.set = set
    }

    /// - Throws: ``DrillFailure`` where the key can't be had.
    public func repository(in store: Store) throws(DrillFailure) -> PgBackRest {
        // The estate's reader lets no other store through.
        guard let root = store.folder else {
            throw .error(
                Finding(
                    .storeUnreadable, object: "store \(store.name)", expected: "a folder", actual: "a remote store",
                    message: "a pgBackRest repository is read in a folder only", hint: "mount it, and declare the store as a file"))
        }
        let passphrase = try set.encryption.map { encryption throws(DrillFailure) in
            try Keyring(estate).secret(named: encryption.key)
        }
        return PgBackRest(
            folder: root.appendingPathComponent(set.match, isDirectory: true), stanza: set.stanza ?? "", passphrase: passphrase)
    }

    /// The newest last. The end is written in whole seconds, cut off: so it is the next one, as a target could lie in between.
    public func points(in store: Store) throws(DrillFailure) -> [RecoveryPoint] {
        let repository = try repository(in: store)
        return try repository.backups().map { backup in
            let location = repository.location(of: backup.label)
            return RecoveryPoint(
                service: set.service, backup: set.name, store: store.name, zone: store.zone,
                path: "\(set.match)/backup/\(set.stanza ?? "")/\(backup.label)", location: location, size: backup.size,
                time: backup.stop.addingTimeInterval(1), timeSource: .pgBackRestInfo, sealState: .missing, end: backup.end)
        }
    }
}

extension BackupSet {
    /// What a store of this set is listed by; nil: by the pattern alone.
    public func lister(of estate: Estate) -> (@Sendable (Store) throws(DrillFailure) -> [RecoveryPoint])? {
        guard kind == .pgBackRest else { return nil }
        let points = PgBackRestPoints(estate: estate, set: self)
        return { store throws(DrillFailure) in try points.points(in: store) }
    }
}
