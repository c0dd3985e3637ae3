// The servers and tools in other versions than the system's, which scripts/setup-tests brings for tests, and where their programs lie.

import Foundation
public import Testing

/// Programs of one version that lie apart from the system's.
public struct Installation: Sendable, Hashable, CustomTestStringConvertible {
    /// What it is, for people: "PostgreSQL 18".
    public let name: String
    /// Its folder's name below the folder of `scripts/setup-tests`.
    public let folder: String
    /// The program without which it is of no use.
    public let program: String

    /// The folder of its programs; nil where it isn't here.
    public var bin: String? {
        Self.places.map { "\($0)/\(folder)/bin" }.first { access("\($0)/\(program)", X_OK) == 0 }
    }

    /// Whether a test that needs it runs: where it is, and in CI, where its absence is a failure.
    public var isHere: Bool { bin != nil || isPromised && ProcessInfo.processInfo.environment["CI"] != nil }

    /// What comes from a suite that may lose it any day is skipped where it can't be had, also in CI.
    public var isPromised: Bool { folder != "postgresql-19" }

    /// The folder of its programs, for a test that runs.
    ///
    /// - Throws: ``Missing``, in CI, where `scripts/setup-tests` should have brought it.
    public func requireBin() throws -> String {
        guard let bin else { throw Missing(installation: self) }
        return bin
    }

    /// PATH with its programs first: how Muster is told which Redis and which pgBackRest it is to use.
    public func path() throws -> String {
        "\(try requireBin()):\(ProcessInfo.processInfo.environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin")"
    }

    public var testDescription: String { name }

    public struct Missing: Error, CustomStringConvertible {
        let installation: Installation
        public var description: String { "\(installation.name) is not here: scripts/setup-tests brings it" }
    }

    private static let places: [String] = {
        let checkout = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        return ["/opt/muster-test", checkout.appendingPathComponent(".build/muster-test").path]
    }()
}

extension Installation {
    public static let postgres14 = postgres("14")
    /// The minor of November 2026 that Debian 12 has no package of in its main archive.
    public static let postgres15Newest = postgres("15.20")
    /// With an extension that has to be preloaded.
    public static let postgres15Cron = postgres("15.20-cron")
    public static let postgres16 = postgres("16")
    /// 17.10, before the minors of November 2026.
    public static let postgres17 = postgres("17")
    public static let postgres17Newest = postgres("17.12")
    public static let postgres18 = postgres("18")
    /// A release candidate, as long as that is the newest.
    public static let postgres19 = postgres("19")
    /// Every PostgreSQL that comes apart from the system, the oldest first.
    public static let allPostgres = [postgres14, postgres15Newest, postgres16, postgres17, postgres17Newest, postgres18, postgres19]

    public static let redis62 = redis("6.2")
    public static let redis74 = redis("7.4")
    public static let redis82 = redis("8.2")
    /// Every Redis that comes apart from the system, the oldest first. 8.2 has no `redis-cli` of its own.
    public static let allRedis = [redis62, redis74, redis82]

    /// Its programs are called `valkey-server`, `valkey-check-rdb` and `valkey-check-aof`; it has no `valkey-cli`.
    public static let valkey91 = Installation(name: "Valkey 9.1", folder: "valkey-9.1", program: "valkey-server")

    /// Writes OCB packets, which Debian 12's 2.2 reads only.
    public static let gnuPG24 = Installation(name: "GnuPG 2.4", folder: "gnupg-2.4", program: "gpg")

    /// It refuses to be run by root, as each from 2.59 on.
    public static let pgBackRest260 = Installation(name: "pgBackRest 2.60", folder: "pgbackrest-2.60", program: "pgbackrest")

    private static func postgres(_ version: String) -> Installation {
        Installation(name: "PostgreSQL \(version)", folder: "postgresql-\(version)", program: "postgres")
    }

    private static func redis(_ version: String) -> Installation {
        Installation(name: "Redis \(version)", folder: "redis-\(version)", program: "redis-server")
    }
}

extension Trait where Self == ConditionTrait {
    /// Skips where an installation isn't here, and fails in CI by what the test then meets.
    public static func needs(_ installations: Installation...) -> Self {
        let missing = installations.filter { !$0.isHere }.map(\.name).joined(separator: ", ")
        return .enabled(if: missing.isEmpty, "\(missing) is not here: scripts/setup-tests brings it")
    }
}
