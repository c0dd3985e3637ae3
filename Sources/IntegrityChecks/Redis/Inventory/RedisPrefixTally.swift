// Adds keys up by prefix and type in bounded memory, with the same outcome in whatever order they come.

import DrillModel

/// Counts and hash sums by prefix and type.
///
/// Beyond ``RedisPrefix/limit`` prefixes, those with the smallest hash keep their names and the others are added to the rest. Sums can be
/// moved there at any time, so the outcome depends on the set of prefixes and not on the order.
struct RedisPrefixTally {
    private struct Sum {
        var keys: Int64 = 0
        var hash: UInt64 = 0
        var stream: RedisStream.Hashes?

        mutating func add(_ other: Sum) {
            stream = keys == 0 ? other.stream : stream?.adding(other.stream)
            keys += other.keys
            hash &+= other.hash
        }
    }
    private struct Group {
        var order: UInt64
        var types: [String: Sum] = [:]
    }
    private var groups: [String: Group] = [:]
    private var rest: [String: Sum] = [:]
    private let limit: Int
    /// Where another tally has chosen already.
    private let chosen: Set<String>?
    /// No group of an order beyond this is let in.
    private var bar = UInt64.max
    private(set) var keys: Int64 = 0

    /// - Parameter reference: the groups of a seal. Where it has used up its names, no other is given here, so that the two can be compared.
    init(reference: [RedisPrefixFingerprint]? = nil, limit: Int = RedisPrefix.limit) {
        self.limit = limit
        let names = Set((reference ?? []).map(\.prefix)).subtracting([RedisPrefix.rest])
        chosen = names.count >= limit ? names : nil
    }

    mutating func add(prefix: String, type: String, hash: UInt64, stream: RedisStream.Hashes? = nil) {
        keys += 1
        if groups[prefix] == nil { admit(prefix) }
        let sum = Sum(keys: 1, hash: hash, stream: stream)
        if groups[prefix] != nil {
            groups[prefix]?.types[type, default: Sum()].add(sum)
        } else {
            rest[type, default: Sum()].add(sum)
        }
    }

    private mutating func admit(_ prefix: String) {
        guard prefix != RedisPrefix.rest else { return }
        if let chosen, !chosen.contains(prefix) { return }
        let order = Self.order(prefix)
        guard order < bar else { return }
        groups[prefix] = Group(order: order)
        guard groups.count > limit, let last = groups.max(by: { $0.value.order < $1.value.order }) else { return }
        groups[last.key] = nil
        for (type, sum) in last.value.types { rest[type, default: Sum()].add(sum) }
        bar = last.value.order
    }

    /// Sorted by prefix and type.
    var fingerprints: [RedisPrefixFingerprint] {
        func fingerprint(_ prefix: String, _ type: String, _ sum: Sum) -> RedisPrefixFingerprint {
            RedisPrefixFingerprint(
                prefix: prefix, type: type, keys: sum.keys, hash: String(sum.hash), consumption: sum.stream.map { String($0.consumption) },
                additions: sum.stream?.additions.map { String($0) })
        }
        var all = groups.flatMap { prefix, group in group.types.map { fingerprint(prefix, $0, $1) } }
        all += rest.map { fingerprint(RedisPrefix.rest, $0, $1) }
        return all.sorted { ($0.prefix, $0.type) < ($1.prefix, $1.type) }
    }

    /// FNV-1a, and a last mix, since its low bits are weak: the choice must be the same on every machine and in every version.
    private static func order(_ prefix: String) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in prefix.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        hash ^= hash >> 32
        return hash &* 0x9e37_79b9_7f4a_7c15
    }
}
