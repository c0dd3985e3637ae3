// A scratch host for remote stores, where an estate has any: made before they are listed, and removed on every path.

public import BackupCatalog
public import DrillModel
public import ScratchHost

/// What commands without a scratch host of their own reach remote stores through.
public enum RemoteScope {
    /// Runs the body with the estate's stores. What was brought of them is removed after it, also where it throws.
    ///
    /// - Throws: ``CommandFailure`` where no scratch folder can be had, or what the body throws.
    public static func with<Value: Sendable>(
        _ estate: Estate, in root: ScratchRoot, _ body: @Sendable (RemoteStores) async throws -> Value
    ) async throws -> Value {
        guard estate.hasRemoteStores else { return try await body(RemoteStores(estate, host: nil)) }
        do {
            let host = try await ScratchHost.prepare(in: root, purpose: "stores of \(estate.name)")
            do {
                let value = try await body(RemoteStores(estate, host: host))
                try await host.remove()
                return value
            } catch {
                try? await host.remove()
                throw error
            }
        } catch let error as ScratchError {
            throw CommandFailure(.unverified, error.message, hint: error.hint)
        }
    }
}
