// What pgbackrest says when it fails, in the words of 2.45 and 2.60: whose fault it is.

import DrillModel
import Testing

@testable import PhysicalRecovery

struct PgBackRestTroubleTests {
    private static let denied = """
        P00   WARN: repo1: [FileOpenError] unable to load info file '/b/backup/x/backup.info' or '/b/backup/x/backup.info.copy':
                    FileOpenError: unable to open file '/b/backup/x/backup.info' for read: [13] Permission denied
                    FileOpenError: unable to open file '/b/backup/x/backup.info.copy' for read: [13] Permission denied
        P00  ERROR: [075]: no backup set found to restore

        """

    @Test(arguments: [
        (
            Int32?(29),
            "P00  ERROR: [029]: raised from local-2 protocol: zlib threw error: [-3] data error\n            [FormatError] on retry after 0ms"
        ),
        (42, "P00  ERROR: [042]: unable to get 000000010000000000000003:\n            repo1: 15-1/0/0-fb.gz [CryptoError] unable to flush"),
        (55, "P00  ERROR: [055]: raised from local-1 protocol: unable to open missing file '/b/1259.gz' for read"),
        (75, "P00  ERROR: [075]: no backup set found to restore"),
        (
            103,
            "P00   WARN: repo1: [FormatError] unable to load\n            FormatError: key/value found outside of section\nP00  ERROR: [103]: no"
        ),
        (0, "[FormatError] unable to load info file"),
    ])
    func theRepository(_ exit: Int32?, _ words: String) {
        #expect(PgBackRestTrouble(exit: exit, words: words) == .repository)
    }

    @Test(arguments: [
        (
            Int32?(31), "P00  ERROR: [031]: the 'info' command must not be run as the root user\n            HINT: running as root can",
            "[031]: the 'info'"
        ),
        // Of its options it complains before it has a log.
        (31, "ERROR: [031]: invalid option '--frob'", "[031]: invalid option"),
        (
            41, "P00  ERROR: [041]: raised from local-2 protocol: unable to open file '/b/1259.gz' for read: [13] Permission denied",
            "[041]: raised"
        ),
        // The code says only that none was good; what kept it from reading stands in its words.
        (
            42,
            "P00  ERROR: [042]: unable to get 3:\n            repo1: 3.gz [FileOpenError] unable to open '3.gz': [13] Permission denied",
            "repo1: 3.gz"
        ),
        (75, denied, "FileOpenError: unable to open file '/b/backup/x/backup.info' for read: [13] Permission denied"),
        (0, "[PathOpenError] unable to list file info for path '/b/backup': [13] Permission denied", "[PathOpenError] unable"),
        (46, "P00  ERROR: [046]: invalid PostgreSQL version 180000", "[046]: invalid"),
        (50, "P00  ERROR: [050]: unable to acquire lock", "[050]"), (125, "", ""), (nil, "", ""),
        (nil, "P00 ERROR: [029]: FormatError", "[029]"),
    ])
    func theMachine(_ exit: Int32?, _ words: String, _ told: String) {
        guard case .machine(let shown) = PgBackRestTrouble(exit: exit, words: words) else {
            Issue.record("\(exit ?? -1) is no machine's fault")
            return
        }
        #expect(shown.hasPrefix(told) && shown.isEmpty == told.isEmpty)
    }

    @Test func aFullDisk() {
        #expect(PgBackRestTrouble(exit: 64, words: "unable to write '/s/data/1': [28] No space left on device") == .diskFull)
    }

    @Test func showsNeitherSecretsNorBytes() {
        let trouble = PgBackRestTrouble(exit: 32, words: "P00  ERROR: [032]: 'pa\u{1}ss' is wrong for open-sesame", hiding: "open-sesame")
        #expect(trouble == .machine(words: "[032]: 'pa?ss' is wrong for …"))
    }

    /// Until 2.58 the option is unknown; from 2.59 on root is refused without it.
    @Test(arguments: [
        ("pgBackRest 2.45\n", false), ("pgBackRest 2.58.0\n", false), ("pgBackRest 2.59.0\n", true), ("pgBackRest 2.60.0dev", true),
        ("pgBackRest 3.0", true), ("", true),
    ])
    func root(_ version: String, _ wants: Bool) {
        #expect(PgBackRestProgram.wantsAllowRoot(version) == wants)
    }

    // MARK: verify

    private func verified(_ text: String) -> PgBackRestVerification {
        PgBackRestVerification(lines: text.split(separator: "\n").map(String.init))
    }

    private let answer = """
        P00   INFO: stanza: x
                    status: error
                      archiveId: 15-1, total WAL checked: 4, total valid WAL: 3
                        missing: 0, checksum invalid: 0, size invalid: 0, other: 1
                      backup: 20261129-180012F, status: invalid, total files checked: 964, total valid files: 963
                        missing: 0, checksum invalid: 0, size invalid: 0, other: 1
        stanza: x
        status: error
          archiveId: 15-1, total WAL checked: 4, total valid WAL: 3
            missing: 0, checksum invalid: 0, size invalid: 0, other: 1
          backup: 20261129-180012F, status: invalid, total files checked: 964, total valid files: 963
            missing: 0, checksum invalid: 0, size invalid: 0, other: 1
        P00   INFO: verify command end: completed successfully
        """

    @Test func whatCantBeReadIsNoDamage() {
        let text = """
            P01   INFO: invalid result 15-1/0000000100000000/3.gz: [29] raised from local-1 protocol: zlib threw error: [-3] data error
            P01   INFO: invalid result 20261129-180012F/pg_data/base/5/1259.gz: [41] unable to open file '1259.gz' for read: [13] Permission denied
            \(answer)
            """
        let (findings, errors) = verified(text).judged(stanza: "x")
        #expect(findings.map(\.object) == ["archive 15-1"] && findings.first?.actual == "other: 1")
        #expect(errors.map(\.object) == ["backup 20261129-180012F"] && errors.first?.actual.contains("Permission denied") == true)
    }

    /// What builds on a backup counts that one's unread files among its own.
    @Test(arguments: [(13, 0), (26, 2)]) func aChain(_ code: Int, _ damaged: Int) {
        let text = """
            P01   INFO: invalid result 20261129-180012F/pg_data/base/5/1259.gz: [41] unable to open file '1259.gz' for read: [13] Permission denied
            P01   INFO: invalid result 20261129-180012F_20261129-181937I/pg_data/base/5/2619.gz: [\(code == 13 ? 41 : code)] raised from local-1
            stanza: x
            status: error
              backup: 20261129-180012F, status: invalid, total files checked: 964, total valid files: 963
                missing: 0, checksum invalid: 0, size invalid: 0, other: 1
              backup: 20261129-180012F_20261129-181937I, status: invalid, total files checked: 964, total valid files: 962
                missing: 0, checksum invalid: 0, size invalid: 0, other: 2
            """
        let (findings, errors) = verified(text).judged(stanza: "x")
        #expect(findings.count == damaged && errors.count == 2 - damaged)
    }

    /// verify calls a backup valid whose full backup is damaged.
    @Test func aBadParent() {
        let text = """
            stanza: x
            status: error
              backup: 20261129-180012F, status: invalid, total files checked: 964, total valid files: 963
                missing: 0, checksum invalid: 1, size invalid: 0, other: 0
              backup: 20261129-180012F_20261129-181937D, status: valid, total files checked: 3, total valid files: 3
              backup: 20261129-180012F_20261129-191937I, status: valid, total files checked: 3, total valid files: 3
              backup: 20261129-200012F, status: valid, total files checked: 964, total valid files: 964
            """
        let full = "20261129-180012F", differential = "20261129-180012F_20261129-181937D", incremental = "20261129-180012F_20261129-191937I"
        let judged = verified(text).judged(stanza: "x", references: [differential: [full], incremental: [differential]])
        #expect(judged.findings.map(\.object) == ["backup \(full)", "backup \(differential)", "backup \(incremental)"])
        #expect(judged.findings.last?.actual == "builds on \(full)" && judged.errors.isEmpty)
    }

    @Test func longWordsKeepTheirEnd() {
        let words = "P00  ERROR: [041]: unable to open '/\(String(repeating: "a", count: 400))': [13] Permission denied"
        guard case .machine(let told) = PgBackRestTrouble(exit: 41, words: words) else { return #expect(Bool(false)) }
        #expect(told.count < 300 && told.hasPrefix("[041]: unable") && told.hasSuffix("[13] Permission denied"))
    }

    @Test func withoutAReasonItIsDamage() {
        let (findings, errors) = verified(answer).judged(stanza: "x")
        #expect(findings.count == 2 && errors.isEmpty)
    }

    @Test func aClosedCatalogue() {
        let nothing = "stanza: x\nstatus: error\n  No usable backup.info file\n  No usable archive.info file\n"
        let closed = "P00 DETAIL: unable to open file '/b/backup/x/backup.info' for read: [13] Permission denied\n"
        let wrongKey = "P00 DETAIL: key/value found outside of section at line 1: ?\n"
        #expect(verified(closed + nothing).judged(stanza: "x").errors.count == 1)
        let judged = verified(wrongKey + nothing).judged(stanza: "x")
        #expect(judged.findings.map(\.actual) == ["status: error"] && judged.errors.isEmpty)
    }

    @Test func allIsWell() {
        let text = """
            stanza: x
            status: ok
              archiveId: 15-1, total WAL checked: 4, total valid WAL: 4
                missing: 0, checksum invalid: 0, size invalid: 0, other: 0
            """
        let judged = verified(text).judged(stanza: "x")
        #expect(judged.findings.isEmpty && judged.errors.isEmpty && verified(text).isThere && !verified("").isThere)
    }
}
