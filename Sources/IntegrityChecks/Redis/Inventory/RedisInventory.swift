// Reads what a Redis server holds, in the form that a seal keeps.

import Cryptography
public import DrillModel
public import RedisClient

/// The truth of a Redis dataset. Memory stays the same whatever the number of keys, and no value leaves the server.
///
/// The server must be a scratch server on which nobody writes, started as a replica of nowhere (`replicaof 127.0.0.1 1`), with DEBUG
/// allowed. On such a server keys whose time has come stay in the counts and in the digest, so these are exact on any later day. They don't
/// show in SCAN: so only keys without a time to live are looked at one by one.
public enum RedisInventory {
    /// Reads everything.
    ///
    /// - Parameters:
    ///   - reference: the seal that the outcome will be compared with: the same prefixes are then named.
    ///   - progress: keys done and in all.
    /// - Throws: also where the counts don't fit together: a wrong answer is worse than none.
    public static func truth(
        of connection: RedisConnection, comparableWith reference: RedisTruth? = nil,
        progress: @escaping @Sendable (Int64, Int64) -> Void = { _, _ in }
    ) async throws(RedisError) -> RedisTruth {
        let before = try await RedisKeyspace.read(connection)
        guard before.keepsExpiredKeys else {
            throw RedisError(
                .unexpectedAnswer, message: "the server drops keys as their time comes, so it cannot be counted",
                hint: "load the backup into a server started with `replicaof 127.0.0.1 1`")
        }
        // By itself it shows every field of a hash for as long as it is asked in this way, and ages nothing meanwhile.
        if before.hidesExpiredFields { try await RedisImport(connection).begin() }
        do throws(RedisError) {
            let truth = try await truth(of: connection, before, comparableWith: reference, progress)
            if before.hidesExpiredFields { try await RedisImport(connection).end() }
            guard try await RedisKeyspace.read(connection).isSame(as: before) else {
                throw RedisError(
                    .unexpectedAnswer, message: "the number of keys changed while they were counted",
                    hint: "make sure that nothing else writes to the scratch server, then run it again")
            }
            return truth
        } catch {
            if before.hidesExpiredFields { try? await RedisImport(connection).end() }
            throw error
        }
    }

    private static func truth(
        of connection: RedisConnection, _ before: RedisKeyspace, comparableWith reference: RedisTruth?,
        _ progress: @escaping @Sendable (Int64, Int64) -> Void
    ) async throws(RedisError) -> RedisTruth {
        let patience = max(connection.timeout, before.patience)
        let total = before.databases.values.reduce(0) { $0 + $1.keys - $1.expiring }
        var done: Int64 = 0
        var databases: [RedisDatabaseFingerprint] = []
        for (index, counts) in before.databases.sorted(by: { $0.key < $1.key }) {
            let known = reference?.databases.first { $0.index == index }?.prefixes
            let start = done
            let persistent = counts.keys - counts.expiring
            let tally = try await RedisTable(connection: connection, index: index).exactly { (table) throws(RedisError) in
                var tally = RedisPrefixTally(reference: known)
                let exact = try await table.walk { (keys) throws(RedisError) in
                    try await add(keys, of: connection, patience: patience, to: &tally)
                    progress(start + min(tally.keys, persistent), total)
                }
                return exact && tally.keys == persistent ? tally : nil
            }
            done += persistent
            databases.append(
                RedisDatabaseFingerprint(index: index, keys: counts.keys, expiring: counts.expiring, prefixes: tally.fingerprints))
        }
        let digest: String
        do throws(RedisError) {
            guard let text = try await connection.command(["DEBUG", "DIGEST"], timeout: patience).text, text.count == 40 else {
                throw .unexpected("DEBUG DIGEST")
            }
            digest = text
        } catch {
            throw error.ofDigest(patience)
        }
        let functions = try await RedisFunctions.read(connection, before)
        return RedisTruth(serverVersion: before.serverVersion, digest: digest, databases: databases, functions: functions)
    }

    /// Adds those of some keys that have no time to live.
    private static func add(
        _ keys: [[UInt8]], of connection: RedisConnection, patience: Duration, to tally: inout RedisPrefixTally
    ) async throws(RedisError) {
        let times = try await connection.pipeline(keys.map { [Array("PTTL".utf8), $0] })
        var lasting: [[UInt8]] = []
        for (key, time) in zip(keys, times) {
            guard let milliseconds = time.integer else { throw .unexpected("PTTL") }
            // -1: no time to live; -2: its time came since SCAN named it.
            if milliseconds == -1 { lasting.append(key) }
        }
        guard !lasting.isEmpty else { return }
        let answers = try await connection.pipeline(lasting.map { [Array("TYPE".utf8), $0] })
        let digests: [String?]
        do throws(RedisError) {
            let asked = [Array("DEBUG".utf8), Array("DIGEST-VALUE".utf8)] + lasting
            guard let values = try await connection.command(asked, timeout: patience).array, values.count == lasting.count else {
                throw .unexpected("DEBUG DIGEST-VALUE")
            }
            digests = values.map(\.text)
        } catch {
            throw error.ofDigest(patience)
        }
        let types = answers.map(\.text)
        let groups = try await consumerGroups(lasting, types, connection)
        let streams = try await RedisStream.hashes(of: groups.map { ($0, lasting[$0], $1) }, connection)
        for (place, key) in lasting.enumerated() {
            guard let type = types[place], type != "none", let digest = digests[place], digest.count == 40 else {
                throw .unexpected("TYPE or DEBUG DIGEST-VALUE")
            }
            do throws(CryptographyError) {
                let hash = try RedisKeyHash.of(key: key, type: type, digest: digest, groups: groups[place].map(RedisKeyHash.groups) ?? "")
                tally.add(prefix: RedisPrefix.of(key), type: type, hash: hash, stream: streams[place])
            } catch {
                throw RedisError(.unexpectedAnswer, message: error.message, hint: error.hint)
            }
        }
    }

    private static func consumerGroups(
        _ keys: [[UInt8]], _ types: [String?], _ connection: RedisConnection
    ) async throws(RedisError) -> [Int: [RedisValue]] {
        let streams = keys.indices.filter { types[$0] == "stream" }
        guard !streams.isEmpty else { return [:] }
        let answers = try await connection.pipeline(streams.map { [Array("XINFO".utf8), Array("GROUPS".utf8), keys[$0]] })
        var groups: [Int: [RedisValue]] = [:]
        for (place, answer) in zip(streams, answers) {
            guard let array = answer.array else { throw .unexpected("XINFO GROUPS") }
            groups[place] = array
        }
        return groups
    }
}
