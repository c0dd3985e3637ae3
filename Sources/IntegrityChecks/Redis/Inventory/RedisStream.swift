// What a stream holds beside its entries: how far it was read, by whom, and what is still in somebody's hands. No digest of the server's covers it.

import Cryptography
import RedisClient

/// One stream, asked.
struct RedisStream {
    /// Hashes that can be added up over streams.
    struct Hashes: Sendable, Hashable {
        /// The stream's last ID; of each group its name, the last entry delivered and its consumers' names; of each pending entry who holds it and
        /// how often it was delivered. When that was doesn't count: it goes on by itself.
        var consumption: UInt64
        /// How many entries were ever added, and the last that was deleted; nil where the server counts neither, as before Redis 7.
        var additions: UInt64?

        func adding(_ other: Hashes?) -> Hashes? {
            guard let other else { return nil }
            let both = additions.flatMap { own in other.additions.map { own &+ $0 } }
            return Hashes(consumption: consumption &+ other.consumption, additions: both)
        }
    }
    let connection: RedisConnection
    let key: [UInt8]

    /// Pending entries that are asked for at a time.
    private static let page = 1000

    /// XINFO STREAM shows the first and the last entry too: inside a script these stay in the server.
    private static let state = """
        local all, wanted = redis.call('XINFO', 'STREAM', KEYS[1]), {}
        for i = 1, #all, 2 do
            if all[i] == 'last-generated-id' or all[i] == 'entries-added' or all[i] == 'max-deleted-entry-id' then
                wanted[#wanted + 1] = all[i]
                wanted[#wanted + 1] = tostring(all[i + 1])
            end
        end
        return wanted
        """

    /// - Parameter streams: The place of each, its key, and what XINFO GROUPS says of it.
    /// - Returns: By place.
    static func hashes(
        of streams: [(place: Int, key: [UInt8], groups: [RedisValue])], _ connection: RedisConnection
    ) async throws(RedisError) -> [Int: Hashes] {
        guard !streams.isEmpty else { return [:] }
        let states = try await connection.pipeline(streams.map { [Array("EVAL".utf8), Array(state.utf8), Array("1".utf8), $0.key] })
        var hashes: [Int: Hashes] = [:]
        for (stream, state) in zip(streams, states) {
            hashes[stream.place] = try await RedisStream(connection: connection, key: stream.key).hashes(state.fields, stream.groups)
        }
        return hashes
    }

    private func hashes(_ state: [String: RedisValue], _ groups: [RedisValue]) async throws(RedisError) -> Hashes {
        guard let last = state["last-generated-id"]?.text else { throw .unexpected("XINFO STREAM") }
        let consumption = try StreamHash(key)
        try consumption.add("last \(last)")
        let named = groups.map(\.fields).map { (name: $0["name"]?.bytes ?? [], delivered: $0["last-delivered-id"]?.text ?? "") }
        for group in named.sorted(by: { $0.name.hex < $1.name.hex }) {
            try consumption.add("group \(group.name.hex) \(group.delivered)")
            for consumer in try await consumers(of: group.name) { try consumption.add("consumer \(consumer)") }
            try await pending(of: group.name) { (entry) throws(RedisError) in try consumption.add("pending \(entry)") }
        }
        var additions: UInt64?
        if let added = state["entries-added"]?.text, let deleted = state["max-deleted-entry-id"]?.text {
            let hash = try StreamHash(key)
            try hash.add("\(added) \(deleted)")
            additions = try hash.finish()
        }
        return Hashes(consumption: try consumption.finish(), additions: additions)
    }

    /// Their names in hex, sorted.
    private func consumers(of group: [UInt8]) async throws(RedisError) -> [String] {
        let command = [Array("XINFO".utf8), Array("CONSUMERS".utf8), key, group]
        guard let consumers = try await connection.command(command).array else { throw .unexpected("XINFO CONSUMERS") }
        let names = consumers.compactMap { $0.fields["name"]?.bytes?.hex }
        guard names.count == consumers.count else { throw .unexpected("XINFO CONSUMERS") }
        return names.sorted()
    }

    private func pending(of group: [UInt8], _ body: (String) throws(RedisError) -> Void) async throws(RedisError) {
        var start = "-"
        while true {
            let command = [Array("XPENDING".utf8), key, group] + [start, "+", "\(Self.page)"].map { Array($0.utf8) }
            guard let entries = try await connection.command(command).array else { throw .unexpected("XPENDING") }
            var last = ""
            for entry in entries {
                // Its ID, who holds it, for how long, and how often it was delivered.
                guard let parts = entry.array, parts.count == 4, let id = parts[0].text, let consumer = parts[1].bytes,
                    let deliveries = parts[3].integer
                else { throw .unexpected("XPENDING") }
                try body("\(id) \(consumer.hex) \(deliveries)")
                last = id
            }
            guard entries.count == Self.page else { return }
            guard let next = Self.after(last) else { throw .unexpected("XPENDING") }
            start = next
        }
    }

    /// The ID that follows: an open range, `(1-1`, is unknown before Redis 6.2.
    static func after(_ id: String) -> String? {
        let parts = id.split(separator: "-").map { UInt64($0) }
        guard parts.count == 2, let time = parts[0], let number = parts[1] else { return nil }
        return number == .max ? "\(time &+ 1)-0" : "\(time)-\(number + 1)"
    }
}

/// The first 64 bits of SHA-256 over the length of a key, the key, and lines.
private struct StreamHash {
    private let digest: SHA256Stream

    init(_ key: [UInt8]) throws(RedisError) {
        do throws(CryptographyError) {
            digest = try SHA256Stream()
            try digest.update(withUnsafeBytes(of: UInt64(key.count).littleEndian) { Array($0) } + key)
        } catch {
            throw RedisError(.unexpectedAnswer, message: error.message, hint: error.hint)
        }
    }

    func add(_ line: String) throws(RedisError) {
        do throws(CryptographyError) {
            try digest.update(Array((line + "\n").utf8))
        } catch {
            throw RedisError(.unexpectedAnswer, message: error.message, hint: error.hint)
        }
    }

    func finish() throws(RedisError) -> UInt64 {
        do throws(CryptographyError) {
            return try digest.finishBytes().prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
        } catch {
            throw RedisError(.unexpectedAnswer, message: error.message, hint: error.hint)
        }
    }
}
