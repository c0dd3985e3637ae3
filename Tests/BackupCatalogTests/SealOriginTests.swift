// Whose a genuine seal is: each name that it holds, and what the seals of one series say of each other.

import Cryptography
import DrillModel
import Foundation
import Seals
import Testing

@testable import BackupCatalog

@Suite struct SealOriginTests {
    private static let set = BackupSet(name: "daily", service: "orders", kind: .pgDump, stores: ["primary"], match: "*.dump")

    private func estate(_ change: (inout Estate, inout Service) -> Void = { _, _ in }) -> Estate {
        var service = Service(name: "orders", engine: .postgres, source: nil, backups: [Self.set.name: Self.set])
        var estate = Estate(
            name: "shop", timeZone: .gmt, stores: [:], keys: [:], services: [:], seals: SealPolicy(),
            file: URL(fileURLWithPath: "/estate.yaml"))
        change(&estate, &service)
        estate.services = [service.name: service]
        return estate
    }

    private func seal(
        estate: String = "shop", service: String = "orders", backup: String = "daily", database: String = "orders", cluster: String = "1",
        major: Int = 15, night: Int = 1, truth: Seal.Truth = .source
    ) -> Seal {
        let identity = PostgresIdentity(
            database: database, serverVersion: major * 10_000 + 3, systemIdentifier: cluster, lsn: "0/0", encoding: "UTF8", collate: "C",
            ctype: "C", localeProvider: "libc", locale: nil, bootstrapSuperuser: "postgres", size: 1)
        let truthOfIt = PostgresTruth(
            identity: identity, tables: [], objects: [], sequences: [], largeObjects: LargeObjectFingerprint(count: 0, hash: "0"))
        return Seal(
            estate: estate, service: service, backup: backup, truth: truth,
            snapshotTime: Date(timeIntervalSince1970: Double(night) * 86_400),
            backupSeconds: 1, artifact: Seal.Artifact(name: "\(night).dump", size: 1, sha256: "a"), postgres: truthOfIt)
    }

    private func judge(_ seal: Seal, _ estate: Estate? = nil, _ set: BackupSet = set) -> Finding? {
        SealOrigin(estate: estate ?? self.estate(), set: set).judge(seal, name: "a.dump")
    }

    @Test func ownSealsAreBelieved() {
        #expect(judge(seal()) == nil)
        #expect(judge(seal(database: "anything", cluster: "2")) == nil, "the estate names neither")
        let redis = Seal(
            estate: "shop", service: "orders", backup: "daily", truth: .source, snapshotTime: .now, backupSeconds: 1,
            artifact: Seal.Artifact(name: "a", size: 1, sha256: "a"), redis: RedisTruth(serverVersion: "7", digest: "0", databases: []))
        #expect(judge(redis) == nil)
    }

    @Test(arguments: ["estate", "service", "backup"]) func eachNameCounts(_ place: String) throws {
        let foreign =
            switch place {
            case "estate": seal(estate: "other")
            case "service": seal(service: "other", database: "w_other")
            default: seal(backup: "other")
            }
        let finding = try #require(judge(foreign))
        #expect(finding.rule == .sealNamesOtherSource && finding.severity == .critical)
        #expect(finding.expected.contains("estate shop, orders/daily") && finding.actual.contains("other"), "both are named")
        #expect(finding.hint.contains("sealed-as of the \(place)"))
        // The way out: the former name, or the series that its backups are copied from.
        var set = Self.set
        if place == "backup" { set.sealedAs = ["other"] }
        let known = estate { estate, service in
            if place == "estate" { estate.sealedAs = ["first", "other"] }
            if place == "service" { service.sealedAs = ["other"] }
        }
        #expect(judge(foreign, known, set) == nil)
    }

    @Test func theDatabaseIsTheEstates() {
        let other = seal(database: "billing")
        let source = estate {
            $1.source = SourceConnection(host: "/s", port: nil, database: "orders", user: nil, password: nil)
        }
        #expect(judge(other, source)?.actual == "database billing" && judge(seal(), source) == nil)
        let both = estate {
            $1.source = SourceConnection(host: "/s", port: nil, database: "orders", user: nil, password: nil)
            $1.databases = ["orders", "billing"]
        }
        #expect(judge(other, both) == nil && judge(seal(database: "third"), both)?.rule == .sealNamesOtherSource)
        let cluster = estate { $1.systemIdentifiers = ["1"] }
        #expect(judge(seal(), cluster) == nil && judge(seal(cluster: "2"), cluster)?.actual == "system identifier 2")
        // A scratch server's identity says nothing.
        #expect(judge(seal(database: "x", cluster: "9", truth: .backup), cluster) == nil)
        #expect(judge(seal(database: "x", truth: .backup), source) == nil)
    }

    /// - Returns: The nights whose seal isn't believed, and what is said of the whole.
    private func series(_ seals: [Seal], _ estate: Estate? = nil) -> (strangers: [Int], findings: [Finding]) {
        let points = seals.map { seal in
            RecoveryPoint(
                service: "orders", backup: "daily", store: "primary", zone: nil, path: seal.artifact.name,
                location: URL(fileURLWithPath: "/\(seal.artifact.name)"), size: 1, time: seal.snapshotTime, timeSource: .seal,
                sealState: .valid(seal))
        }
        let told = SealOrigin(estate: estate ?? self.estate(), set: Self.set).judge(points.reversed() + points)
        return (told.strangers.keys.compactMap { Int($0.prefix { $0 != "." }) }.sorted(), told.findings)
    }

    @Test func oneOfAnotherDatabaseIsAStranger() {
        let nights = (1...4).map { seal(database: $0 == 4 ? "billing" : "orders", night: $0) }
        let told = series(nights)
        #expect(told.strangers == [4] && told.findings.map(\.rule) == [.sealNamesOtherSource])
        #expect(told.findings.first?.actual == "database orders in 3 seals, database billing in 1 seal")
        #expect(series((1...4).map { seal(night: $0) }).findings.isEmpty)
        // Of as many the younger; where the wrong ones have become more, the series is red all the same.
        #expect(series([seal(night: 1), seal(database: "billing", night: 2)]).strangers == [2])
        #expect(series((1...4).map { seal(database: $0 > 1 ? "billing" : "orders", night: $0) }).findings.map(\.severity) == [.critical])
        #expect(series(nights, estate { $1.databases = ["orders", "billing"] }).findings.isEmpty, "a rename that is declared")
    }

    /// A restore from a dump, a copy of production for tests and the wrong folder look the same.
    @Test func anotherClusterOfTheSameVersionIsAStranger() {
        let moved = (1...4).map { seal(cluster: $0 == 4 ? "2" : "1", night: $0) }
        #expect(series(moved).strangers == [4] && series(moved).findings.map(\.severity) == [.critical])
        #expect(series(moved, estate { $1.systemIdentifiers = ["1", "2"] }).findings.isEmpty)
        let mixed = (1...4).map { seal(cluster: $0.isMultiple(of: 2) ? "2" : "1", major: $0.isMultiple(of: 2) ? 17 : 15, night: $0) }
        #expect(series(mixed).strangers == [2, 4], "an upgrade that comes and goes is none")
        #expect(series((1...3).map { seal(cluster: "\($0)", night: $0, truth: .backup) }).findings.isEmpty)
    }

    @Test func anUpgradeIsAWarning() {
        let told = series((1...4).map { seal(cluster: $0 > 2 ? "2" : "1", major: $0 > 2 ? 17 : 15, night: $0) })
        #expect(told.strangers.isEmpty && told.findings.map(\.severity) == [.warning])
        #expect(told.findings.first?.actual == "system identifier 1 (PostgreSQL 15), then 2 (PostgreSQL 17)")
        // pg_upgrade keeps no identifier, a minor release does.
        #expect(series((1...4).map { seal(major: $0 > 2 ? 17 : 15, night: $0) }).findings.isEmpty)
    }

    /// A seal that isn't believed tells no time either.
    @Test func theCatalogueBelievesNoForeignSeal() async throws {
        let shelf = try Shelf()
        let key = try Ed25519PrivateKey.generate()
        for (name, service) in [("a.dump", "db"), ("b.dump", "billing")] {
            let file = try shelf.file("primary/\(name)", archive(hour: 8), modified: 5)
            var seal = seal(estate: "e", service: service)
            seal.artifact = try await Seal.Artifact.measuring(file)
            try SealFile.write(seal, besides: file, signedBy: key)
        }
        let points = try shelf.catalogue("*.dump", trusted: [try key.publicKey()]).points()
        #expect(points.first { $0.path == "a.dump" }?.timeSource == .seal)
        let foreign = try #require(points.first { $0.path == "b.dump" })
        #expect(foreign.timeSource == .archiveHeader)
        guard case .broken(let finding) = foreign.sealState else {
            Issue.record("the seal passed")
            return
        }
        #expect(finding.rule == .sealNamesOtherSource)
    }

    /// A cluster's databases come and go; that it is the same cluster is what counts.
    @Test func ofAWholeCluster() throws {
        func cluster(_ names: [String], system: String = "1", night: Int = 1) -> Seal {
            var whole = seal(cluster: system, night: night)
            whole.postgres = nil
            let truths = names.compactMap { seal(database: $0, cluster: system).postgres }
            whole.hold(ClusterTruth(databases: truths.map { .init(snapshotTime: whole.snapshotTime, truth: $0) }, roles: []))
            return whole
        }
        #expect(judge(cluster(["orders", "crm"])) == nil)
        let declared = estate { $1.databases = ["orders"] }
        #expect(judge(cluster(["crm", "orders"]), declared) == nil)
        let finding = try #require(judge(cluster(["crm", "billing"]), declared))
        #expect(finding.rule == .sealNamesOtherSource && finding.actual == "databases billing, crm")
        let other = estate { $1.systemIdentifiers = ["2"] }
        #expect(judge(cluster(["orders"]), other)?.rule == .sealNamesOtherSource)
        #expect(judge(cluster(["orders"], system: "2"), other) == nil)
    }
}
