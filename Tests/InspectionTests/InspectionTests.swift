// A real lab inspects green; each way of spoiling it is exactly one finding, with its date.

import DrillModel
import Foundation
import Seals
import TestSupport
import Testing

@testable import Inspection

@Suite(.enabled(if: TestMachine.hasPostgres && TestMachine.hasRedis, "needs postgres and redis-server"))
struct InspectionTests {
    private func expectOne(_ lab: InspectedLab, _ rule: String, naming date: String) async throws {
        let found = try await lab.inspect()
        let findings = found.cases.flatMap(\.findings)
        #expect(findings.map(\.rule.name) == [rule], "\(findings.map { "\($0.rule) \($0.object)" })")
        #expect(findings.first?.object.contains(date) ?? false, "\(findings.first?.object ?? "nothing") names \(date)")
        #expect(found.verdict == .failed)
        #expect(found.cases.filter { $0.verdict == .failed }.count == 1)
    }

    @Test func theLabIsGreen() async throws {
        let lab = try await InspectedLab()
        let found = try await lab.inspect()
        #expect(found.cases.flatMap(\.findings) == [])
        #expect(found.verdict == .passed)
        let passed = found.cases.filter { $0.verdict == .passed }.map { "\($0.service ?? "") \($0.name)" }
        for promise in [
            "postgres daily: made every day at 02:00, within 30m", "postgres daily: 6 daily backups kept",
            "postgres daily: 12 monthly backups kept", "postgres daily: what is older is gone",
            "postgres daily: every artifact is encrypted",
            "postgres daily: each is in primary and dr, with the same bytes",
            "postgres daily: every artifact is sealed, and the seals hold",
            "postgres daily: the sizes fit the series", "postgres daily: nobody else may read or change the files",
            "configuration env: made every day at 02:00, within 30m", "configuration env: every artifact is encrypted",
            "code bundle: made every day at 02:00, within 30m", "code bundle: each is in primary and dr, with the same bytes",
            "redis rdb: made every day at 02:00, within 30m", "redis aof: made every day at 02:00, within 30m",
            " the keys' files are private",
        ] { #expect(passed.contains(promise), "\(promise)") }
        #expect(found.outcome?.steps == [] && found.outcome?.objectives == nil)
        #expect(Set(found.cases.map { "\($0.service ?? "")/\($0.name)" }).count == found.cases.count, "each name is there once")
    }

    @Test func deepIsGreenToo() async throws {
        let lab = try await InspectedLab()
        let found = try await lab.inspect(deep: true)
        #expect(found.cases.flatMap(\.findings) == [])
        #expect(found.cases.filter { $0.name.hasSuffix("every artifact reads to its end") && $0.verdict == .passed }.count == 5)
        let passed = found.cases.filter { $0.verdict == .passed }.map { "\($0.service ?? "") \($0.name)" }
        for promise in [
            "configuration env: the required keys are there", "configuration env: it is what production runs with",
            "code bundle: it holds the commit that production runs", "code bundle: it can be checked out",
            "code bundle: nothing of it lies elsewhere",
        ] { #expect(passed.contains(promise), "\(promise)") }
    }

    @Test func oneDailyRemoved() async throws {
        let lab = try await InspectedLab()
        try lab.remove(lab.snapshots[2])
        try await expectOne(lab, "backup-missing", naming: InspectedLab.day(lab.nights[2]) + " 02:00")
    }

    @Test func oneDumpRemoved() async throws {
        let lab = try await InspectedLab()
        try lab.remove(lab.dumps[2])
        try await expectOne(lab, "backup-missing", naming: InspectedLab.day(lab.nights[2]) + " 02:00")
    }

    /// Where the estate promises a worst case, a hole breaks that promise as well.
    @Test func theWorstCase() async throws {
        let lab = try await InspectedLab()
        let file = lab.folder.appending(path: "estate.yaml")
        let text = try String(contentsOf: file, encoding: .utf8)
        let promising = text.replacing("    engine: postgres\n", with: "    engine: postgres\n    rpo-worst-case: 25h\n")
        try #require(promising != text)
        try Data(promising.utf8).write(to: file)
        let sound = try await lab.inspect()
        #expect(sound.verdict == .passed)
        #expect(sound.cases.contains { $0.name == "the worst case loses less than 1d 1h" && $0.verdict == .passed })
        try lab.remove(lab.dumps[2])
        let findings = try await lab.findings()
        #expect(findings.map(\.rule.name).sorted() == ["backup-missing", "rpo-worst-case-missed"])
    }

    @Test func oneDelayed() async throws {
        let lab = try await InspectedLab()
        try await lab.reseal(lab.snapshots[3], at: lab.nights[3].addingTimeInterval(95 * 60))
        try await expectOne(lab, "backup-late", naming: InspectedLab.day(lab.nights[3]) + " 02:00")
    }

    @Test func oneInPlainText() async throws {
        let lab = try await InspectedLab()
        let plain = try await lab.plain(lab.dumps[1])
        try lab.change(lab.dumps[1], in: "primary") { $0 = plain }
        try await expectOne(lab, "artifact-not-encrypted", naming: InspectedLab.day(lab.nights[1]))
    }

    @Test func plainTextBehindAnEncryptedHeader() async throws {
        let lab = try await InspectedLab()
        let plain = try await lab.plain(lab.dumps[1])
        try lab.change(lab.dumps[1], in: "dr") { $0 = Array($0.prefix(16)) + plain }
        try await expectOne(lab, "artifact-not-encrypted", naming: InspectedLab.day(lab.nights[1]))
    }

    @Test func oneMoreInPlainText() async throws {
        let lab = try await InspectedLab()
        let plain = try await lab.plain(lab.dumps[5])
        let planted = lab.url("postgres/daily/domainscope-planted.dump.enc", in: "primary")
        try Data(plain).write(to: planted)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: planted.path)
        let findings = try await lab.findings().filter { $0.severity == .critical }
        #expect(findings.map(\.rule.name) == ["artifact-not-encrypted"])
    }

    @Test(arguments: ["primary", "dr"]) func oneCopyBroken(store: String) async throws {
        let lab = try await InspectedLab()
        try lab.change(lab.dumps[4], in: store) { $0[$0.count / 2] ^= 1 }
        let findings = try await lab.findings()
        #expect(findings.map(\.rule.name) == ["copy-differs"])
        #expect(findings.first?.object.hasPrefix(store + ":") ?? false)
        #expect(findings.first?.object.contains(InspectedLab.day(lab.nights[4])) ?? false)
    }

    @Test func oneCopyMissing() async throws {
        let lab = try await InspectedLab()
        try lab.remove(lab.dumps[4], from: ["dr"])
        try await expectOne(lab, "copy-missing", naming: InspectedLab.day(lab.nights[4]))
    }

    @Test func oneMonthlyDeleted() async throws {
        let lab = try await InspectedLab()
        let month = lab.monthlies[4]
        try lab.remove(month)
        let digits = month.drop { !$0.isNumber }.prefix(6)
        try await expectOne(lab, "retention-missing", naming: "\(digits.prefix(4))-\(digits.suffix(2))")
    }

    @Test func oneThatShouldBeGone() async throws {
        let lab = try await InspectedLab()
        let old = lab.nights[0].addingTimeInterval(-500 * 86_400)
        try await lab.reseal(lab.dumps[0], as: "postgres/daily/domainscope-old.dump.enc", at: old)
        try await expectOne(lab, "retention-exceeded", naming: InspectedLab.day(old))
    }

    @Test func oneCutShort() async throws {
        let lab = try await InspectedLab()
        for store in InspectedLab.stores { try lab.change(lab.dumps[2], in: store) { $0.removeLast(1000) } }
        let findings = try await lab.findings()
        #expect(
            findings.map(\.rule.name) == ["artifact-truncated", "artifact-truncated", "backup-missing"],
            "one for each copy, and there is no other backup of that night")
    }

    @Test func aForgedSeal() async throws {
        let lab = try await InspectedLab()
        let seal = lab.dumps[2] + ".seal.json"
        try lab.change(seal, in: "dr") { bytes in
            guard let index = bytes.firstRange(of: Array("\"payload\"".utf8))?.upperBound else { return }
            let place = index + 40
            bytes[place] = bytes[place] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
        }
        let findings = try await lab.findings()
        #expect(findings.map(\.rule.name) == ["seal-signature-invalid"])
    }

    @Test func anOpenKeyAndAnOpenFile() async throws {
        let lab = try await InspectedLab()
        let key = lab.folder.appending(path: "keys/backup.key")
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: key.path)
        #expect(try await lab.findings().isEmpty, "its folder lets nobody else pass")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: key.deletingLastPathComponent().path)
        try FileManager.default.setAttributes([.posixPermissions: 0o666], ofItemAtPath: lab.url(lab.dumps[3], in: "dr").path)
        let findings = try await lab.findings()
        #expect(findings.map(\.rule.name).sorted() == ["key-exposed", "world-writable"])
    }

    @Test func anOpenFolder() async throws {
        let lab = try await InspectedLab()
        let folder = lab.folder.appending(path: "backups/dr/postgres")
        try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: folder.path)
        let findings = try await lab.findings()
        #expect(Set(findings.map(\.rule.name)) == ["world-writable"])
        #expect(Set(findings.map(\.object)) == [folder.resolvingSymlinksInPath().path], "each series tells its folder once")
    }

    @Test func aStoreThatIsNotThere() async throws {
        let lab = try await InspectedLab()
        try FileManager.default.removeItem(at: lab.folder.appending(path: "backups/dr"))
        let found = try await lab.inspect()
        #expect(Set(found.cases.flatMap(\.findings).map(\.rule.name)) == ["store-missing"])
        #expect(found.cases.filter { $0.verdict == .failed }.count == 5, "once for each series")
    }

    @Test func anEmptyStoreIsNoPass() async throws {
        let lab = try await InspectedLab()
        for store in InspectedLab.stores {
            try FileManager.default.removeItem(at: lab.url("redis/rdb", in: store))
            try FileManager.default.createDirectory(at: lab.url("redis/rdb", in: store), withIntermediateDirectories: true)
        }
        let found = try await lab.inspect()
        #expect(found.cases.flatMap(\.findings).map(\.rule.name) == ["no-recovery-point"])
        #expect(found.verdict == .failed)
    }

    /// A day later nothing new has come.
    @Test func theRegimeStops() async throws {
        let lab = try await InspectedLab()
        let findings = try await lab.findings(after: 26)
        #expect(findings.map(\.rule.name).sorted() == Array(repeating: "backup-missing", count: 5))
    }

    /// Plain inspecting opens nothing, and says so.
    @Test func deepHoldsTheNewestAgainstProduction() async throws {
        let lab = try await InspectedLab()
        func write(_ text: String, to path: String) throws {
            let file = lab.folder.appending(path: path)
            try Data(text.utf8).write(to: file)
            try FileManager.default.setAttributes([.modificationDate: lab.newest], ofItemAtPath: file.path)
        }
        let environment = try String(contentsOf: lab.folder.appending(path: "app/.env"), encoding: .utf8)
        try write(environment.replacing("SCAN_PORTS=22,80,443", with: "SCAN_PORTS=80"), to: "app/.env")
        try write(String(repeating: "ab", count: 20), to: "app/REVISION")
        let plain = try await lab.inspect()
        #expect(plain.cases.flatMap(\.findings) == [])
        #expect(plain.outcome?.unproven.contains { $0.contains("it is what production runs with: only opening a backup tells") } == true)
        let deep = try await lab.inspect(deep: true)
        let findings = deep.cases.flatMap(\.findings)
        #expect(findings.map { "\($0.rule) \($0.object)" } == ["commit-missing abababababab", "configuration-value-differs SCAN_PORTS"])
        #expect(deep.verdict == .failed)
    }

    /// One that is damaged is told where every artifact is read, and not once more where the newest is asked.
    @Test func deepFindsABundleThatIsNoBundle() async throws {
        let lab = try await InspectedLab()
        let names = try FileManager.default.contentsOfDirectory(atPath: lab.url("code", in: "primary").path).sorted()
        let newest = "code/" + (try #require(names.last))
        var bytes = try await lab.plain(newest)
        bytes[bytes.count - 60] ^= 0x55
        try await lab.replace(newest, with: bytes)
        let found = try await lab.inspect(deep: true)
        // What doesn't read is no backup of that night.
        #expect(found.cases.flatMap(\.findings).map(\.rule.name) == ["code-unreadable", "backup-missing"])
        let held = found.cases.first { $0.name == "bundle: it holds the commit that production runs" }
        #expect(held?.verdict == .skipped)
    }

    @Test func deepFindsWhatBothCopiesShare() async throws {
        let lab = try await InspectedLab()
        for store in InspectedLab.stores { try lab.change(lab.dumps[4], in: store) { $0[$0.count / 2] ^= 1 } }
        #expect(try await lab.findings() == [], "equal copies of the right length: without reading them to the end nobody can tell")
        let found = try await lab.inspect(deep: true)
        let findings = found.cases.flatMap(\.findings)
        #expect(findings.map(\.rule.name) == ["artifact-digest-differs", "backup-missing"], "\(findings)")
        #expect(findings.allSatisfy { $0.object.contains(InspectedLab.day(lab.nights[4])) }, "\(findings)")
        #expect(found.verdict == .failed && found.cases.contains { $0.name == "daily: 6 daily backups kept" && $0.verdict == .skipped })
    }

    /// The seal lies beside the second copy alone: that copy is the one of which something is known.
    @Test func deepReadsTheCopyThatIsSealed() async throws {
        let lab = try await InspectedLab()
        for store in InspectedLab.stores { try lab.change(lab.dumps[4], in: store) { $0[$0.count / 2] ^= 1 } }
        try FileManager.default.removeItem(at: SealFile.location(besides: lab.url(lab.dumps[4], in: "primary")))
        let found = try await lab.findings(deep: true).filter { $0.severity == .critical }
        #expect(
            found.map(\.rule.name) == ["artifact-digest-differs", "backup-missing"] && found.first?.object.contains("dr:") == true,
            "\(found)")
    }

    /// Sealed as they are: the digests hold, and only the services' own tools can tell.
    @Test func deepFindsADumpAndASnapshotThatCannotBeRead() async throws {
        let lab = try await InspectedLab()
        let dump = try await lab.plain(lab.dumps[1])
        try await lab.replace(lab.dumps[1], with: Array(dump.dropLast(dump.count / 4)))
        try await lab.reseal(lab.dumps[1])
        var snapshot = try await lab.plain(lab.snapshots[1])
        snapshot[snapshot.count / 2] ^= 0xff
        try await lab.replace(lab.snapshots[1], with: snapshot)
        try await lab.reseal(lab.snapshots[1])
        #expect(try await lab.findings() == [])
        let findings = try await lab.findings(deep: true)
        #expect(findings.filter { $0.rule.name == "backup-missing" }.count == 2 && findings.count == 4, "\(findings)")
        #expect(findings.allSatisfy { $0.object.contains(InspectedLab.day(lab.nights[1])) }, "\(findings)")
    }
}
