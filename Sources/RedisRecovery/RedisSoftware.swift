// Chooses the server that a backup is restored with: by what the file says of its writer, as a dump's major chooses a Postgres.

public import DrillModel
public import Foundation
import ScratchHost

/// The servers that one service may be restored with.
public struct RedisSoftware: Sendable, Hashable {
    /// A folder that the estate file names: nothing else is looked at then.
    public var binaries: URL?
    public var modules: [ServerModule]

    public init(binaries: URL? = nil, modules: [ServerModule] = []) {
        self.binaries = binaries
        self.modules = modules
    }

    public func installed() -> [RedisBinaries] { binaries.map { RedisBinaries.installed(in: [$0.path]) } ?? RedisBinaries.installed() }

    /// The server for a dataset that no file tells of: an empty one, and commands without a snapshot before them.
    ///
    /// - Returns: The first that is found, so that `MUSTER_REDIS_BIN` has a say.
    /// - Throws: ``DrillFailure`` (error): there is none.
    public func preferred() throws(DrillFailure) -> RedisBinaries { try suitable(for: RedisOrigin()) }

    /// The server to restore a backup with: of the writer's own release, or else the oldest newer one of its project, or else any other that
    /// is known to read the file.
    ///
    /// - Throws: ``DrillFailure`` (error): no server at all, or none that reads it. That is this machine's fault, and no damage.
    public func suitable(for origin: RedisOrigin) throws(DrillFailure) -> RedisBinaries {
        try suitable(for: origin, among: installed())
    }

    func suitable(for origin: RedisOrigin, among installed: [RedisBinaries]) throws(DrillFailure) -> RedisBinaries {
        guard !installed.isEmpty else { throw .error(missing) }
        var readers = installed.filter { origin.isRead(by: $0.version) }
        // Where none is known to read what the file seems to be, its writer's own release says what is wrong with it.
        if readers.isEmpty { readers = installed.filter { origin.isReadAsItSays(by: $0.version) } }
        guard let first = readers.first else { throw .error(unread(origin, by: installed)) }
        guard let writer = origin.version else {
            // Only Redis is as old as a file that doesn't name its writer.
            return origin.rdb == nil ? first : readers.first { $0.version.flavour == .redis } ?? first
        }
        let own = readers.filter { $0.version.flavour == writer.flavour }
        if let same = own.first(where: { $0.version.isSameRelease(as: writer) }) { return same }
        if let newer = own.filter({ $0.version > writer }).min(by: { $0.version < $1.version }) { return newer }
        if let older = own.max(by: { $0.version < $1.version }) { return older }
        return readers.min { $0.version < $1.version } ?? first
    }

    /// The servers that may replay commands, the most suitable and all others: commands don't tell their writer, and a base may be older than what
    /// follows it.
    ///
    /// - Throws: as ``suitable(for:)``.
    func candidates(for origin: RedisOrigin) throws(DrillFailure) -> (first: RedisBinaries, others: [RedisBinaries]) {
        let all = installed()
        let first = try suitable(for: origin, among: all)
        let others = all.filter { $0 != first && origin.isRead(by: $0.version) }.sorted { $0.version > $1.version }
        let own = others.filter { $0.version.flavour == first.version.flavour }
        return (first, own + others.filter { $0.version.flavour != first.version.flavour })
    }

    /// The client that takes a snapshot of a running server, by path or by name.
    public var client: String {
        let found = installed().first { ScratchHost.locate("\($0.folder)/\($0.name(.cli))") != nil }
        if let found { return found.path(.cli) }
        return ["redis-cli", "valkey-cli"].first { ScratchHost.locate($0) != nil } ?? "redis-cli"
    }

    private var missing: Finding {
        if let binaries {
            return Finding(
                .redisMissing, object: "binaries", expected: "redis-server or valkey-server", actual: "neither",
                message: "no server that everybody may run is in \(binaries.path)", hint: "mend binaries of the service in the estate file")
        }
        return Finding(
            .redisMissing, object: "redis-server", expected: "a redis or valkey server", actual: "none",
            message: "no redis-server and no valkey-server is on this machine",
            hint: "apt-get install redis-server, or name a folder of its programs in MUSTER_REDIS_BIN")
    }

    private func unread(_ origin: RedisOrigin, by installed: [RedisBinaries]) -> Finding {
        let writer = origin.oldestReader.map { "\($0.flavour.rawValue) \($0.major).\($0.minor) or newer" }
        return Finding(
            .redisTooOld, object: origin.words, expected: writer ?? "a server that reads \(origin.words)",
            actual: installed.map(\.version.description).joined(separator: ", "),
            message: "the backup is of \(origin.words), which no server on this machine reads",
            hint: binaries == nil
                ? "install \(writer ?? "a newer one"), and name the folder of its programs in MUSTER_REDIS_BIN"
                : "have binaries of the service in the estate file name a folder of \(writer ?? "a newer one")")
    }
}
