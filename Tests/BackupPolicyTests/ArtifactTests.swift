// What is wrong with single artifacts: plain text, missing seals, differing copies, odd sizes, open permissions.

import DrillModel
import Foundation
import Testing

@testable import BackupPolicy

@Suite struct ArtifactTests {
    private static let night = "2026-11-09 02:00"

    /// The one finding that a change of one night's backup causes; nil where there is none or more than one.
    private func only(in store: String? = "primary", _ body: (inout StoredCopy) -> Void) -> Finding? {
        var series = Series.regime()
        series.change(Self.night, in: store, body)
        let findings = series.judged().flatMap(\.findings)
        return findings.count == 1 ? findings.first : nil
    }

    @Test(arguments: [
        StoredContent(kind: .plain("a gzip file"), entropy: 7.9, sampled: 4096, permissions: 0o600),
        StoredContent(kind: .plain("a pg_dump custom archive"), permissions: 0o600),
        StoredContent(kind: .folder, permissions: 0o700),
        StoredContent(kind: .unknown, entropy: 4.6, sampled: 4096, permissions: 0o600),
        StoredContent(kind: .encrypted("an openssl-encrypted file"), entropy: 5.1, sampled: 4080, permissions: 0o600),
        StoredContent(
            kind: .encrypted("an openssl-encrypted file"), plainBehindHeader: "a gzip file", entropy: 7.9, sampled: 4080, permissions: 0o600
        ),
    ])
    func plainTextIsFoundByItsContent(content: StoredContent) {
        let finding = only { $0.content = content }
        #expect(finding?.rule == .artifactNotEncrypted)
        #expect(finding?.object.hasPrefix("primary:daily/") ?? false)
        #expect(finding?.object.hasSuffix("of \(Self.night)") ?? false)
    }

    /// Red, and no alarm: noise without a header, and what was packed after it was encrypted.
    @Test func whatNobodyCanReadIsNotDisclosed() {
        let noise = only { $0.content = StoredContent(kind: .unknown, entropy: 7.96, sampled: 4096, permissions: 0o600) }
        #expect(noise?.rule.name == "artifact-unknown-kind" && noise?.hint.contains("-nosalt") == true)
        let packed = only {
            $0.content = StoredContent(kind: .plain("a gzip file"), entropy: 7.9, sampled: 4096, permissions: 0o600)
            $0.content?.enclosure = .init(words: "an openssl-encrypted file inside a gzip file", undo: "gzip -d")
        }
        #expect(packed?.rule.name == "encryption-form-unsupported" && packed?.hint.contains("gzip -d") == true)
    }

    @Test func eachFileOfABaseBackup() {
        func with(_ parts: [String: StoredContent?]) -> [Finding] {
            var series = Series.regime()
            series.set.kind = .baseBackup
            for index in series.copies.indices {
                series.copies[index].content = StoredContent(kind: .folder, permissions: 0o700)
                series.copies[index].content?.parts = ["base.tar.gz.enc": Series.encrypted]
            }
            series.change(Self.night, in: "primary") { $0.content?.parts = parts }
            return series.judged().flatMap(\.findings).filter { $0.rule != .globalsMissing }
        }
        #expect(with(["base.tar.gz.enc": Series.encrypted, "backup_manifest.enc": Series.encrypted]) == [])
        let plain = with(["base.tar.enc": Series.encrypted, "backup_manifest": StoredContent(kind: .plain("text"), permissions: 0o600)])
        #expect(plain.map(\.rule) == [.artifactNotEncrypted])
        #expect(plain.first?.object.hasPrefix("backup_manifest of primary:") == true)
        #expect(with(["base.tar.enc": nil]).map(\.rule) == [.artifactUnreadable])
        #expect(with([:]).map(\.rule) == [.artifactNotEncrypted], "a folder of a server's files")
        var open = Series.encrypted
        open.permissions = 0o666
        #expect(with(["base.tar.enc": open]).map(\.rule) == [.worldWritable])
    }

    @Test func plainGlobalsAreFoundToo() {
        let finding = only { $0.globals = StoredContent(kind: .plain("an SQL script"), permissions: 0o600) }
        #expect(finding?.rule == .artifactNotEncrypted)
        #expect(finding?.object.hasPrefix("globals of primary:") ?? false)
    }

    @Test func emptyAndUnreadableFilesAreNoPass() {
        #expect(only { $0.content = StoredContent(kind: .empty, permissions: 0o600) }?.rule == .artifactEmpty)
        #expect(only { $0.content = nil }?.rule == .artifactUnreadable)
    }

    /// One series in plain text, with something wrong with what lies there for each night that is named.
    private static func plain(_ nights: ClosedRange<Int>, wrong: Set<Int>, _ content: StoredContent?) -> Series {
        var series = Series(now: "2026-11-27 11:00", Schedule(interval: .day, at: TimeOfDay(hour: 2, minute: 0)), [.daily: nights.count])
        series.set.encryption = nil
        series.addDaily("2026-11-\(nights.lowerBound)", through: "2026-11-\(nights.upperBound)")
        for index in series.copies.indices {
            series.copies[index].point.sealState = .missing
            series.copies[index].content = StoredContent(kind: .plain("an SQL script"), permissions: 0o600)
        }
        for night in wrong { series.change("2026-11-\(night) 02:00") { $0.content = content } }
        return series
    }

    private static let doubtful: [(StoredContent?, rule: String)] = {
        func content(_ kind: StoredContent.Kind, _ doubt: StoredContent.Doubt) -> StoredContent {
            var content = StoredContent(kind: kind, permissions: 0o600)
            content.doubt = doubt
            return content
        }
        return [
            (content(.empty, .empty("0 bytes")), "artifact-empty"),
            (content(.plain("a gzip file"), .empty("20 bytes of a gzip file")), "artifact-empty"),
            (content(.unknown, .foreign("an unknown kind of file")), "artifact-unknown-kind"), (nil, "artifact-unreadable"),
        ]
    }()

    /// What one row found to be no backup counts in no other.
    @Test(arguments: doubtful.indices) func whatIsNoBackupCountsNowhere(_ index: Int) {
        let (content, rule) = Self.doubtful[index]
        let series = Self.plain(24...27, wrong: [26], content)
        let findings = series.findings()
        #expect(findings.filter { $0.hasPrefix(rule) }.count == 2, "in each store: \(findings)")
        #expect(findings.filter { !$0.hasPrefix(rule) } == ["backup-missing postgres/daily of 2026-11-26 02:00"], "\(findings)")
        var broken = BrokenArtifacts()
        let judged = BackupSeries(
            set: series.set, seals: series.seals, stores: series.stores, timeZone: series.zone, now: series.now, clock: series.now,
            copies: series.copies)
        _ = BackupPolicy.judge(artifacts: judged, known: &broken)
        let points = judged.backups(except: broken).moments.compactMap { $0.copies.first?.point }
        #expect(WorstCaseLoss.compute(points, until: series.now)?.loss == .seconds(2 * 86_400))
        // Where the other store has a good one, that night is there.
        var half = series
        half.change("2026-11-26 02:00", in: "dr") { $0.content = StoredContent(kind: .plain("an SQL script"), permissions: 0o600) }
        #expect(half.findings().count == 1 && half.findings().allSatisfy { $0.hasPrefix(rule) }, "\(half.findings())")
    }

    /// Bad from the first night on, and too short for its sizes to be compared.
    @Test(arguments: [[27], [26, 27], Array(18...27)], doubtful.indices)
    func aSeriesOfNothingIsNoSeries(_ nights: [Int], _ index: Int) {
        let (content, rule) = Self.doubtful[index]
        let series = Self.plain(nights[0]...27, wrong: Set(nights), content)
        let cases = series.judged()
        #expect(cases.flatMap(\.findings).filter { $0.rule.name == rule }.count == 2 * nights.count)
        for promise in ["made every day", nights.count == 1 ? "backup kept" : "backups kept", "what is older is gone"] {
            #expect(cases.first { $0.name.contains(promise) }?.verdict == .error, "\(promise)")
        }
        let passed = cases.filter { $0.verdict == .passed }.map(\.name)
        #expect(!passed.contains { $0.contains("kept") || $0.contains("made") || $0.contains("sizes") || $0.contains("gone") }, "\(passed)")
    }

    /// A dump that was stored in plain text is told, and can be recovered from: it is no missing backup.
    @Test func whatCanBeRecoveredFromCounts() {
        var series = Series.regime()
        series.change(Self.night) { $0.content = StoredContent(kind: .plain("a pg_dump custom archive"), permissions: 0o600) }
        #expect(Set(series.judged().flatMap(\.findings).map(\.rule)) == [.artifactNotEncrypted])
        series.change(Self.night) { $0.content = StoredContent(kind: .unknown, entropy: 4.6, sampled: 4096, permissions: 0o600) }
        #expect(series.findings().contains("backup-missing postgres/daily of \(Self.night)"))
    }

    @Test func encryptedWherePlainTextIsDeclared() {
        var content = StoredContent(kind: .encrypted("an age-encrypted file"), permissions: 0o600)
        content.doubt = .stillEncrypted("an age-encrypted file")
        let series = Self.plain(24...27, wrong: [26], content)
        #expect(Set(series.judged().flatMap(\.findings).map(\.rule)) == [.artifactStillEncrypted])
    }

    @Test func statedPlainTextIsSkipped() {
        var series = Series.regime()
        series.set.encryption = nil
        #expect(series.verdict("every artifact is encrypted") == .skipped)
    }

    /// One warning for the whole series, that turns nothing red.
    @Test func aFormatThatProvesNothingWantsASeal() {
        let name = "a changed artifact would be noticed"
        func findings(_ series: Series) -> [Finding] { series.judged().first { $0.name.contains(name) }?.findings ?? [] }
        var series = Series.regime()
        #expect(series.verdict(name) == .passed && findings(series).isEmpty)
        for index in series.copies.indices { series.copies[index].point.sealState = .missing }
        let found = findings(series)
        #expect(found.count == 1 && found.first?.rule.name == "encryption-unauthenticated" && found.first?.severity == .warning)
        #expect(series.verdict(name) == .passed)
        for index in series.copies.indices { series.copies[index].content?.isAuthenticated = true }
        #expect(findings(series).isEmpty && series.verdict(name) == .passed)
        series.set.encryption = nil
        #expect(series.verdict(name) == nil)
    }

    @Test func anotherFormatThanDeclaredIsRed() {
        let finding = only {
            $0.content = StoredContent(
                kind: .encrypted("an age-encrypted file"), encryption: "age", isAuthenticated: true, entropy: 7.95, sampled: 4000,
                permissions: 0o600)
        }
        #expect(finding?.rule.name == "encryption-differs" && finding?.severity == .critical)
    }

    @Test func sealsMustHold() {
        let broken = Finding(Rule("seal-signature-invalid"), object: "x", message: "the seal was changed", hint: "find out who")
        let finding = only { $0.point.sealState = .broken(broken) }
        #expect(finding?.rule.name == "seal-signature-invalid")
        #expect(finding?.object.hasSuffix("of \(Self.night)") ?? false)
        #expect(only { $0.point.sealState = .missing }?.severity == .warning)
        var series = Series.regime()
        series.seals.required = true
        #expect(series.findings() == [])
        series.change(Self.night, in: "dr") { $0.point.sealState = .missing }
        #expect(series.judged().flatMap(\.findings).map(\.rule) == [.notSealed])
        #expect(series.verdict("is sealed") == .failed)
    }

    @Test func unsealedSeriesIsSkippedUnlessSealsAreRequired() {
        var series = Series.regime()
        for index in series.copies.indices { series.copies[index].point.sealState = .missing }
        #expect(series.verdict("is sealed") == .skipped)
        series.seals.required = true
        #expect(series.verdict("is sealed") == .failed)
    }

    @Test func aFileThatIsNotAsLongAsItsSealSaysIsCut() {
        #expect(only { $0.point.size -= 10 }?.rule == .sealedSizeDiffers)
        #expect(only { $0.point.size += 10 }?.rule.name == "artifact-digest-differs")
    }

    @Test func copiesMustBeThereAndAgree() {
        let good = String(repeating: "a", count: 64)
        let bad = String(repeating: "b", count: 64)
        let finding = only(in: "dr") { $0.comparison = .different(sha256: bad, size: 1, firstSHA256: good, firstSize: 1) }
        #expect(finding?.rule == .copyDiffers)
        #expect(finding?.object.hasPrefix("dr:") ?? false)
        // The seal speaks against the first one.
        let first = only(in: "dr") { $0.comparison = .different(sha256: good, size: 1, firstSHA256: bad, firstSize: 1) }
        #expect(first?.object.hasPrefix("primary:") ?? false)
        #expect(only(in: "dr") { $0.comparison = .unreadable("an input/output error") }?.rule == .artifactUnreadable)
        #expect(only(in: "dr") { $0.comparison = nil }?.rule == .artifactUnreadable)
        for store in ["primary", "dr"] {
            var series = Series.regime()
            let time = series.date(Self.night)
            series.copies.removeAll { $0.point.time == time && $0.point.store == store }
            let findings = series.judged().flatMap(\.findings)
            #expect(findings.map(\.rule) == [.copyMissing])
            #expect(findings.first?.object.hasSuffix("of \(Self.night)") ?? false)
        }
    }

    /// However many share theirs, it is one mistake.
    @Test func linksAreNoCopies() {
        var series = Series.regime()
        for index in series.copies.indices where series.copies[index].point.store == "dr" { series.copies[index].comparison = .sameFile }
        let findings = series.judged().flatMap(\.findings)
        #expect(findings.map(\.rule.name) == ["copy-is-the-same-file"] && findings.first?.severity == .critical)
        #expect(series.verdict("with the same bytes") == .failed)
        let one = only(in: "dr") { $0.comparison = .sameFile }
        #expect(one?.rule.name == "copy-is-the-same-file" && one?.actual.contains("1 of ") == true)
    }

    /// Each store's own job removes what is past its time, and not in the same minute.
    @Test func whatIsPastItsTimeIsMissedByNobody() {
        var series = Series.regime()
        series.add("2026-10-24 02:00")
        let (past, wanted) = (series.date("2026-10-24 02:00"), series.date("2026-10-25 02:00"))
        series.copies.removeAll { $0.point.time == past && $0.point.store == "dr" }
        #expect(series.findings() == [])
        series.copies.removeAll { $0.point.time == wanted && $0.point.store == "dr" }
        #expect(series.judged().flatMap(\.findings).map(\.rule) == [.copyMissing])
    }

    @Test func eachDumpWantsItsGlobals() {
        let name = "each dump has its globals file"
        var series = Series.regime()
        #expect(series.verdict(name) == nil, "none is promised")
        series.set.globals = "daily/*.globals.sql.enc"
        for index in series.copies.indices {
            series.copies[index].point.globals = URL(fileURLWithPath: "/g")
            series.copies[index].globals = Series.encrypted
        }
        // Whoever can write into the store can put roles beside a dump whose seal names none.
        #expect(series.judged().flatMap(\.findings).map { "\($0.rule) \($0.severity)" } == ["globals-not-sealed warning"])
        series.seals.required = true
        #expect(series.verdict("the seals hold") == .failed)
        series.seals.required = false
        for index in series.copies.indices {
            guard case .valid(var seal) = series.copies[index].point.sealState else { continue }
            seal.globals = seal.artifact
            series.copies[index].point.sealState = .valid(seal)
        }
        #expect(series.findings() == [] && series.verdict(name) == .passed)
        series.change(Self.night, in: "dr") {
            $0.point.globals = nil
            $0.globals = nil
        }
        let findings = series.judged().flatMap(\.findings)
        #expect(findings.map(\.rule) == [.globalsMissing] && series.verdict(name) == .failed)
        #expect(findings.first?.object.hasPrefix("dr:daily/") ?? false)
        // As a copy, it may come a little later.
        series = Series.regime()
        series.set.globals = "daily/*.globals.sql.enc"
        series.now = series.date("2026-11-23 02:50")
        for index in series.copies.indices where series.copies[index].point.time < series.date("2026-11-23 02:00") {
            series.copies[index].point.globals = URL(fileURLWithPath: "/g")
            series.copies[index].globals = Series.encrypted
        }
        #expect(series.verdict(name) == .passed)
    }

    @Test func theNewestMayStillBeOnItsWay() {
        var series = Series.regime()
        series.now = series.date("2026-11-23 02:50")
        let newest = series.date("2026-11-23 02:00")
        series.copies.removeAll { $0.point.time == newest && $0.point.store == "dr" }
        #expect(series.findings() == [])
        series.now = series.date("2026-11-23 03:10")
        #expect(series.findings().count == 1)
    }

    @Test func storesOfOneZoneAreAWarning() {
        var series = Series.regime()
        for index in series.stores.indices { series.stores[index].zone = "ksdc" }
        #expect(series.judged().flatMap(\.findings).map(\.rule) == [.oneZone])
        series.stores.removeLast()
        series.copies.removeAll { $0.point.store == "dr" }
        #expect(series.verdict("a copy of each lies in a second zone") == .skipped)
    }

    @Test func sizesThatFallOutOfTheSeries() {
        // The seal knows the size, so it is the source that has shrunk.
        func shrunk(to size: Int64) -> Finding? {
            only(in: nil) { copy in
                copy.point.size = size
                guard var seal = copy.point.sealState.seal else { return }
                seal.artifact.size = size
                copy.point.sealState = .valid(seal)
            }
        }
        #expect(shrunk(to: 49_000)?.rule == .sizeShrank)
        #expect(shrunk(to: 49_000)?.object.hasSuffix("of \(Self.night)") ?? false)
        #expect(shrunk(to: 60_000) == nil)
        #expect(shrunk(to: 310_000)?.rule == .sizeGrew)
        #expect(shrunk(to: 310_000)?.severity == .warning)
        var series = Series(now: "2026-11-03 12:00")
        series.addDaily("2026-11-01", through: "2026-11-03")
        #expect(series.verdict("the sizes fit") == .skipped)
    }

    /// A table that is gone shows in an archive of a few kilobytes, too.
    @Test func smallArchivesAreJudgedByTheirShare() {
        func series(_ sizes: [Int64]) -> [Finding] {
            var series = Series(now: "2026-11-14 12:00")
            for (index, size) in sizes.enumerated() { series.add("2026-11-\(index + 10) 02:00", size: size) }
            return series.judged().flatMap(\.findings)
        }
        #expect(series([4000, 4000, 4000, 4000, 1200]).map(\.rule) == [.sizeShrank])
        #expect(series([4000, 4000, 4000, 4000, 2300]) == [])
        #expect(series([600, 600, 600, 600, 310]) == [])
        // What was small in the beginning and has grown since is nobody's fault; what the first lack may be.
        let first = series([1200, 4000, 4000, 4000, 4000])
        #expect(first.map(\.rule) == [.sizeShrank] && first.map(\.severity) == [.warning])
        #expect(first.first?.message.contains("after it") ?? false)
    }

    @Test func permissions() {
        func with(_ mode: UInt16, plain: Bool = false) -> Finding? {
            only { copy in
                copy.content = plain ? StoredContent(kind: .plain("x"), permissions: mode) : Series.encrypted
                copy.content?.permissions = mode
            }
        }
        #expect(with(0o640) == nil)
        #expect(with(0o644)?.rule == .worldReadable)
        #expect(with(0o644)?.severity == .warning)
        #expect(with(0o602)?.rule == .worldWritable)
        #expect(with(0o602)?.severity == .critical)
        var series = Series.regime()
        series.set.encryption = nil
        series.change(Self.night, in: "dr") { $0.content = StoredContent(kind: .plain("a gzip file"), permissions: 0o644) }
        let findings = series.judged().flatMap(\.findings)
        #expect(findings.map(\.rule) == [.worldReadable] && findings.map(\.severity) == [.critical])
    }

    /// It makes up for no night, and hides behind no past instant.
    @Test func aBackupOfATimeToCome() {
        let name = "no backup is of a time to come"
        var series = Series.regime()
        #expect(series.verdict(name) == .passed)
        series.remove("2026-11-23 02:00")
        series.add("2026-11-24 02:00")
        let found = series.judged().flatMap(\.findings)
        #expect(found.map(\.rule.name) == ["time-in-future", "backup-missing"])
        #expect(found.first?.object.hasSuffix("of 2026-11-24 02:00") == true)
        // By then it is a backup like any other.
        series.clock = series.date("2026-11-25 00:00")
        #expect(series.verdict(name) == .passed)
        // Two clocks that disagree by a little.
        series = Series.regime()
        series.add("2026-11-23 11:04")
        #expect(series.verdict(name) == .passed)
        var empty = Series.regime()
        empty.copies = []
        #expect(empty.verdict(name) == nil)
    }

    /// The copy in the other store has no seal, and a date of its own.
    @Test func aCopyThatIsDatedLaterIsStillOne() {
        var series = Series.regime()
        let later = series.date("2026-11-30 02:00")
        series.change("2026-11-23 02:00", in: "dr") {
            $0.point.timeSource = .modificationTime
            $0.point.time = later
            $0.point.sealState = .missing
        }
        #expect(series.verdict("is in primary and dr") == .passed || series.verdict("with the same bytes") == .passed)
        #expect(series.verdict("no backup is of a time to come") == .passed)
    }

    @Test func foldersDecideWithThem() {
        #expect(
            only {
                $0.content?.permissions = 0o666
                $0.content?.reach = .shut
            } == nil, "nobody else gets there")
        var series = Series.regime()
        for night in [Self.night, "2026-11-08 02:00"] {
            series.change(night, in: "dr") { $0.content?.reach = .replaceable(folder: "/mnt/dr", permissions: 0o777) }
        }
        let findings = series.judged().flatMap(\.findings)
        #expect(findings.map(\.rule) == [.worldWritable] && findings.map(\.object) == ["/mnt/dr"], "one for the folder")
        #expect(series.verdict("nobody else may read or change the files") == .failed)
    }

    /// What another store doesn't show is skipped beside what was looked at.
    @Test func aStoreThatShowsNoPermissions() {
        var series = Series.regime()
        for index in series.copies.indices where series.copies[index].point.store == "dr" {
            series.copies[index].content?.permissions = nil
        }
        let asked = series.judged().filter { $0.name.contains("nobody else may read") }
        #expect(asked.map(\.verdict) == [.passed, .skipped] && asked.last?.name.hasSuffix("in dr") == true)
    }

    @Test func keysMustBePrivate() {
        typealias Key = BackupPolicy.KeyFile
        #expect(BackupPolicy.judge(keys: [Key(name: "key a", permissions: 0o644, reach: .shut)]).verdict == .passed)
        let open = Key(name: "key a", permissions: 0o600, reach: .replaceable(folder: "/keys", permissions: 0o777))
        #expect(BackupPolicy.judge(keys: [open]).findings.map(\.rule) == [.keyExposed])
        #expect(BackupPolicy.judge(keys: []).verdict == .skipped)
        #expect(BackupPolicy.judge(keys: [Key(name: "key a", permissions: 0o640)]).verdict == .passed)
        #expect(BackupPolicy.judge(keys: [Key(name: "key a", permissions: 0o604)]).findings.map(\.rule) == [.keyExposed])
        #expect(BackupPolicy.judge(keys: [Key(name: "key a", permissions: nil)]).verdict == .error)
    }

    @Test func aStoreFullOfMistakesIsToldOnce() {
        var series = Series(now: "2026-11-23 11:00")
        series.addDaily("2026-05-01", through: "2026-11-23")
        for index in series.copies.indices { series.copies[index].content = StoredContent(kind: .plain("x"), permissions: 0o600) }
        let result = series.judged().first { $0.name.contains("encrypted") }
        #expect(result?.findings.count == BackupSeries.mostFindings + 1)
        #expect(result?.findings.last?.rule == .moreOfTheSame)
        #expect(result?.verdict == .failed)
    }
}
