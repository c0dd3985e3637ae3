// Every format of a real dump comes back whole, and each way of being broken is seen.

import ArtifactFormats
import DrillModel
import Foundation
import Glibc
import PostgresClient
import ScratchHost
import TestSupport
import Testing

@testable import PostgresRecovery

@Suite(.serialized, .enabled(if: TestMachine.hasPostgres, "no postgres server is installed")) struct RestoreTests {
    @Test(arguments: ["c.dump", "c0.dump", "d", "d0", "t.tar", "p.sql", "pc.sql", "clean.sql", "inserts.sql"])
    func everyFormatComesBackWhole(_ name: String) async throws {
        let source = try await Source.made()
        try await source.restore(name) { restored, _ in
            #expect(restored.cases.map(\.verdict) == [.passed, .passed], "\(restored.cases.flatMap(\.findings))")
            let archive = !name.hasSuffix(".sql") || name == "pc.sql"
            #expect(restored.database == (archive ? Source.database : "shop"))
            #expect(restored.withProperties.isEmpty != archive && !restored.hasRoles)
            let connection = try await PostgresConnection.connect(restored.server.configuration(database: restored.database))
            #expect(try await Source.counts(connection) == source.rows)
            #expect(try await Source.owners(connection) == source.owners)
            if archive {
                let owner = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()"
                #expect(try await connection.value(owner) == "db_owner")
                #expect(try await connection.value("SHOW work_mem") == "5MB")
            }
            await connection.close()
            // Nobody told who the roles are: said, and no failure.
            let findings = restored.cases.flatMap(\.findings)
            let notes = name == "inserts.sql" ? ["rows-by-insert"] : []
            #expect(findings.map(\.rule.name) == ["roles-created-empty"] + notes && findings.first?.severity == .warning)
            for role in ["owner_a", "Owner \"B", "lo_owner", "ev_owner", "Policy Reader"] {
                #expect(findings.first?.object.contains(role) == true, "\(role)")
            }
            #expect(findings.first?.object.contains("not_a_role") == false && findings.first?.object.contains("nobody_at_all") == false)
        }
    }

    @Test(arguments: ["c.dump", "pc.sql"])
    func globalsBringTheRoles(_ name: String) async throws {
        let source = try await Source.made()
        try await source.restore(name, globals: true) { restored, host in
            #expect(restored.cases.map(\.verdict) == [.passed, .passed] && restored.cases.flatMap(\.findings).isEmpty)
            #expect(restored.hasRoles)
            let connection = try await PostgresConnection.connect(restored.server.configuration(database: restored.database))
            #expect(try await Source.owners(connection) == source.owners)
            let b = try await connection.query(
                "SELECT rolcanlogin, rolconnlimit, rolpassword IS NOT NULL FROM pg_authid WHERE rolname = $1", ["Owner \"B"])
            #expect(b.first?[0] == "t" && b.first?[1] == "3" && b.first?[2] == "t")
            #expect(try await connection.value("SELECT admin_option FROM pg_auth_members WHERE member = 'reader'::regrole") == "t")
            #expect(try await connection.value("SELECT rolconfig FROM pg_roles WHERE rolname = 'owner_a'") == "{work_mem=3MB}")
            await connection.close()
            // The prepared copy holds password verifiers.
            #expect(!FileManager.default.fileExists(atPath: host.folder.url.appendingPathComponent("p/globals.sql").path))
        }
    }

    @Test(arguments: ["postgres.dump", "postgres.sql"])
    func theDatabasePostgresReplacesInitdbs(_ name: String) async throws {
        let source = try await Source.made()
        try await source.restore(name) { restored, _ in
            #expect(restored.database == "postgres" && restored.cases.allSatisfy { $0.verdict == .passed })
            let connection = try await PostgresConnection.connect(restored.server.configuration(database: "postgres"))
            #expect(try await connection.value("SELECT count(*) FROM people") == "5000")
            await connection.close()
        }
    }

    /// Every new database has the schema by itself; whatever else is there twice is as red as ever.
    @Test(arguments: ["n.dump", "nd", "n.sql", "nc.sql"]) func aDumpBySchemaComesBack(_ name: String) async throws {
        let source = try await Source.made()
        try await source.restore(name) { restored, _ in
            #expect(restored.cases.map(\.verdict) == [.passed, .passed], "\(restored.cases.flatMap(\.findings))")
            let note = restored.cases.flatMap(\.findings).first { $0.rule.name == "dump-by-schema" }
            #expect(note?.severity == .note && note?.message.contains("no extensions") == true)
            let connection = try await PostgresConnection.connect(restored.server.configuration(database: restored.database))
            #expect(try await connection.value("SELECT count(*) FROM people") == source.rows["people"])
            await connection.close()
        }
    }

    @Test(arguments: [
        ("n.sql", "CREATE SCHEMA public;", "CREATE SCHEMA public;\nCREATE TABLE public.people (i int);", "people"),
        ("n.sql", "CREATE SCHEMA public;", "CREATE SCHEMA public;\nCREATE SCHEMA other;\nCREATE SCHEMA other;", "schema \"other\""),
    ]) func anythingElseThatIsThereAlreadyIsRed(_ name: String, _ old: String, _ new: String, _ object: String) async throws {
        let source = try await Source.made()
        try await source.restore(name, change: replace(old, new)) { restored, _ in
            let red = restored.cases.first { $0.verdict == .failed }?.findings.first
            #expect(red?.rule.name == "object-not-restored" && red?.actual.contains(object) == true, "\(restored.cases)")
        }
    }

    @Test func incompleteGlobalsAreAFailure() async throws {
        let source = try await Source.made()
        try await withScratchHost { host in
            func restore(_ change: @escaping (inout [UInt8]) -> Void) async throws -> RestoredDatabase {
                try? FileManager.default.removeItem(at: host.folder.url.appendingPathComponent("f"))
                try? FileManager.default.removeItem(at: host.folder.url.appendingPathComponent("p"))
                let globals = try source.artifact("globals.sql", on: host, change: change)
                let dump = try source.dump(try source.artifact("p.sql", on: host), globals: globals)
                let folder = try host.folder.privateFolder("p")
                return try await DumpRestorer(host: host, folder: folder, profile: .fast, jobs: 1, service: "shop")
                    .restore(dump, identity: nil) { _ in }
            }
            let lacking = try await restore(replace("CREATE ROLE lo_owner;\nALTER ROLE lo_owner ", "-- "))
            await lacking.server.stop()
            #expect(lacking.cases.first?.verdict == .failed)
            #expect(lacking.cases.first?.findings.map(\.rule.name) == ["globals-incomplete"])
            #expect(lacking.cases.first?.findings.first?.object == "lo_owner")

            let tablespace = try await restore(
                replace("CREATE ROLE lo_owner;", "CREATE TABLESPACE ts OWNER owner_a LOCATION '/tmp';\nCREATE ROLE lo_owner;"))
            await tablespace.server.stop()
            #expect(tablespace.cases.first?.verdict == .passed, "a tablespace is a folder of another machine")

            let cut = await #expect(throws: DrillFailure.self) { try await restore { $0.removeLast($0.count / 2) } }
            #expect(cut?.verdict == .failed && cut?.finding.rule.name == "script-truncated" && cut?.finding.object == "globals")
        }
    }

    // MARK: Broken backups

    @Test(arguments: ["c.dump", "c0.dump"])
    func aCutArchiveNeverPasses(_ name: String) async throws {
        let source = try await Source.made()
        let size = try Data(contentsOf: source.folder.appendingPathComponent(name)).count
        let cuts = [6, 20, 70, 500, 2000, size / 4, size / 2, size * 7 / 8, size - 30, size - 1]
        for cut in cuts {
            let failure = try await source.failure(name) { $0.removeLast($0.count - cut) }
            #expect(failure?.verdict == .failed, "cut at \(cut) of \(size): \(failure?.finding.message ?? "passed")")
            let rules = ["archive-truncated", "archive-damaged", "artifact-not-a-dump"]
            #expect(rules.contains(failure?.finding.rule.name ?? ""), "cut at \(cut) of \(size)")
        }
    }

    @Test func damageInCompressedDataIsSeen() async throws {
        let source = try await Source.made()
        for eighth in [4, 6, 7] {
            let failure = try await source.failure("c.dump") { $0[$0.count * eighth / 8] ^= 0x10 }
            #expect(failure?.verdict == .failed, "at \(eighth)/8: \(failure?.finding.message ?? "passed")")
        }
    }

    @Test(arguments: ["t.tar"]) func aCutTarNeverPasses(_ name: String) async throws {
        let source = try await Source.made()
        let size = try Data(contentsOf: source.folder.appendingPathComponent(name)).count
        for quarter in 1...3 {
            let failure = try await source.failure(name) { $0.removeLast($0.count - size * quarter / 4 / 512 * 512) }
            #expect(failure?.verdict == .failed, "at \(quarter)/4: \(failure?.finding.message ?? "passed")")
        }
    }

    @Test(arguments: ["d", "d0"])
    func aCutOrMissingDataFileOfAFolderIsSeen(_ name: String) async throws {
        let source = try await Source.made()
        for remove in [false, true] {
            try await withScratchHost { host in
                let location = try source.artifact(name, on: host)
                let names = try FileManager.default.contentsOfDirectory(atPath: location.path).filter { $0.first?.isNumber == true }
                let files = names.map { location.appendingPathComponent($0) }
                let largest = try #require(try files.max { try Data(contentsOf: $0).count < Data(contentsOf: $1).count })
                if remove {
                    try FileManager.default.removeItem(at: largest)
                } else {
                    // At the end of a row: nothing in the file itself looks wrong.
                    let bytes = Array(try Data(contentsOf: largest))
                    let half = bytes[..<(bytes.count / 2)]
                    let end = name == "d0" ? (half.lastIndex(of: UInt8(ascii: "\n")) ?? 0) + 1 : half.count
                    try Data(bytes[..<end]).write(to: largest)
                }
                let restorer = DumpRestorer(
                    host: host, folder: try host.folder.privateFolder("p"), profile: .fast, jobs: 2, service: "shop")
                let dump = try source.dump(location)
                let failure = await #expect(throws: DrillFailure.self) { try await restorer.restore(dump, identity: nil) { _ in } }
                #expect(failure?.verdict == .failed)
                #expect(["archive-truncated", "archive-damaged"].contains(failure?.finding.rule.name))
            }
        }
    }

    @Test(arguments: [2, 4, 8]) func aCutScriptIsNeverRun(_ part: Int) async throws {
        let source = try await Source.made()
        let failure = try await source.failure("p.sql") { $0.removeLast($0.count / part) }
        #expect(failure?.verdict == .failed && failure?.finding.rule.name == "script-truncated")
    }

    /// psql would run both, and leave what was cut away for whoever looks at the first database.
    @Test func aScriptThatIsCutBeforeAnotherBeginsIsNeverRun() async throws {
        let source = try await Source.made()
        let failure = try await source.failure("p.sql") { bytes in
            let end = bytes[..<(bytes.count / 2)].ranges(of: Array(";\n\n".utf8)).last?.upperBound ?? 0
            bytes = bytes[..<end] + bytes
        }
        #expect(failure?.verdict == .failed && failure?.finding.rule.name == "script-truncated")
    }

    /// `pg_dumpall --globals-only` and then `pg_dump` into one file is a way that people go.
    @Test(arguments: ["p.sql", "pc.sql"]) func rolesAndADumpInOneFile(_ name: String) async throws {
        let source = try await Source.made()
        let globals = Array(try Data(contentsOf: source.folder.appendingPathComponent("globals.sql")))
        // A tablespace is a folder of another machine: nothing is written there.
        let tablespace = Array("CREATE TABLESPACE ts OWNER owner_a LOCATION '/tmp';\n\n-- PostgreSQL database cluster dump complete".utf8)
        var roles = globals
        roles.replace(Array("-- PostgreSQL database cluster dump complete".utf8), with: tablespace)
        let script = roles
        try await source.restore(name, change: { $0 = script + $0 }) { restored, _ in
            #expect(restored.hasRoles && restored.cases.flatMap(\.findings).isEmpty)
            #expect(restored.cases.map(\.verdict) == [.passed, .passed], "\(restored.cases.flatMap(\.findings))")
            let connection = try await PostgresConnection.connect(restored.server.configuration(database: restored.database))
            #expect(try await Source.counts(connection) == source.rows)
            #expect(try await Source.owners(connection) == source.owners)
            await connection.close()
        }
    }

    /// With its own roles and databases, as psql runs it on a new server.
    @Test(arguments: ["all.sql", "allclean.sql"]) func aWholeClusterComesBack(_ name: String) async throws {
        let source = try await Source.made()
        try await source.restore(name) { restored, _ in
            #expect(restored.cases.map(\.verdict) == [.passed, .passed] && restored.cases.flatMap(\.findings).isEmpty, "\(restored.cases)")
            #expect(Set(restored.databases) == [Source.database, "postgres"] && restored.hasRoles && restored.isNamed)
            // What pg_dumpall writes of `postgres` has its settings only where it makes it anew.
            #expect(restored.withProperties.contains("postgres") == (name == "allclean.sql"))
            for database in restored.databases {
                let connection = try await PostgresConnection.connect(restored.server.configuration(database: database))
                #expect(try await Source.counts(connection) == source.rows, "\(database)")
                #expect(try await Source.owners(connection) == source.owners, "\(database)")
                await connection.close()
            }
            let connection = try await PostgresConnection.connect(restored.server.configuration(database: Source.database))
            #expect(try await connection.value("SHOW work_mem") == "5MB")
            #expect(try await connection.value("SELECT rolconnlimit FROM pg_authid WHERE rolname = 'Owner \"B'") == "3")
            // Nothing of the restore's own is left.
            #expect(try await connection.value("SELECT count(*) FROM pg_database WHERE datname LIKE 'muster%'") == "0")
            await connection.close()
        }
    }

    @Test(arguments: [
        ("CREATE ROLE reader;", "CREATE ROLE reader;\nCREATE ROLE reader;", "role \"reader\" already exists"),
        ("CREATE DATABASE \"we ird\"", "CREATE DATABASE \"we ird\";\nCREATE DATABASE \"we ird\"", "database \"we ird\" already exists"),
    ]) func whatIsWrongInAClusterIsRed(_ old: String, _ new: String, _ problem: String) async throws {
        try await Source.made().restore("all.sql", change: replace(old, new)) { restored, _ in
            let findings = restored.cases.filter { $0.verdict == .failed }.flatMap(\.findings)
            #expect(findings.contains { $0.rule.name == "object-not-restored" && $0.actual == problem }, "\(restored.cases)")
        }
    }

    /// In its name alone all of the source's grants can be made again.
    @Test func aClusterWhoseSuperuserHasAnotherName() async throws {
        let rename: (inout [UInt8]) -> Void = { bytes in
            var text = String(decoding: bytes, as: UTF8.self)
            for word in ["ROLE", "TO", "BY", "FROM"] { text = text.replacing("\(word) postgres", with: "\(word) boss") }
            bytes = Array(text.utf8)
        }
        try await Source.made().restore("all.sql", change: rename) { restored, _ in
            #expect(restored.cases.map(\.verdict) == [.passed, .passed] && restored.cases.flatMap(\.findings).isEmpty, "\(restored.cases)")
            #expect(restored.server.superuser == "boss")
        }
    }

    /// As they stand in the file, psql would leave owners and rights out.
    @Test func rolesBehindTheDump() async throws {
        let source = try await Source.made()
        let globals = Array(try Data(contentsOf: source.folder.appendingPathComponent("globals.sql")))
        try await source.restore("p.sql", change: { $0 += globals }) { restored, _ in
            let findings = restored.cases.flatMap(\.findings)
            #expect(findings.map(\.rule.name) == ["roles-after-use"] && findings.first?.object.contains("postgres") == false, "\(findings)")
            let connection = try await PostgresConnection.connect(restored.server.configuration(database: restored.database))
            #expect(try await Source.owners(connection) == source.owners)
            await connection.close()
        }
    }

    @Test func aRoleThatAClusterLacksIsRed() async throws {
        try await Source.made().restore("all.sql", change: replace("CREATE ROLE reader;", "")) { restored, _ in
            let red = restored.cases.first { $0.verdict == .failed }?.findings.first
            #expect(red?.rule.name == "globals-incomplete" && red?.object == "reader", "\(restored.cases)")
        }
    }

    /// Between two databases, in the middle of one, in the roles: nothing of it is run.
    @Test(arguments: [
        "--\n-- Database \"postgres\" dump", "COPY public.people", "-- User Configurations", "-- PostgreSQL database cluster dump complete",
    ])
    func aCutClusterIsNeverRun(_ place: String) async throws {
        let failure = try await Source.made().failure("all.sql") { bytes in
            let text = String(decoding: bytes, as: UTF8.self)
            guard let range = text.range(of: place, options: .backwards) else {
                Issue.record("\(place) is not in the script")
                return
            }
            bytes = Array(text[..<range.lowerBound].utf8)
        }
        #expect(failure?.finding.rule.name == "script-truncated", "\(failure?.finding.message ?? "passed")")
    }

    @Test(arguments: ["p.sql", "pc.sql", "inserts.sql"]) func linesThatEndWithCRLF(_ name: String) async throws {
        let source = try await Source.made()
        let translate: (inout [UInt8]) -> Void = { $0 = $0.flatMap { $0 == 0x0a ? [0x0d, 0x0a] : [$0] } }
        try await source.restore(name, change: translate) { restored, _ in
            #expect(restored.cases.allSatisfy { $0.verdict == .passed }, "\(restored.cases.flatMap(\.findings))")
            let warning = restored.cases.flatMap(\.findings).first { $0.rule.name == "script-line-ends" }
            #expect(warning?.severity == .warning && restored.sourceVersion != nil)
            let connection = try await PostgresConnection.connect(restored.server.configuration(database: restored.database))
            #expect(try await connection.value("SELECT count(*) FROM people") == source.rows["people"])
            await connection.close()
        }
        for part in [2, 4, 8] {
            let failure = try await source.failure(name) {
                translate(&$0)
                $0.removeLast($0.count / part)
            }
            #expect(failure?.finding.rule.name == "script-truncated", "a \(part)th cut off")
        }
    }

    @Test(arguments: [("inserts.sql", true), ("p.sql", false)]) func rowsByInsertAreSlow(_ name: String, _ isNoted: Bool) async throws {
        try await Source.made().restore(name) { restored, _ in
            let note = restored.cases.flatMap(\.findings).first { $0.rule.name == "rows-by-insert" }
            #expect((note?.severity == .note) == isNoted && (note?.actual.contains("INSERT") == true) == isNoted)
        }
    }

    /// Its rows are lost for good, and what did it is named.
    @Test(arguments: ["c.dump", "c0.dump"]) func anArchiveWithTranslatedLineEnds(_ name: String) async throws {
        let failure = try await Source.made().failure(name) { $0 = $0.flatMap { $0 == 0x0a ? [0x0d, 0x0a] : [$0] } }
        #expect(failure?.verdict == .failed && failure?.finding.rule.name == "archive-as-text", "\(failure?.finding.message ?? "passed")")
    }

    @Test func aDuplicateIsNamedWithoutItsValues() async throws {
        let source = try await Source.made()
        try await source.restore("p.sql", change: replace("\n7\tname 7\t", "\n8\tname 7\t")) { restored, _ in
            let result = try #require(restored.cases.last)
            #expect(result.verdict == .failed && result.findings.first?.rule.name == "object-not-restored")
            #expect(result.findings.contains { $0.actual.contains("people_pkey") })
            #expect(!"\(result.findings)".contains("(8)") && !"\(result.findings)".contains("name 7"))
        }
        try await source.restore("p.sql", change: replace("\n7\tname 7\t", "\nseven-secret\tname 7\t")) { restored, _ in
            let result = try #require(restored.cases.last)
            #expect(
                result.verdict == .failed && result.findings.first?.object == "table public.people"
                    || result.findings.first?.object == "table people")
            #expect(!"\(result.findings)".contains("seven-secret"))
        }
    }

    @Test func whatPgRestorePassesOverIsNamed() async throws {
        let source = try await Source.made()
        // Uncompressed, a digit of a row's key can be changed in place.
        try await source.restore("c0.dump", change: replaceBytes("7\tname 7\t", "8\tname 7\t")) { restored, _ in
            let result = try #require(restored.cases.last)
            #expect(result.verdict == .failed)
            let finding = try #require(result.findings.first { $0.rule.name == "object-not-restored" })
            #expect(finding.object.contains("people"))
            #expect(!"\(result.findings)".contains("(8)"))
        }
    }

    @Test func aMissingExtensionIsThisMachinesFault() async throws {
        let source = try await Source.made()
        let added =
            "CREATE EXTENSION nosuch;\nCOMMENT ON EXTENSION nosuch IS 'x';\nCREATE TABLE public.uses (a nosuch_type);\n\nCREATE TYPE public.mood"
        try await source.restore("p.sql", change: replace("CREATE TYPE public.mood", added)) { restored, _ in
            let result = try #require(restored.cases.last)
            #expect(result.verdict == .error, "\(result.findings)")
            #expect(result.findings.first?.rule.name == "extension-missing")
        }
    }

    @Test func aNewerMajorIsThisMachinesFault() async throws {
        let source = try await Source.made()
        let plain = try await source.failure(
            "p.sql", change: replace("-- Dumped from database version 1", "-- Dumped from database version 9"))
        #expect(plain?.verdict == .error && plain?.finding.rule.name == "postgres-too-old")
        // The server's version stands in the head, behind a length; the archive's own version in bytes 5 to 7.
        let head = try await source.failure("c.dump") { bytes in
            let at = bytes.firstRange(of: Array("15.".utf8))?.lowerBound ?? 0
            bytes[at] = UInt8(ascii: "9")
        }
        #expect(head?.verdict == .error && head?.finding.rule.name == "postgres-too-old")
        let archive = try await source.failure("c.dump") { $0[6] = 99 }
        #expect(archive?.verdict == .error && archive?.finding.rule.name == "postgres-too-old" || archive?.verdict == .failed)
    }

    @Test(arguments: ["pc.sql", "c.dump"])
    func aMissingLocaleIsAWarning(_ name: String) async throws {
        let source = try await Source.made()
        // Of the same length, so that the archive's own lengths still hold.
        let change = replaceBytes("LOCALE = 'C'", "LOCALE = 'Q'")
        try await source.restore(name, change: change) { restored, _ in
            #expect(restored.cases.last?.verdict == .passed, "\(restored.cases.flatMap(\.findings))")
            #expect(restored.cases.last?.findings.map(\.rule.name) == ["locale-missing"])
            #expect(restored.withProperties.isEmpty)
            let connection = try await PostgresConnection.connect(restored.server.configuration(database: restored.database))
            #expect(try await Source.counts(connection) == source.rows)
            await connection.close()
        }
    }

    // MARK: The machine

    @Test func aServerThatIsKilledMidwayIsAnError() async throws {
        let source = try await Source.made()
        for name in ["p.sql", "c.dump"] {
            // An archive can't be made slow: its restore may be over before the kill, and then says nothing. So once more.
            var failure: DrillFailure?
            for _ in 1...20 where failure == nil { failure = try await killed(name, of: source) }
            #expect(
                failure?.verdict == .error && failure?.finding.rule == .scratchServerFailed, "\(name): \(failure?.finding.message ?? "")")
        }
    }

    /// Restores onto a server that is killed meanwhile.
    ///
    /// - Returns: nil where the restore was over before.
    private func killed(_ name: String, of source: Source) async throws -> DrillFailure? {
        try await withScratchHost { host in
            let folder = try host.folder.privateFolder("p")
            let slow = "COPY public.people (id, name, m) FROM stdin;"
            let change = name == "p.sql" ? replace(slow, "SELECT pg_sleep(600);\n\(slow)") : nil
            let dump = try source.dump(try source.artifact(name, on: host, change: change))
            let restorer = DumpRestorer(host: host, folder: folder, profile: .fast, jobs: 1, service: "shop")
            let task = Task { try await restorer.restore(dump, identity: nil) { _ in } }
            let log = folder.appendingPathComponent(name == "p.sql" ? "psql.log" : "pg_restore.log")
            let pidFile = folder.appendingPathComponent("data/postmaster.pid")
            for _ in 0..<60_000 where !FileManager.default.fileExists(atPath: log.path) { try await Task.sleep(for: .milliseconds(2)) }
            let inner = try #require(try String(contentsOf: pidFile, encoding: .utf8).split(separator: "\n").first.flatMap { Int($0) })
            kill(try #require(host.processID(of: inner)), SIGKILL)
            do {
                _ = try await task.value
                return nil
            } catch let failure as DrillFailure {
                return failure
            }
        }
    }

    /// On a machine that allows no memory of a server's own.
    @Test func aKilledServersSharedMemoryIsFreed() async throws {
        let host = try await ScratchHost.prepare(in: ScratchRoot(), purpose: "test", isolation: Isolation.none)
        let binaries = try PostgresBinaries.suitable(forDumpOf: nil)
        let server = try await ScratchPostgres.start(on: host, in: try host.folder.privateFolder("p"), binaries: binaries, profile: .fast)
        let lock = try String(contentsOf: server.dataFolder.appendingPathComponent("postmaster.pid"), encoding: .utf8)
        let line = try #require(lock.split(separator: "\n", omittingEmptySubsequences: false).dropFirst(6).first)
        let segment = try #require(line.split(separator: " ").last.flatMap { Int32($0) })
        var status = shmid_ds()
        #expect(shmctl(segment, IPC_STAT, &status) == 0)
        await server.process.stop([(SIGKILL, .seconds(5))])
        #expect(shmctl(segment, IPC_STAT, &status) == 0, "a killed server leaves it behind")
        try await host.remove()
        #expect(shmctl(segment, IPC_STAT, &status) != 0)
    }

    /// Cancelled at any moment of initdb, which then clears its folder away, and with it what tells of its segment.
    @Test(arguments: [0, 100, 200, 300, 400]) func anInitdbThatIsEndedLeavesNoSharedMemory(later milliseconds: Int) async throws {
        try await withScratchHost { host in
            let folder = try host.folder.privateFolder("p")
            let binaries = try PostgresBinaries.suitable(forDumpOf: nil)
            let task = Task { try await ScratchPostgres.start(on: host, in: folder, binaries: binaries, profile: .fast) }
            let data = folder.appendingPathComponent("data")
            for _ in 0..<60_000 where !FileManager.default.fileExists(atPath: data.path) { try await Task.sleep(for: .milliseconds(2)) }
            var info = stat()
            #expect(lstat(data.path, &info) == 0)
            try await Task.sleep(for: .milliseconds(milliseconds))
            task.cancel()
            // On a fast machine it was made by then.
            await (try? task.value)?.stop()
            try await host.end()
            #expect(shmget(Int32(truncatingIfNeeded: info.st_ino), 0, 0) < 0)
        }
    }

    @Test func cancellingLeavesNoServer() async throws {
        let source = try await Source.made()
        try await withScratchHost { host in
            let folder = try host.folder.privateFolder("p")
            let slow = "COPY public.people (id, name, m) FROM stdin;"
            let dump = try source.dump(try source.artifact("p.sql", on: host, change: replace(slow, "SELECT pg_sleep(600);\n\(slow)")))
            let restorer = DumpRestorer(host: host, folder: folder, profile: .fast, jobs: 1, service: "shop")
            let task = Task { try await restorer.restore(dump, identity: nil) { _ in } }
            let log = folder.appendingPathComponent("psql.log")
            for _ in 0..<60_000 where !FileManager.default.fileExists(atPath: log.path) { try await Task.sleep(for: .milliseconds(2)) }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(ProcessTable.belonging(toEnvironment: "MUSTER_SCRATCH_ID=\(host.folder.id)", orFolder: host.folder.url.path).isEmpty)
        }
    }

    @Test func anArtifactThatIsNoDumpFails() async throws {
        let source = try await Source.made()
        try await withScratchHost { host in
            let folder = try host.folder.privateFolder("f")
            let file = folder.appendingPathComponent("x")
            try Data("REDIS0010".utf8).write(to: file)
            for (format, isFolder) in [(ArtifactFormat.rdb, false), (.postgresArchive, false), (.tar, false), (.unknown, true)] {
                let failure = #expect(throws: DrillFailure.self) {
                    try DumpSource(location: isFolder ? folder : file, format: format, isFolder: isFolder, globals: nil, backup: "b")
                }
                #expect(failure?.verdict == .failed && failure?.finding.rule.name == "artifact-not-a-dump")
            }
            // What is called a tar must be one.
            #expect(throws: DrillFailure.self) {
                try DumpSource(
                    location: source.folder.appendingPathComponent("c.dump"), format: .tar, isFolder: false, globals: nil, backup: "b")
            }
        }
    }

    // MARK: Quarantine

    private func quarantine(_ restored: RestoredDatabase, _ host: ScratchHost) async -> [CaseResult] {
        await PostgresQuarantine.ask(
            restored.server, service: "shop", host: host,
            demand: QuarantineDemand(network: host.isolation.isWhole, files: host.isolation.isWhole))
    }

    @Test func anOrdinaryDumpLeavesTheQuarantineGreen() async throws {
        let source = try await Source.made()
        try await source.restore("c.dump") { restored, host in
            let cases = await quarantine(restored, host)
            #expect(cases.count >= 9)
            #expect(
                cases.allSatisfy { $0.verdict == .passed || !host.isolation.isWhole && $0.verdict == .skipped },
                "\(cases.filter { $0.verdict != .passed })")
        }
    }

    @Test func aHostileDumpTurnsItRed() async throws {
        let source = try await Source.made()
        let witness = "/tmp/mt-armed-\(UUID().uuidString)"
        let hostile = """
            ALTER SYSTEM SET archive_command = 'touch \(witness)';
            ALTER SYSTEM SET archive_mode = 'on';
            ALTER SYSTEM SET listen_addresses = '*';
            SELECT pg_reload_conf();
            SELECT pg_switch_wal();

            CREATE TYPE public.mood
            """
        try await source.restore("p.sql", change: replace("CREATE TYPE public.mood", hostile)) { restored, host in
            try await Task.sleep(for: .milliseconds(300))
            let cases = await quarantine(restored, host)
            let red = cases.filter { $0.verdict == .failed }
            #expect(red.map(\.name) == ["no setting comes from the restored data"])
            #expect(red.first?.findings.map(\.object).sorted() == ["archive_command", "archive_mode", "listen_addresses"])
            #expect(!FileManager.default.fileExists(atPath: witness), "the command line outranks the file")
        }
    }

    @Test func aStoppedServerAnswersNothing() async throws {
        let source = try await Source.made()
        try await source.restore("c.dump") { restored, host in
            await restored.server.stop()
            let cases = await quarantine(restored, host)
            #expect(cases.contains { $0.verdict == .error } && !cases.contains { $0.name.contains("archiving") && $0.verdict == .passed })
        }
    }
}

/// Replaces the first of one run of bytes by another of the same length.
func replaceBytes(_ old: String, _ new: String) -> (inout [UInt8]) -> Void {
    { bytes in
        guard old.utf8.count == new.utf8.count, let range = bytes.firstRange(of: Array(old.utf8)) else {
            Issue.record("\(old) is not in the dump")
            return
        }
        bytes.replaceSubrange(range, with: new.utf8)
    }
}
