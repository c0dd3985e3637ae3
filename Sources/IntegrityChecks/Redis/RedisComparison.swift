// The seal and what came back, laid side by side. Says which difference explains which, so that one damage is one red case.

import DrillModel

/// Two truths, compared.
struct RedisComparison {
    /// One prefix and type of one database, on both sides. nil: not there.
    struct Group: Hashable {
        var object: String
        var sealed: RedisPrefixFingerprint?
        var restored: RedisPrefixFingerprint?

        var countDiffers: Bool { sealed?.keys != restored?.keys }
        var contentDiffers: Bool { !countDiffers && sealed?.hash != restored?.hash }
        /// Of streams: what the server's digests don't cover, where both sides know of it.
        var consumptionDiffers: Bool {
            guard !countDiffers, !contentDiffers, let sealed, let restored else { return false }
            func differ(_ part: KeyPath<RedisPrefixFingerprint, String?>) -> Bool {
                guard let left = sealed[keyPath: part], let right = restored[keyPath: part] else { return false }
                return left != right
            }
            return differ(\.consumption) || differ(\.additions)
        }
    }
    struct Database {
        var index: Int
        var sealed: RedisDatabaseFingerprint?
        var restored: RedisDatabaseFingerprint?
        var groups: [Group]

        var name: String { "db\(index)" }
        /// The whole database is there on one side only.
        var isMissingOrExtra: Bool { sealed == nil || restored == nil }
        var expiringDiffers: Bool { !isMissingOrExtra && sealed?.expiring != restored?.expiring }
        var differing: [Group] { isMissingOrExtra ? [] : groups.filter { $0.countDiffers || $0.contentDiffers } }
    }
    var databases: [Database]
    var digestDiffers: Bool

    init(sealed: RedisTruth, restored: RedisTruth) {
        let left = Dictionary(sealed.databases.map { ($0.index, $0) }) { first, _ in first }
        let right = Dictionary(restored.databases.map { ($0.index, $0) }) { first, _ in first }
        databases = Set(left.keys).union(right.keys).sorted().map { index in
            Database(
                index: index, sealed: left[index], restored: right[index],
                groups: Self.groups(index, left[index]?.prefixes ?? [], right[index]?.prefixes ?? []))
        }
        digestDiffers = sealed.digest != restored.digest
    }

    private static func groups(_ index: Int, _ left: [RedisPrefixFingerprint], _ right: [RedisPrefixFingerprint]) -> [Group] {
        var groups: [String: Group] = [:]
        for fingerprint in left {
            let object = RedisPrefix.object(database: index, prefix: fingerprint.prefix, type: fingerprint.type)
            groups[object, default: Group(object: object)].sealed = fingerprint
        }
        for fingerprint in right {
            let object = RedisPrefix.object(database: index, prefix: fingerprint.prefix, type: fingerprint.type)
            groups[object, default: Group(object: object)].restored = fingerprint
        }
        return groups.values.sorted { $0.object < $1.object }
    }

    /// Everything that has a finding of its own already, by name, and would change the dataset's digest too.
    var known: [String] {
        databases.flatMap { database in
            if database.isMissingOrExtra { return [database.name] }
            return database.differing.map(\.object) + (database.expiringDiffers ? ["\(database.name) keys with a time to live"] : [])
        }
    }
}

extension [String] {
    /// The first few, and how many more.
    var abridged: String {
        count > 3 ? prefix(3).joined(separator: ", ") + " and \(count - 3) more" : joined(separator: ", ")
    }
}
