// Bundles and mirrors by the real git: whole ones are green, each way of breaking one is red.

import DrillModel
import Foundation
import ScratchHost
import Testing

@testable import CodeRecovery

@Suite(.enabled(if: TestGit.isThere, "needs git"))
struct CodeTests {
    private func checks(_ code: RestoredCode, branch: String? = nil) -> CodeChecks {
        CodeChecks(service: "code", code: code, promise: CodePromise(branch: branch))
    }

    private func rules(_ result: CaseResult) -> [String] { result.findings.map(\.rule.name) }

    // MARK: Green

    @Test(arguments: [true, false])
    func aWholeBackup(isBundle: Bool) async throws {
        try await Source.with { source in
            let head = try await source.git(["rev-parse", "HEAD"])
            let code =
                isBundle
                ? try await source.restore(bundle: try await source.bundle()) : try await source.restore(mirror: try await source.mirror())
            let checks = self.checks(code, branch: "main")
            let whole = try await checks.whole()
            #expect(whole.verdict == .passed && whole.findings == [])
            // Short or in full.
            for hash in [head, String(head.prefix(7))] {
                let held = try await checks.holds(.commit(hash, changedSince: false))
                #expect(held.result.verdict == .passed && held.commit == head)
            }
            let target = try source.target()
            let (checkedOut, commit) = try await checks.checkOut(head, to: target)
            #expect(checkedOut.verdict == .passed && commit == head)
            let names = try FileManager.default.contentsOfDirectory(atPath: target.path).sorted()
            #expect(names == ["file1.txt", "file2.txt", "file3.txt"], "and nothing of git's")
            #expect(try String(contentsOf: target.appending(path: "file3.txt"), encoding: .utf8) == "content 3\n")
            #expect(try await checks.elsewhere(head, checkout: target).verdict == .passed)
        }
    }

    @Test func anOlderCommitIsCheckedOutAsItWas() async throws {
        try await Source.with { source in
            let first = try await source.git(["rev-list", "--max-parents=0", "HEAD"])
            let code = try await source.restore(bundle: try await source.bundle())
            let target = try source.target()
            let (result, _) = try await self.checks(code).checkOut(first, to: target)
            #expect(result.verdict == .passed)
            #expect(try FileManager.default.contentsOfDirectory(atPath: target.path) == ["file1.txt"])
        }
    }

    @Test func withoutARunningCommitTheNewestIsCheckedOut() async throws {
        try await Source.with { source in
            let head = try await source.git(["rev-parse", "HEAD"])
            let checks = self.checks(try await source.restore(bundle: try await source.bundle()))
            let held = try await checks.holds(.undeclared)
            #expect(held.result.verdict == .skipped && !held.result.reason.isEmpty)
            #expect(try await checks.checkOut(nil, to: try source.target()).commit == head)
        }
    }

    // MARK: The running commit

    @Test func aCommitThatIsNotThere() async throws {
        try await Source.with { source in
            let bundle = try await source.bundle()
            let later = try await source.commit("later.txt", "later")
            let checks = self.checks(try await source.restore(bundle: bundle))
            let held = try await checks.holds(.commit(later, changedSince: false))
            #expect(held.result.verdict == .failed && self.rules(held.result) == ["commit-missing"] && held.commit == nil)
            // Deployed after the incident, it says nothing of a backup from before.
            #expect(try await checks.holds(.commit(later, changedSince: true)).result.verdict == .skipped)
        }
    }

    /// There as an object, and on no branch: the next gc would throw it away.
    @Test func aCommitThatNoBranchHolds() async throws {
        try await Source.with { source in
            let lost = try await source.git(["rev-parse", "HEAD"])
            let mirror = try await source.mirror()
            let parent = try await source.git(["rev-parse", "HEAD~1"])
            try await source.git(["--git-dir=\(mirror.path)", "update-ref", "refs/heads/main", parent])
            let checks = self.checks(try await source.restore(mirror: mirror))
            let held = try await checks.holds(.commit(lost, changedSince: false))
            #expect(self.rules(held.result) == ["commit-unreachable"])
        }
    }

    @Test func theBranchCounts() async throws {
        try await Source.with { source in
            try await source.git(["checkout", "--quiet", "-b", "next"])
            let next = try await source.commit("next.txt", "next")
            let code = try await source.restore(bundle: try await source.bundle())
            #expect(try await self.checks(code, branch: "next").holds(.commit(next, changedSince: false)).result.verdict == .passed)
            let main = try await self.checks(code, branch: "main").holds(.commit(next, changedSince: false))
            #expect(self.rules(main.result) == ["commit-unreachable"])
            let none = try await self.checks(code, branch: "gone").holds(.commit(next, changedSince: false))
            #expect(self.rules(none.result) == ["branch-missing"])
        }
    }

    // MARK: Broken bundles

    @Test func bundlesThatAreNotWhole() async throws {
        try await Source.with { source in
            let incremental = try await source.bundle(["HEAD~1..main"])
            #expect(try await source.rule { try await source.restore(bundle: incremental) } == "failed bundle-incremental")
            let cut = try await source.bundle()
            try source.change(cut) { $0.removeLast($0.count / 3) }
            #expect(try await source.rule { try await source.restore(bundle: cut) } == "failed artifact-truncated")
            let head = try await source.bundle()
            try source.change(head) { $0 = Array($0.prefix(30)) }
            #expect(try await source.rule { try await source.restore(bundle: head) } == "failed artifact-truncated")
            let damaged = try await source.bundle()
            try source.change(damaged) { $0[$0.count - 60] ^= 0x55 }
            #expect(try await source.rule { try await source.restore(bundle: damaged) } == "failed code-unreadable")
        }
    }

    // MARK: Broken mirrors

    @Test func aDamagedObject() async throws {
        try await Source.with { source in
            let mirror = try await source.mirror()
            let packs = mirror.appending(path: "objects/pack")
            let name = try #require(try FileManager.default.contentsOfDirectory(atPath: packs.path).first { $0.hasSuffix(".pack") })
            try source.change(packs.appending(path: name)) { $0[$0.count - 40] ^= 0x55 }
            let whole = try await self.checks(try await source.restore(mirror: mirror)).whole()
            #expect(whole.verdict == .failed && self.rules(whole) == ["code-damaged"], "\(whole)")
        }
    }

    @Test func aMissingObject() async throws {
        try await Source.with { source in
            let head = try await source.git(["rev-parse", "HEAD:file2.txt"])
            let mirror = source.folder.appending(path: "loose.git", directoryHint: .isDirectory)
            // As loose objects, one of which can be taken away.
            try await source.git(["clone", "--quiet", "--mirror", "--no-hardlinks", source.tree.path, mirror.path])
            try FileManager.default.removeItem(at: mirror.appending(path: "objects/\(head.prefix(2))/\(head.dropFirst(2))"))
            let checks = self.checks(try await source.restore(mirror: mirror))
            let whole = try await checks.whole()
            #expect(self.rules(whole) == ["code-damaged"])
            #expect(whole.findings.first?.actual.contains("1 missing") ?? false, "\(whole.findings)")
            let commit = try await source.git(["rev-parse", "HEAD"])
            #expect(self.rules(try await checks.checkOut(commit, to: try source.target()).result) == ["checkout-failed"])
        }
    }

    @Test func mirrorsThatAreNotWhole() async throws {
        try await Source.with { source in
            let shallow = try await source.mirror(["--depth=1"])
            #expect(try await source.rule { try await source.restore(mirror: shallow) } == "failed code-incomplete")
            let borrowing = source.folder.appending(path: "borrowing.git", directoryHint: .isDirectory)
            try await source.git(["clone", "--quiet", "--mirror", "--shared", source.tree.path, borrowing.path])
            #expect(try await source.rule { try await source.restore(mirror: borrowing) } == "failed code-incomplete")
            try await source.git(["config", "uploadpack.allowFilter", "true"])
            let partial = try await source.mirror(["--filter=blob:none"])
            #expect(try await source.rule { try await source.restore(mirror: partial) } == "failed code-incomplete")
            let none = try source.target()
            #expect(try await source.rule { try await source.restore(mirror: none) } == "failed code-unreadable")
        }
    }

    /// What only git's strict mode objects to is told, and turns nothing red.
    @Test func anOddTree() async throws {
        try await Source.with { source in
            let blob = try await source.git(["rev-parse", "HEAD:file1.txt"])
            let made = try await source.host.run(
                [
                    "sh", "-c",
                    "printf '0100644 odd\\0' > t; printf %s \(blob) | xxd -r -p >> t; git hash-object -t tree --literally -w t",
                ],
                environment: ["GIT_CONFIG_GLOBAL": "/dev/null"], workingFolder: source.tree)
            try #require(made.succeeded)
            let tree = made.output.trimmingCharacters(in: .whitespacesAndNewlines)
            let commit = try await source.git(["commit-tree", tree, "-m", "odd"])
            try await source.git(["update-ref", "refs/heads/odd", commit])
            let whole = try await self.checks(try await source.restore(bundle: try await source.bundle())).whole()
            #expect(whole.verdict == .passed && self.rules(whole) == ["code-odd"], "\(whole)")
        }
    }

    // MARK: Hostile ones

    /// Neither the configuration nor the hooks of a mirror are ever acted upon.
    @Test func aHostileMirror() async throws {
        try await Source.with { source in
            let mirror = try await source.mirror()
            let mark = source.folder.appending(path: "ran")
            let text = """
                [core]
                \trepositoryformatversion = 0
                \tbare = true
                \tfsmonitor = touch \(mark.path)
                \tsshCommand = touch \(mark.path)
                \tworktree = /etc
                [filter "x"]
                \tsmudge = touch \(mark.path)
                \trequired = true
                [include]
                \tpath = /etc/passwd

                """
            let config = mirror.appending(path: "config")
            try Data(text.utf8).write(to: config)
            try source.host.folder.own(config)
            let checks = self.checks(try await source.restore(mirror: mirror))
            #expect(try await checks.whole().verdict == .passed)
            #expect(try await checks.checkOut(nil, to: try source.target()).result.verdict == .passed)
            #expect(!FileManager.default.fileExists(atPath: mark.path))
        }
    }

    @Test func whatLiesElsewhere() async throws {
        try await Source.with { source in
            let head = try await source.git(["rev-parse", "HEAD"])
            try await source.git(["update-index", "--add", "--cacheinfo", "160000,\(head),sub"])
            try await source.git(["commit", "--quiet", "--message=sub"])
            let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:\(String(repeating: "a", count: 64))\nsize 3\n"
            try Data(pointer.utf8).write(to: source.tree.appending(path: "big.bin"))
            try await source.git(["add", "big.bin"])
            try await source.git(["commit", "--quiet", "--message=big"])
            let checks = self.checks(try await source.restore(bundle: try await source.bundle()))
            #expect(try await checks.whole().verdict == .passed)
            let target = try source.target()
            let (result, commit) = try await checks.checkOut(nil, to: target)
            #expect(result.verdict == .passed)
            let elsewhere = try await checks.elsewhere(try #require(commit), checkout: target)
            #expect(elsewhere.verdict == .skipped && self.rules(elsewhere) == ["code-elsewhere", "code-elsewhere"], "\(elsewhere)")
            #expect(elsewhere.reason == "1 submodules and 1 large files (LFS) are named in the commit and lie in other places")
        }
    }
}
