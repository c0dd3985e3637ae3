// What is asked of a repository that came back.

public import DrillModel
public import Foundation
import ScratchHost

extension Rule {
    static let codeDamaged = Rule("code-damaged")
    static let codeOdd = Rule("code-odd")
    static let commitMissing = Rule("commit-missing")
    static let commitUnreachable = Rule("commit-unreachable")
    static let commitAmbiguous = Rule("commit-ambiguous")
    static let branchMissing = Rule("branch-missing")
    static let checkoutFailed = Rule("checkout-failed")
    static let codeElsewhere = Rule("code-elsewhere")
}

/// The questions of one repository.
public struct CodeChecks: Sendable {
    /// Which commit production runs.
    public enum Running: Sendable, Hashable {
        /// The estate doesn't say.
        case undeclared
        /// It can't be had here and now.
        case unavailable(Finding)
        /// - Parameter changedSince: Whether it may have been changed since the instant that is asked for: then a miss proves nothing.
        case commit(String, changedSince: Bool)
    }

    public var service: String
    public var code: RestoredCode
    public var promise: CodePromise

    public init(service: String, code: RestoredCode, promise: CodePromise) {
        self.service = service
        self.code = code
        self.promise = promise
    }

    private var git: Git { code.git }

    // MARK: Is it whole?

    /// `git fsck --full --strict`. What only its strict mode objects to is a warning: old histories are full of it, and it takes nothing away.
    public func whole() async throws -> CaseResult {
        let name = "git fsck finds every object whole"
        let started = ContinuousClock.now
        let strict = try await fsck(["--strict"])
        var findings: [Finding] = []
        if !strict.isClean {
            let plain = try await fsck([])
            findings.append(plain.isClean ? odd(strict) : damaged(plain))
        }
        return .judged(.content, service: service, name: name, duration: ContinuousClock.now - started, findings: findings)
    }

    private struct Check {
        var ending: String
        var isClean: Bool
        /// Lines that tell of damage, without the names that only a person's files have.
        var complaints: [String]
    }

    private func fsck(_ options: [String]) async throws -> Check {
        let answer = try await git.run(["fsck", "--full", "--no-dangling", "--no-progress", "--no-reflogs"] + options)
        let lines = (answer.output + "\n" + answer.errors).split(separator: "\n").map(String.init)
        // An unborn HEAD is no damage: a mirror of a repository whose default branch has another name has one.
        let telling = lines.filter { line in
            ["error", "fatal", "missing ", "broken ", "bad "].contains { line.hasPrefix($0) }
        }
        return Check(ending: answer.result.ending, isClean: answer.succeeded && telling.isEmpty, complaints: telling)
    }

    private func damaged(_ check: Check) -> Finding {
        let objects = Set(check.complaints.flatMap { $0.matches(of: /\b[0-9a-f]{40,64}\b/).map { String($0.output) } }).sorted()
        let shown = objects.prefix(3).map { $0.prefix(12) }.joined(separator: ", ")
        let missing = check.complaints.count { $0.hasPrefix("missing ") }
        return Finding(
            .codeDamaged, object: code.object, expected: "git fsck without an error",
            actual: "\(check.ending), \(objects.count) objects named" + (shown.isEmpty ? "" : ": \(shown)")
                + (missing > 0 ? "; \(missing) missing" : ""),
            message: "the repository is damaged: git fsck finds objects missing or broken",
            hint: "fetch another copy; if the source itself passes git fsck, make the backup anew and check the store's disk")
    }

    private func odd(_ check: Check) -> Finding {
        Finding(
            .codeOdd, .warning, object: code.object, expected: "git fsck --strict without an objection",
            actual: "\(check.complaints.count) lines of it", message: "git's strict mode objects to how some objects were written",
            hint: "nothing is missing; git fsck --strict on the source tells the same of old commits")
    }

    // MARK: Is the running commit in it?

    /// The commit that production runs, where it is there and belongs to a branch or tag.
    public func holds(_ running: Running) async throws -> (result: CaseResult, commit: String?) {
        let name = "it holds the commit that production runs"
        if let branch = promise.branch, try await !has("refs/heads/\(branch)") {
            let finding = Finding(
                .branchMissing, object: branch, expected: "a branch of this name", actual: "none",
                message: "the branch \(branch) is not in the backup",
                hint: "check what the backup job clones, or mend \"branch\" in the estate file")
            return (.judged(.content, service: service, name: name, findings: [finding]), nil)
        }
        switch running {
        case .undeclared:
            return (
                .skipped(.content, service: service, name: name, reason: "the estate doesn't say which commit production runs"), nil
            )
        case .unavailable(let finding): return (.unasked(.content, service: service, name: name, finding: finding), nil)
        case .commit(let hash, let changedSince):
            let (finding, commit) = try await look(for: hash)
            if let finding, finding.rule == .commitAmbiguous {
                return (.unasked(.content, service: service, name: name, finding: finding), nil)
            }
            if finding != nil, changedSince {
                let reason = "\(hash.prefix(12)), which runs now, is not in it, and may have been deployed since the incident"
                return (.skipped(.content, service: service, name: name, reason: reason), nil)
            }
            return (.judged(.content, service: service, name: name, findings: [finding].compactMap { $0 }), finding == nil ? commit : nil)
        }
    }

    private func look(for hash: String) async throws -> (Finding?, String?) {
        let short = String(hash.prefix(12))
        let found = try await git.run(["rev-parse", "--verify", "--end-of-options", "\(hash)^{commit}"])
        guard found.succeeded else {
            if found.errors.contains("ambiguous") {
                let finding = Finding(
                    .commitAmbiguous, object: short, expected: "one commit", actual: "several that begin so",
                    message: "the hash \(short) is too short to tell one commit",
                    hint: "state the whole hash")
                return (finding, nil)
            }
            let finding = Finding(
                .commitMissing, object: short, expected: "in the backup", actual: "not there",
                message: "the commit that production runs is not in the backup",
                hint: "push it to where the backup is made of, and back up after each deployment: what runs could not be built again")
            return (finding, nil)
        }
        let commit = found.output.trimmingCharacters(in: .whitespacesAndNewlines)
        let isReachable: Bool
        if let branch = promise.branch {
            isReachable = try await git.run(["merge-base", "--is-ancestor", commit, "refs/heads/\(branch)"]).succeeded
        } else {
            let refs = try await git.run(["for-each-ref", "--count=1", "--format=%(refname)", "--contains", commit])
            isReachable = refs.succeeded && !refs.output.isEmpty
        }
        guard !isReachable else { return (nil, commit) }
        let finding = Finding(
            .commitUnreachable, object: short, expected: promise.branch.map { "on branch \($0)" } ?? "on a branch or tag",
            actual: "on none of them",
            message:
                "the commit that production runs is in the backup, and \(promise.branch.map { "not on branch \($0)" } ?? "on no branch or tag")",
            hint: "tag what is deployed: what no branch or tag holds is thrown away by the next git gc")
        return (finding, commit)
    }

    private func has(_ ref: String) async throws -> Bool {
        try await git.run(["rev-parse", "--verify", "--quiet", "--end-of-options", "\(ref)^{commit}"]).succeeded
    }

    // MARK: Can it be checked out?

    /// Writes the files of a commit into a folder without git's own: what an application is started from.
    ///
    /// - Parameter commit: nil: the branch that the estate names, HEAD, or the newest branch.
    public func checkOut(_ commit: String?, to target: URL) async throws -> (result: CaseResult, commit: String?) {
        let name = "it can be checked out"
        let started = ContinuousClock.now
        func failed(_ what: String, of object: String) -> (CaseResult, String?) {
            let finding = Finding(
                .checkoutFailed, object: object, expected: "a folder with the commit's files", actual: what,
                message: "the commit can't be checked out", hint: "git fsck of the same report says what is missing; fetch another copy")
            return (.judged(.restore, service: service, name: name, duration: ContinuousClock.now - started, findings: [finding]), nil)
        }
        let found = if let commit { String?.some(commit) } else { try await newest() }
        guard let commit = found else { return failed("no commit on any branch", of: code.object) }
        let short = String(commit.prefix(12))
        let place = ["GIT_WORK_TREE": target.path, "GIT_INDEX_FILE": code.folder.appendingPathComponent("checkout.index").path]
        let read = try await git.run(["read-tree", commit], environment: place)
        guard read.succeeded else { return failed("git read-tree: \(read.result.ending)", of: short) }
        let written = try await git.run(
            ["checkout-index", "--all", "--force", "--prefix=\(target.path)/"], environment: place)
        guard written.succeeded, !written.errors.contains("error:") else {
            return failed("git checkout-index: \(written.result.ending)", of: short)
        }
        return (.judged(.restore, service: service, name: name, duration: ContinuousClock.now - started, findings: []), commit)
    }

    private func newest() async throws -> String? {
        let refs = [promise.branch.map { "refs/heads/\($0)" } ?? "HEAD"]
        for ref in refs {
            let found = try await git.run(["rev-parse", "--verify", "--quiet", "--end-of-options", "\(ref)^{commit}"])
            if found.succeeded { return found.output.trimmingCharacters(in: .whitespacesAndNewlines) }
        }
        let newest = try await git.run(["for-each-ref", "--count=1", "--sort=-committerdate", "--format=%(objectname)", "refs/heads"])
        let commit = newest.output.trimmingCharacters(in: .whitespacesAndNewlines)
        return newest.succeeded && !commit.isEmpty ? commit : nil
    }

    // MARK: Is anything left to other places?

    /// Submodules and large files (LFS) are named in a repository, and lie elsewhere.
    ///
    /// - Parameter checkout: Where ``checkOut(_:to:)`` has written the commit.
    public func elsewhere(_ commit: String, checkout: URL) async throws -> CaseResult {
        let name = "nothing of it lies elsewhere"
        let listed = try await git.run(["ls-tree", "-r", "--full-tree", commit])
        guard listed.succeeded else {
            return .skipped(.content, service: service, name: name, reason: "the commit's files can't be listed")
        }
        let submodules = listed.output.split(separator: "\n").count { $0.hasPrefix("160000 ") }
        let pointers = Self.pointers(in: checkout)
        var findings: [Finding] = []
        if submodules > 0 { findings.append(away("\(submodules) submodules", hint: "back their repositories up as services of their own")) }
        if pointers > 0 {
            findings.append(away("\(pointers) large files (LFS)", hint: "back the LFS store up beside the repository: git lfs fetch --all"))
        }
        guard !findings.isEmpty else { return .judged(.content, service: service, name: name, findings: []) }
        return CaseResult(
            .content, service: service, name: name, verdict: .skipped,
            reason: findings.map(\.actual).joined(separator: " and ") + " are named in the commit and lie in other places",
            findings: findings)
    }

    private func away(_ what: String, hint: String) -> Finding {
        Finding(
            .codeElsewhere, .warning, object: code.object, expected: "everything that the commit takes", actual: what,
            message: "the commit takes \(what), which are not in this backup", hint: hint)
    }

    private static func pointers(in folder: URL) -> Int {
        let mark = Array("version https://git-lfs.github.com/spec/".utf8)
        guard let walk = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: [.fileSizeKey, .isRegularFileKey]) else {
            return 0
        }
        var count = 0
        while let file = walk.nextObject() as? URL {
            let values = try? file.resourceValues(forKeys: [.fileSizeKey, .isRegularFileKey])
            guard values?.isRegularFile == true, let size = values?.fileSize, size < 1024, size > mark.count,
                let bytes = try? Data(contentsOf: file), bytes.starts(with: mark)
            else { continue }
            count += 1
        }
        return count
    }
}
