// Walks over the keys of one database, and knows when SCAN may have lied.

import RedisClient

/// One numbered database of a server on which nobody writes.
struct RedisTable {
    let connection: RedisConnection
    let index: Int

    /// How often a walk is begun anew before it is given up.
    static let attempts = 5

    /// Calls the body with the keys, some thousand at a time, and tells whether the walk was exact. Where it was not, the body's results are
    /// to be thrown away.
    ///
    /// SCAN misses no key that stays, but returns some twice when the server resizes its table on the way. So the table's layout is read
    /// before and after: the same, and not in the middle of a resize, means that every key came once. Keys past their time don't come.
    func walk(
        matching pattern: String? = nil, _ body: ([[UInt8]]) async throws(RedisError) -> Void
    ) async throws(RedisError) -> Bool {
        try await connection.command(["SELECT", "\(index)"])
        let before = try await settled()
        var cursor: [UInt8] = Array("0".utf8)
        repeat {
            var command = [Array("SCAN".utf8), cursor, Array("COUNT".utf8), Array("1000".utf8)]
            if let pattern { command += [Array("MATCH".utf8), Array(pattern.utf8)] }
            guard let answer = try await connection.command(command).array, answer.count == 2, let next = answer[0].bytes,
                let keys = answer[1].array
            else { throw .unexpected("SCAN") }
            cursor = next
            let names = keys.compactMap(\.bytes)
            guard names.count == keys.count else { throw .unexpected("SCAN") }
            if !names.isEmpty { try await body(names) }
        } while cursor != Array("0".utf8)
        let after = try await layout()
        return !before.isResizing && after == before
    }

    /// The layout, once no resize is under way.
    ///
    /// A server resizes a little with every look-up, and otherwise in its idle time, where with many databases each waits long for its turn.
    /// So look-ups of a key push it on: as many as there are slots suffice.
    private func settled() async throws(RedisError) -> Layout {
        var layout = try await layout()
        let batch = 5000
        var rounds = layout.slots / batch + 20
        while layout.isResizing, rounds > 0 {
            _ = try await connection.pipeline(Array(repeating: ["EXISTS", "muster"].map { Array($0.utf8) }, count: batch))
            layout = try await self.layout()
            rounds -= 1
        }
        return layout
    }

    /// How the server's hash table lies in memory.
    private struct Layout: Equatable {
        var sizes: [Int]
        var isResizing: Bool
        var slots: Int { sizes.max() ?? 0 }
    }

    private func layout() async throws(RedisError) -> Layout {
        guard let text = try await connection.command(["DEBUG", "HTSTATS", "\(index)"]).text else { throw .unexpected("DEBUG HTSTATS") }
        // The second part is about the times to live, a table of its own that SCAN doesn't walk over.
        let lines = text.split(whereSeparator: \.isNewline).prefix { !$0.contains("Expires") }
        let sizes = lines.filter { $0.contains("table size:") }.compactMap { line in
            line.split(separator: " ").last.flatMap { Int($0) }
        }
        return Layout(sizes: sizes, isResizing: lines.contains { $0.contains("rehashing target") })
    }

    /// Does the work until one walk was exact, or throws.
    func exactly<Value>(_ work: (RedisTable) async throws(RedisError) -> Value?) async throws(RedisError) -> Value {
        for attempt in 1...Self.attempts {
            if let value = try await work(self) { return value }
            // The server moves on with its resize in its idle time.
            if attempt < Self.attempts { try? await Task.sleep(for: .milliseconds(200)) }
        }
        throw RedisError(
            .unexpectedAnswer, message: "the keys of db\(index) could not be walked over without change",
            hint: "make sure that nothing else writes to the scratch server, then run it again")
    }
}
