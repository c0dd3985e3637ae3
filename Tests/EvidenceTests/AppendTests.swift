// What is appended, whatever happens meanwhile.

import Cryptography
import DrillModel
import Foundation
import Glibc
import Testing

@testable import Evidence

struct AppendTests {
    @Test func aTornLineIsNeverJoinedTo() throws {
        let fixture = try LedgerFixture()
        try fixture.run(1)
        let first = fixture.bytes
        try fixture.run(2)
        let second = fixture.bytes.dropFirst(first.count)
        for length in [1, 5, 12, 400, second.count - 100, second.count - 5, second.count - 2] {
            let torn = first + second.prefix(length)
            try fixture.replace(torn)
            let seen = try fixture.verify()
            #expect(seen.verdict == .passed && seen.notes.contains { $0.hasPrefix("line 2: an interrupted append") }, "\(length): \(seen)")
            let head = try fixture.run(3)
            #expect(head.sequence == 2)
            #expect(fixture.bytes.starts(with: torn))
            let after = try fixture.verify(head)
            #expect(after.verdict == .passed && after.entries == 2, "\(length): \(after)")
            #expect(after.notes.contains { $0.hasPrefix("line 2: an interrupted append") })
            let shell = try fixture.shell()
            #expect(shell.code == 0 && shell.text.contains("line 2: an interrupted append"), "\(shell.text)")
        }
        // All but the line feed: that is whole.
        try fixture.replace(first + second.dropLast())
        let found = try fixture.verify()
        #expect(found.entries == 2 && found.verdict == .passed && found.notes.contains { $0.contains("line feed") })
        let shell = try fixture.shell()
        #expect(shell.code == 0 && shell.text.contains("2 entries"), "\(shell.text)")
        var altered = first + second.dropLast()
        altered[altered.endIndex - 30] ^= 1
        try fixture.replace(altered)
        #expect(try fixture.shell().code == 1)
        try fixture.replace(first + second.dropLast())
        #expect(try fixture.run(3).sequence == 3)
        #expect(try fixture.verify().verdict == .passed)
    }

    @Test func aFullDiskLeavesItAsItWas() throws {
        let fixture = try LedgerFixture()
        try fixture.run(1)
        let before = fixture.bytes
        var full = Ledger(folder: fixture.reports)
        for share in [0, 1, 700] {
            full.write = { descriptor, bytes in
                guard share > 0 else {
                    errno = ENOSPC
                    return -1
                }
                return Glibc.write(descriptor, bytes.baseAddress, share)
            }
            let failure = #expect(throws: CommandFailure.self) { try fixture.run(2, ledger: full) }
            #expect(failure?.code == .unverified && failure?.message.contains("the disk is full") == true)
            #expect(fixture.bytes == before)
        }
        #expect(try fixture.run(2).sequence == 2)
        #expect(try fixture.verify().verdict == .passed)
    }

    @Test func manyAtOnceLandInOrder() async throws {
        let fixture = try LedgerFixture()
        let heads = try await withThrowingTaskGroup(of: LedgerHead.self) { group in
            for number in 1...24 { group.addTask { try fixture.run(number) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(heads.map(\.sequence).sorted() == Array(1...24))
        let newest = heads.max { $0.sequence < $1.sequence }
        let found = try fixture.verify(newest)
        #expect(found.verdict == .passed && found.entries == 24, "\(found)")
    }

    @Test func nothingIsAppendedToADamagedOrHeldLedger() throws {
        let fixture = try LedgerFixture()
        try fixture.run(1)
        let whole = fixture.bytes
        for place in [3, 400, whole.count - 20] {
            var altered = whole
            altered[place] ^= 1
            try fixture.replace(altered)
            let failure = #expect(throws: CommandFailure.self) { try fixture.run(2) }
            #expect(failure?.message.contains("altered") == true)
            #expect(fixture.bytes == altered)
        }
        try fixture.replace(whole)
        let holder = open(fixture.file.path, O_RDONLY)
        flock(holder, LOCK_EX)
        var impatient = Ledger(folder: fixture.reports)
        impatient.patience = .zero
        let held = #expect(throws: CommandFailure.self) { try fixture.run(2, ledger: impatient) }
        #expect(held?.message.contains("held") == true && fixture.bytes == whole)
        close(holder)
        // Nor to what a link leads to.
        try FileManager.default.moveItem(at: fixture.file, to: fixture.folder.appending(path: "moved"))
        try FileManager.default.createSymbolicLink(at: fixture.file, withDestinationURL: fixture.folder.appending(path: "moved"))
        #expect(throws: CommandFailure.self) { try fixture.run(2) }
    }

    @Test func eachEstateHasAnEntryOfItsOwn() throws {
        let fixture = try LedgerFixture()
        let other = try LedgerFixture()
        let silent = LedgerFixture.estate(fixture.folder.appending(path: "silent.yaml"), nil)
        let drill = fixture.folder.appending(path: "drill.yaml")
        try Data("version: 1\n".utf8).write(to: drill)
        let evidence = try #require(
            try RunEvidence([(fixture.estate, drill), (silent, drill), (other.estate, nil), (fixture.estate, drill)]))
        let head = try fixture.run(1, evidence: evidence)
        #expect(head.sequence == 2 && fixture.lines.count == 2)
        let own = try #require(try fixture.statement(0)["predicate"] as? [String: Any])
        let others = try #require(try fixture.statement(1)["predicate"] as? [String: Any])
        #expect((own["inputs"] as? [Any])?.count == 3 && (own["drills"] as? [Any])?.count == 1)
        #expect((others["inputs"] as? [Any])?.count == 1 && (others["drills"] as? [Any])?.count == 0)
        #expect(try LedgerVerification(folder: fixture.reports, trusting: [fixture.trust, other.trust]).verdict == .passed)
        #expect(try RunEvidence([(silent, drill)]) == nil)
    }

    @Test func keysAreHadBeforeTheRun() throws {
        let fixture = try LedgerFixture()
        let other = try LedgerFixture()
        func refusal(_ key: KeyReference, _ trust: URL) -> String {
            do {
                _ = try RunEvidence([
                    (LedgerFixture.estate(fixture.estate.file, EvidencePolicy(signingKey: key, trustedKeys: [trust])), nil)
                ])
                return ""
            } catch {
                return "\(error)"
            }
        }
        let key = KeyReference.file(fixture.folder.appending(path: "evidence.key"))
        #expect(refusal(key, fixture.trust) == "")
        #expect(refusal(key, other.trust).contains("not among those that it is trusted by"))
        #expect(refusal(key, fixture.folder.appending(path: "none")).contains("is no Ed25519 public key"))
        #expect(refusal(.file(fixture.trust), fixture.trust).contains("evidence.sign-with"))
        #expect(refusal(.file(fixture.folder.appending(path: "none")), fixture.trust).contains("can't be had"))
        #expect(refusal(.environment("MUSTER_NO_SUCH_KEY"), fixture.trust).contains("MUSTER_NO_SUCH_KEY"))
    }

    @Test func whoStartedItIsToldWithoutSecrets() throws {
        func trigger(_ environment: [String: String], terminal: Bool = false) -> Starter.Trigger {
            Starter.Trigger(environment: environment, isTerminal: terminal)
        }
        let github = [
            "GITHUB_ACTIONS": "true", "GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "o/r", "GITHUB_RUN_ID": "7",
            "GITHUB_TOKEN": "marker-token",
        ]
        #expect(trigger(github) == .init(kind: "github-actions", job: "https://github.com/o/r/actions/runs/7"))
        #expect(trigger(["GITLAB_CI": "true", "CI_JOB_URL": "https://user:marker@git.example/j/1"]) == .init(kind: "gitlab-ci"))
        #expect(trigger(["GITLAB_CI": "true", "CI_JOB_URL": "https://git.example/j/1?token=marker"]).job == nil)
        #expect(trigger(["GITLAB_CI": "true", "CI_JOB_URL": "https://git.example:8443/g/-/jobs/1"]).job?.hasSuffix("/jobs/1") == true)
        #expect(trigger(["JENKINS_URL": "https://ci.example/", "BUILD_URL": "https://ci.example/job/a%20b/3/"]).kind == "jenkins")
        let invocation = String(repeating: "0a", count: 16)
        #expect(trigger(["INVOCATION_ID": invocation]) == .init(kind: "systemd", job: invocation))
        #expect(trigger(["INVOCATION_ID": "marker"]) == .init(kind: "other"))
        #expect(trigger(["INVOCATION_ID": invocation], terminal: true).kind == "terminal")
        #expect(trigger(["GITHUB_ACTIONS": ""]).kind == "other")

        let fixture = try LedgerFixture()
        try fixture.run(1, environment: github.merging(["SECRET": "marker"]) { $1 })
        #expect(!"\(try fixture.statement(0))".contains("marker"))
    }

    @Test func inputsOfAWorkTreeNameTheirCommit() throws {
        let fixture = try LedgerFixture()
        let file = fixture.folder.appending(path: "tree/drill.yaml")
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data("one\n".utf8).write(to: file)
        #expect(try InputFile(file).git == nil)
        func git(_ words: String...) throws {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments =
                ["git", "-C", file.deletingLastPathComponent().path, "-c", "user.name=m", "-c", "user.email=m@example.org"] + words
            process.standardOutput = FileHandle.nullDevice
            try process.run()
            process.waitUntilExit()
            #expect(process.terminationStatus == 0)
        }
        try git("init", "-q")
        #expect(try InputFile(file).git == nil)
        try git("commit", "-q", "--allow-empty", "-m", "empty")
        #expect(try InputFile(file).git?.differs == true)
        try git("add", ".")
        try git("commit", "-q", "-m", "one")
        // A filter of the repository's would be a program of somebody's: it is not run.
        try git("config", "filter.x.clean", "touch \(fixture.folder.path)/ran; cat")
        try Data("* filter=x\n".utf8).write(to: file.deletingLastPathComponent().appending(path: ".gitattributes"))
        #expect(try InputFile(file).git?.differs == false && InputFile(file).git?.commit.count == 40)
        try Data("two\n".utf8).write(to: file)
        #expect(try InputFile(file).git?.differs == true)
        #expect(!FileManager.default.fileExists(atPath: fixture.folder.appending(path: "ran").path))
    }
}
