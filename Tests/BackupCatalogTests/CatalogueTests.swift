// What the catalogue finds, in which order, and where it took each time from.

import Cryptography
import DrillModel
import Foundation
import Glibc
import Seals
import Testing

@testable import BackupCatalog

/// Stores in a folder that goes away with the test.
final class Shelf: Sendable {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("mt-\(UUID().uuidString)", isDirectory: true)
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    /// - Parameter modified: Seconds since 1970.
    @discardableResult
    func file(_ path: String, _ bytes: [UInt8] = Array("x".utf8), modified: TimeInterval? = nil) throws -> URL {
        let file = url.appendingPathComponent(path)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: file)
        if let modified {
            try FileManager.default.setAttributes([.modificationDate: Date(timeIntervalSince1970: modified)], ofItemAtPath: file.path)
        }
        return file
    }

    func estate(stores: [String] = ["primary"], keys: [String: KeyReference] = [:]) -> Estate {
        let all = stores.map { Store(name: $0, location: .folder(url.appendingPathComponent($0)), zone: "z-\($0)") }
        return Estate(
            name: "e", timeZone: TimeZone(identifier: "Asia/Kolkata") ?? .gmt,
            stores: Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) }), keys: keys, services: [:], seals: SealPolicy(),
            file: url.appendingPathComponent("estate.yaml"))
    }

    func catalogue(
        _ match: String, kind: BackupSet.Kind = .pgDump, stores: [String] = ["primary"], globals: String? = nil,
        trusted: [Ed25519PublicKey] = [], decryption: ArtifactStream.Encryption? = nil
    ) -> Catalogue {
        Catalogue(
            estate: estate(stores: stores),
            set: BackupSet(name: "daily", service: "db", kind: kind, stores: stores, match: match, globals: globals), trusted: trusted,
            decryption: decryption)
    }
}

/// The head of a custom archive of 2026-03-14 at this hour, by the clock of the machine that dumped.
func archive(hour: UInt8, layout: UInt8 = 1) -> [UInt8] {
    func integer(_ value: Int) -> [UInt8] { [0] + (0..<4).map { UInt8(value >> ($0 * 8) & 0xff) } }
    func string(_ text: String) -> [UInt8] { integer(text.utf8.count) + Array(text.utf8) }
    let numbers = [0, 0, Int(hour), 14, 2, 126, 0].flatMap(integer)
    return Array("PGDMP".utf8) + [1, 14, 0, 4, 8, layout] + integer(1) + numbers + string("d") + string("15.4") + string("15.4")
}

@Suite struct CatalogueTests {
    /// A base backup's end is written in whole seconds, cut off, and read as the next one.
    @Test func whatEndedInTheIncidentsOwnSecondIsNotYounger() {
        func point(_ source: RecoveryPoint.TimeSource, _ time: Double) -> RecoveryPoint {
            RecoveryPoint(
                service: "s", backup: "b", store: "st", zone: nil, path: "p", location: URL(fileURLWithPath: "/p"), globals: nil, size: 1,
                time: Date(timeIntervalSince1970: time), timeSource: source, sealState: .missing)
        }
        let incident = Date(timeIntervalSince1970: 1000.4)
        for source in [RecoveryPoint.TimeSource.backupHistory, .pgBackRestInfo] {
            #expect(point(source, 1001).counted(by: incident)?.time == incident)
            #expect(point(source, 1002).counted(by: incident) == nil)
            #expect(point(source, 1000).counted(by: incident)?.time == Date(timeIntervalSince1970: 1000))
        }
        #expect(point(.seal, 1000.5).counted(by: incident) == nil && point(.seal, 1000.4).counted(by: incident) != nil)
    }

    @Test func aStarStaysInItsFolder() throws {
        let shelf = try Shelf()
        for path in [
            "primary/pg/daily/a.dump", "primary/pg/daily/deep/b.dump", "primary/pg/c.dump", "primary/pg/daily/.hidden.dump",
            "primary/pg/daily/a.dump.seal.json", "primary/pg/daily/e.txt", "primary/pg/weekly/f.dump",
        ] { try shelf.file(path) }
        func paths(_ match: String) throws -> [String] { try shelf.catalogue(match).points().map(\.path).sorted() }
        #expect(try paths("pg/daily/*.dump") == ["pg/daily/a.dump"])
        #expect(try paths("pg/*/*.dump") == ["pg/daily/a.dump", "pg/weekly/f.dump"])
        #expect(try paths("pg/daily/*") == ["pg/daily/a.dump", "pg/daily/deep", "pg/daily/e.txt"])
        #expect(try paths("pg/daily/[ab].dump") == ["pg/daily/a.dump"])
        #expect(try paths("pg/daily/?.dump") == ["pg/daily/a.dump"])
    }

    @Test func theNewestComesFirstAndCopiesInTheEstatesOrder() throws {
        let shelf = try Shelf()
        for (store, name, time) in [("b", "1", 100.0), ("a", "1", 100), ("a", "3", 300), ("b", "2", 200)] {
            try shelf.file("\(store)/\(name).dump", modified: time)
        }
        let points = try shelf.catalogue("*.dump", stores: ["b", "a"]).points()
        #expect(points.map { "\($0.store)/\($0.path)" } == ["a/3.dump", "b/2.dump", "b/1.dump", "a/1.dump"])
        #expect(points.map(\.zone) == ["z-a", "z-b", "z-b", "z-a"])
        #expect(points.allSatisfy { $0.timeSource == .modificationTime && $0.size == 1 })
    }

    @Test func theArchivesOwnTimeCountsInTheEstatesZone() throws {
        let shelf = try Shelf()
        try shelf.file("primary/a.dump", archive(hour: 8), modified: 5)
        try shelf.file("primary/d.dump/toc.dat", archive(hour: 9, layout: 3), modified: 5)
        try shelf.file("primary/t.dump", tarHead() + archive(hour: 10, layout: 3), modified: 5)
        try shelf.file("primary/cut.dump", Array(archive(hour: 11).prefix(30)), modified: 5)
        let points = try shelf.catalogue("*.dump").points()
        #expect(points.map(\.path) == ["t.dump", "d.dump", "a.dump", "cut.dump"])
        #expect(points.map(\.timeSource) == [.archiveHeader, .archiveHeader, .archiveHeader, .modificationTime])
        // 08:00 in Kolkata is 02:30 in Greenwich.
        #expect(points[2].time == Date(timeIntervalSince1970: 1_773_446_400 + 2.5 * 3600))
    }

    private func tarHead() -> [UInt8] {
        var head = [UInt8](repeating: 0, count: 512)
        head.replaceSubrange(257..<262, with: Array("ustar".utf8))
        return head
    }

    @Test func anEncryptedHeadIsOpened() throws {
        let shelf = try Shelf()
        let key = ArtifactStream.Encryption(passphrase: Secret("k"))
        let encryptor = try key.cipher.encryptor(passphrase: key.passphrase)
        let stored = try encryptor.update(archive(hour: 8) + [UInt8](repeating: 7, count: 9000)) + encryptor.finish()
        try shelf.file("primary/a.dump.enc", stored, modified: 5)
        let right = try shelf.catalogue("*.enc", decryption: key).points()
        #expect(right.map(\.timeSource) == [.archiveHeader])
        let wrong = try shelf.catalogue("*.enc", decryption: ArtifactStream.Encryption(passphrase: Secret("x"))).points()
        #expect(wrong.map(\.timeSource) == [.modificationTime])
        #expect(try shelf.catalogue("*.enc").points().map(\.timeSource) == [.modificationTime])
    }

    @Test func aSnapshotTellsItsOwnTime() throws {
        let shelf = try Shelf()
        let head = Array("REDIS0010".utf8) + [0xfa, 5] + Array("ctime".utf8) + [0xc2, 0, 0, 0, 0x60, 0xff]
        try shelf.file("primary/a.rdb", head, modified: 5)
        let points = try shelf.catalogue("*.rdb", kind: .rdb).points()
        #expect(points.map(\.timeSource) == [.rdbCreationTime] && points[0].time == Date(timeIntervalSince1970: 0x6000_0000))
    }

    @Test func aFolderIsAsOldAsItsNewestFile() throws {
        let shelf = try Shelf()
        let set = "*1\r\n$4\r\nPING\r\n"
        try shelf.file(
            "primary/timed/a.aof.manifest", Array("file a.aof.1.incr.aof seq 1 type i\nfile \"a.aof.2.incr.aof\" seq 2 type i\n".utf8))
        try shelf.file("primary/timed/a.aof.1.incr.aof", Array("#TS:1700000000\r\n\(set)#TS:1700000007\r\n\(set)".utf8))
        try shelf.file("primary/timed/a.aof.2.incr.aof", [])
        let timed = try shelf.catalogue("timed", kind: .aof).points()
        #expect(timed.map(\.timeSource) == [.appendOnlyTimestamp] && timed.map(\.time.timeIntervalSince1970) == [1_700_000_007])
        try shelf.file("primary/aof/base", modified: 1000)
        try shelf.file("primary/aof/sub/incr", [1, 2, 3], modified: 2000)
        let points = try shelf.catalogue("aof", kind: .aof).points()
        #expect(points.map(\.time) == [Date(timeIntervalSince1970: 2000)] && points.map(\.size) == [4])
    }

    @Test func theSealsTimeComesFirst() async throws {
        let shelf = try Shelf()
        let file = try shelf.file("primary/a.dump", archive(hour: 8), modified: 5)
        let key = try Ed25519PrivateKey.generate()
        let seal = Seal(
            estate: "e", service: "db", backup: "daily", truth: .source, snapshotTime: Date(timeIntervalSince1970: 12345),
            backupSeconds: 60,
            artifact: try await Seal.Artifact.measuring(file))
        try SealFile.write(seal, besides: file, signedBy: key)
        let trusted = try shelf.catalogue("*.dump", trusted: [try key.publicKey()]).points()
        #expect(trusted.map(\.time) == [Date(timeIntervalSince1970: 12345)] && trusted.map(\.timeSource) == [.seal])
        // A seal that nobody vouches for tells no time.
        let stranger = try Ed25519PrivateKey.generate().publicKey()
        let untrusted = try shelf.catalogue("*.dump", trusted: [stranger]).points()
        #expect(untrusted.map(\.timeSource) == [.archiveHeader])
        guard case .broken(let finding)? = untrusted.first?.sealState else {
            Issue.record("the seal passed")
            return
        }
        #expect(finding.severity == .critical)
    }

    /// Neither a file nor a folder on the way with a name that is no text vanishes.
    @Test func aNameThatIsNoText() throws {
        let shelf = try Shelf()
        try shelf.file("primary/pg/a.dump", modified: 100)
        func make(_ name: [UInt8], in folder: String, isFolder: Bool = false) throws {
            let path = Array(shelf.url.appendingPathComponent(folder).path.utf8) + [UInt8(ascii: "/")] + name + [0]
            let bytes = path.map { CChar(bitPattern: $0) }
            if isFolder { return try #require(mkdir(bytes, 0o700) == 0 ? () : nil) }
            let descriptor = open(bytes, O_CREAT | O_WRONLY, 0o600)
            try #require(descriptor >= 0)
            close(descriptor)
        }
        try make(Array("bad".utf8) + [0xff] + Array(".dump".utf8), in: "primary/pg")
        try make(Array("bad".utf8) + [0xff] + Array(".txt".utf8), in: "primary/pg")
        try make([0xfe], in: "primary", isFolder: true)
        let survey = try shelf.catalogue("pg/*.dump").survey()
        #expect(survey.points.map(\.path) == ["pg/a.dump"])
        #expect(survey.passedOver.map(\.path) == ["pg/bad\\xff.dump"] && survey.passedOver.allSatisfy { $0.modified != nil })
        #expect(shelf.catalogue("*/*.dump").listing().passedOver.map(\.path) == ["\\xfe", "pg/bad\\xff.dump"])
        // Alone, it is what the failure speaks of.
        try FileManager.default.removeItem(at: shelf.url.appendingPathComponent("primary/pg/a.dump"))
        let alone = #expect(throws: DrillFailure.self) { try shelf.catalogue("pg/*.dump").points() }
        #expect(alone?.verdict == .failed && alone?.finding.rule.name == "name-unusable")
    }

    @Test func whatIsMissingIsAFailureThatNamesIt() throws {
        let shelf = try Shelf()
        let gone = #expect(throws: DrillFailure.self) { try shelf.catalogue("*.dump").points() }
        #expect(gone?.verdict == .failed && gone?.finding.rule.name == "store-missing" && gone?.finding.object == "store primary")
        try shelf.file("primary/other.txt")
        let nothing = #expect(throws: DrillFailure.self) { try shelf.catalogue("*.dump").points() }
        #expect(nothing?.verdict == .failed && nothing?.finding.rule.name == "no-recovery-point")
        #expect(nothing?.finding.message.contains("*.dump") == true)
        #expect(throws: DrillFailure.self) { try shelf.catalogue("").points() }
    }

    @Test func aStoreThatHoldsNothingIsToldBesideOneThatDoes() throws {
        let shelf = try Shelf()
        try shelf.file("a/1.dump")
        try shelf.file("empty/other")
        let survey = try shelf.catalogue("*.dump", stores: ["gone", "a", "empty"]).survey()
        #expect(survey.points.map(\.store) == ["a"])
        #expect(survey.emptyStores.map(\.rule.name) == ["store-missing", "no-recovery-point"])
        #expect(survey.emptyStores.map(\.object) == ["store gone", "store empty"])
    }

    @Test(.enabled(if: geteuid() != 0, "root reads everything")) func aClosedStoreIsAFailure() throws {
        let shelf = try Shelf()
        try shelf.file("primary/a.dump")
        chmod(shelf.url.appendingPathComponent("primary").path, 0)
        defer { chmod(shelf.url.appendingPathComponent("primary").path, 0o700) }
        let failure = #expect(throws: DrillFailure.self) { try shelf.catalogue("*.dump").points() }
        #expect(failure?.finding.rule.name == "store-unreadable")
    }
}

@Suite struct GlobalsPairingTests {
    private func pair(_ dump: String, _ globals: [String]) throws -> String? {
        let shelf = try Shelf()
        let item = { (name: String) in
            StoredItem(path: name, location: shelf.url.appendingPathComponent(name), isFolder: false, size: 1, modified: Date())
        }
        return GlobalsPairing.globals(for: item(dump), among: globals.map(item))?.path
    }

    @Test(arguments: [
        (
            "app-2026-03-14.dump.enc", ["app-2026-03-13.globals.sql.enc", "app-2026-03-14.globals.sql.enc"],
            "app-2026-03-14.globals.sql.enc"
        ),
        ("shop1-mon.dump", ["roles-mon.sql", "roles-tue.sql"], "roles-mon.sql"),
        ("app.2026.03.14.dump", ["app.2026.03.13.globals.sql", "app.2026.03.14.globals.sql"], "app.2026.03.14.globals.sql"),
        (
            "app-20260314-020000.dump", ["globals-20260314-020105.sql.gz", "globals-20260313-020105.sql.gz"],
            "globals-20260314-020105.sql.gz"
        ),
        ("app-20260314-140000.dump", ["g-20260314-020105.sql", "g-20260314-140105.sql"], "g-20260314-140105.sql"),
        ("app-20260314-020000.dump", ["g-20260313.sql", "g-20260314.sql"], "g-20260314.sql"),
        ("app-20260314.dump", ["g-20260313-020105.sql", "g-20260314-020105.sql"], "g-20260314-020105.sql"),
        ("a-20260314.dump.bz2", ["b-20260314.sql.lz4"], "b-20260314.sql.lz4"),
        ("app.dump", ["globals.sql"], "globals.sql"), ("app-20260314.dump", ["globals.sql"], "globals.sql"),
        ("2026-03-14/app.dump", ["2026-03-13/globals.sql", "2026-03-14/globals.sql"], "2026-03-14/globals.sql"),
        ("d/20260314_0200/app.dump", ["d/20260313_0200/globals.sql", "d/20260314_0200/globals.sql"], "d/20260314_0200/globals.sql"),
        ("2026/03/14/app.dump", ["roles/globals-2026-03-14.sql", "roles/globals-2026-03-13.sql"], "roles/globals-2026-03-14.sql"),
        ("2026-03-14/app.dump", ["globals.sql"], "globals.sql"),
        ("db1.dump", ["db2.globals.sql", "db1.globals.sql"], "db1.globals.sql"),
        ("db1-20260314.dump", ["db1-20260314.sql", "db2-20260314.sql"], "db1-20260314.sql"),
    ])
    func theOneOfTheSameMomentIsTaken(_ dump: String, _ globals: [String], _ expected: String) throws {
        #expect(try pair(dump, globals) == expected)
        #expect(try pair(dump, globals.reversed()) == expected)
    }

    @Test(arguments: [
        ("shop-Tuesday.dump", ["roles-Monday.sql"]), ("app-2026-03-14.dump", ["app-2026-03-13.globals.sql"]),
        ("app.2026.03.14.dump", ["app.2026.03.15.globals.sql"]),
        ("app-20260314.dump", []),
    ])
    func oneOfAnotherDayIsNone(_ dump: String, _ globals: [String]) throws {
        #expect(try pair(dump, globals) == nil)
    }

    @Test func globalsAreNoBackupsThemselves() throws {
        let shelf = try Shelf()
        try shelf.file("primary/app-1.enc")
        try shelf.file("primary/app-1.globals.enc")
        let points = try shelf.catalogue("*.enc", globals: "*.globals.enc").points()
        #expect(points.map(\.path) == ["app-1.enc"])
        #expect(points.first?.globals?.lastPathComponent == "app-1.globals.enc")
    }
}
