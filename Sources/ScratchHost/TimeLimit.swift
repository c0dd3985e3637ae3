// Work that may take so long and no longer.

/// Runs work with a limit on its time.
public enum TimeLimit {
    /// - Returns: nil where the time was over first; the work has been cancelled and has ended then.
    /// - Throws: What the work throws before that.
    public static func run<Value: Sendable>(
        _ limit: Duration, _ work: @escaping @Sendable () async throws -> Value
    ) async throws -> Value? {
        try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask { try await work() }
            group.addTask {
                try await Task.sleep(for: limit)
                return nil
            }
            defer { group.cancelAll() }
            return try await group.next() ?? nil
        }
    }
}
