// What is read of `.env` text, and that nothing of a value ever shows.

import Cryptography
import DrillModel
import Testing

@testable import ConfigurationRecovery

@Suite struct EnvFileTests {
    private func parse(_ text: String) throws -> EnvFile { try EnvFile(parsing: Secret(text)) }

    /// Whether a key of one text has the value that another text gives it, plainly quoted.
    private func value(of name: String, in text: String, is expected: String) throws -> Bool {
        let quoted = expected.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("$", with: "\\$")
        return try parse(text).agrees(with: try parse("\(name)=\"\(quoted)\""), on: name)
    }

    @Test(arguments: [
        ("A=1", "1"), ("export A=1", "1"), ("  A = 1  ", "1"), ("A=1 # one", "1"), ("A=1#one", "1#one"), ("A=#1", "#1"), ("A= # none", ""),
        ("A=", ""), ("A=\"\"", ""), ("A=''", ""), ("A='it # is'", "it # is"), ("A=\"it # is\" # so", "it # is"), ("A=a b", "a b"),
        ("A='no \\n escape'", "no \\n escape"), ("A=\"a\\nb\"", "a\nb"), ("A=\"a\nb\"", "a\nb"), ("A='a\nb'", "a\nb"),
        ("A=\"say \\\"so\\\"\"", "say \"so\""), ("A=x=y==", "x=y=="), ("\u{FEFF}A=1", "1"), ("A=1\r\nB=2\r\n", "1"),
        ("# first\n\n\t\nA=1", "1"), ("A=${HOME}", "${HOME}"), ("A=ü", "ü"), ("A=\"a\r\nb\"\r\n", "a\nb"), ("A=1\nA=2", "2"),
        ("export=1\nA=1", "1"),
    ])
    func values(text: String, expected: String) throws {
        let file = try parse(text)
        #expect(file.malformedLines == [])
        #expect(try value(of: "A", in: text, is: expected))
        #expect(!(try value(of: "A", in: text, is: expected + "x")), "it can differ")
    }

    @Test func duplicatesAreTold() throws {
        let file = try parse("A=1\nB=2\nexport A=3\n")
        #expect(file.duplicates == ["A"] && file.names == ["A", "B"])
    }

    /// By number, from 1, and what follows is read all the same.
    @Test(arguments: [
        ("A=1\nnonsense\nB=2", [2]), ("A=1\n=x\nB=2", [2]), ("1A=x\nA=1\nB=2", [1]), ("A=1\n\"B=2\nB=2", [2]), ("A=1\nC=\"open\nB=2", [2]),
        ("A=1\nC='x' y\nB=2", [2]), ("A=1\nexport B\nB=2", [2]), ("A=\"x\ny\"\nbad\nB=2", [3]), ("A=1\nC='open\nD='open\nB=2", [2]),
    ])
    func malformedLines(text: String, lines: [Int]) throws {
        let file = try parse(text)
        #expect(file.malformedLines.first == lines.first, "\(file.malformedLines)")
        #expect(file.has("A") && file.has("B"))
    }

    @Test func whatIsNone() {
        #expect(throws: EnvFile.Unreadable.notText) { try EnvFile(parsing: Secret([0x41, 0x3d, 0xff, 0xfe])) }
        #expect(throws: EnvFile.Unreadable.notText) { try EnvFile(parsing: Secret([0x41, 0x3d, 0, 0x31])) }
        #expect(throws: EnvFile.Unreadable.noKey) { try EnvFile(parsing: Secret("# nothing\n\n")) }
        #expect(throws: EnvFile.Unreadable.noKey) { try EnvFile(parsing: Secret("")) }
    }

    @Test func noValueShows() throws {
        // The last line of a pasted key looks like a name.
        let file = try parse("TOKEN=s3ntinel\nbad s3ntinel line\nTOKEN=s3ntinel\nAAs3ntinelBB==\nAAs3ntinelBB==\ns3ntinel-x=1\n")
        var dumped = ""
        dump(file, to: &dumped)
        for text in ["\(file)", String(reflecting: file), dumped, "\(Mirror(reflecting: file).children.map { "\($0)" })"] {
            #expect(!text.contains("s3ntinel"), "\(text)")
        }
        let checks = ConfigurationChecks(service: "c", object: "o", promise: ConfigurationPromise(required: ["TOKEN", "GONE"]))
        let other = try parse("TOKEN=other-s3ntinel\nMORE=s3ntinel\nCCs3ntinelDD=\n")
        let cases = [checks.readable(file), checks.required(file), checks.compared(file, with: .known(other, changedSince: false))]
        #expect(cases.allSatisfy { $0.verdict == .failed })
        #expect(!"\(cases)".contains("s3ntinel"))
    }
}

@Suite struct ConfigurationChecksTests {
    private func file(_ text: String) throws -> EnvFile { try EnvFile(parsing: Secret(text)) }

    private func checks(_ promise: ConfigurationPromise) -> ConfigurationChecks {
        ConfigurationChecks(service: "configuration", object: "a.env", promise: promise)
    }

    @Test func requiredKeys() throws {
        let checks = checks(ConfigurationPromise(required: ["A", "B"]))
        #expect(checks.required(try file("A=1\nB=2\nC=")).verdict == .passed)
        let missing = checks.required(try file("A=1"))
        #expect(missing.verdict == .failed && missing.findings.map(\.rule.name) == ["configuration-key-missing"])
        #expect(missing.findings.first?.object == "B")
        #expect(checks.required(try file("A=1\nB=")).findings.map(\.rule.name) == ["configuration-key-blank"])
        #expect(self.checks(ConfigurationPromise()).required(try file("A=1")).verdict == .skipped)
    }

    @Test func lines() throws {
        let checks = checks(ConfigurationPromise())
        #expect(checks.readable(try file("A=1")).findings == [])
        let twice = checks.readable(try file("A=1\nA=1"))
        #expect(twice.verdict == .passed && twice.findings.map(\.rule.name) == ["configuration-key-twice"])
        let bad = checks.readable(try file("A=1\nwhat is this"))
        #expect(bad.verdict == .failed && bad.findings.first?.object == "a.env, line 2")
        #expect(checks.readable(try file(String(repeating: "bad\n", count: 100))).findings.count == 21)
    }

    @Test func compared() throws {
        let checks = checks(ConfigurationPromise(mayDiffer: ["RELEASE", "FEATURE_*"]))
        func ask(_ one: String, _ live: String, changed: Bool = false) throws -> CaseResult {
            checks.compared(try file(one), with: .known(try file(live), changedSince: changed))
        }
        #expect(try ask("A='1'\nRELEASE=1\nFEATURE_X=1", "export A=1\nRELEASE=2\nFEATURE_Y=1").verdict == .passed)
        let differs = try ask("A=1\nB=1\nD=1", "A=2\nC=1\nD=1")
        #expect(
            differs.findings.map { "\($0.rule.name) \($0.object)" } == [
                "configuration-value-differs A", "configuration-key-extra B", "configuration-key-missing C",
            ])
        #expect(differs.verdict == .failed)
        // Changed since the incident: the same still proves something, a difference nothing.
        #expect(try ask("A=1", "A=2", changed: true).verdict == .skipped)
        #expect(try ask("A=1", "A=1", changed: true).verdict == .passed)
        #expect(checks.compared(try file("A=1"), with: .undeclared).verdict == .skipped)
        let finding = Finding(Rule("live-configuration-unreadable"), object: "o", message: "m", hint: "h")
        #expect(checks.compared(try file("A=1"), with: .unavailable(finding)).verdict == .error)
    }
}
