// Has a Valkey show what has expired, and remove none of it, while it is asked.

import RedisClient

/// Valkey's import mode (8.1 and later): a server that is being filled by another drops nothing by itself, and whoever says that it is the
/// source sees all there is. It needs a server that is nobody's replica, so the replica of nowhere becomes a primary meanwhile.
struct RedisImport {
    let connection: RedisConnection

    init(_ connection: RedisConnection) {
        self.connection = connection
    }

    func begin() async throws(RedisError) {
        // In this order: nothing may expire between two of them.
        try await connection.command(["CONFIG", "SET", "import-mode", "yes"])
        try await connection.command(["REPLICAOF", "NO", "ONE"])
        try await connection.command(["CLIENT", "IMPORT-SOURCE", "ON"])
    }

    func end() async throws(RedisError) {
        try await connection.command(["CLIENT", "IMPORT-SOURCE", "OFF"])
        try await connection.command(["REPLICAOF", "127.0.0.1", "1"])
        try await connection.command(["CONFIG", "SET", "import-mode", "no"])
    }
}

extension RedisKeyspace {
    /// As many of everything; what it takes in memory changes with every look.
    func isSame(as other: RedisKeyspace) -> Bool {
        databases == other.databases && serverVersion == other.serverVersion && isReplica == other.isReplica
            && expiredWhileLoading == other.expiredWhileLoading
    }
}

extension RedisError {
    /// Nobody else asks the server, so it was not overloaded: the answer is long in the making.
    func ofDigest(_ patience: Duration) -> RedisError {
        guard kind == .timedOut else { return self }
        return RedisError(
            .timedOut, message: "the digest of the keys' values took longer than \(patience.components.seconds) s",
            hint: "one value may be very large: MEMORY USAGE finds it; run it again on a machine with less load")
    }
}
