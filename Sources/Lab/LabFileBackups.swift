// The lab's backups of configuration and code: a `.env` file and a git bundle for each night, and what production runs.

import CodeRecovery
import Cryptography
import Foundation
import ScratchHost

/// One making of both series.
struct LabFileBackups: Sendable {
    var places: LabPlaces
    var keys: LabKeys
    var host: ScratchHost
    var calendar: LabCalendar

    func make() async throws {
        let files = FileManager.default
        for folder in [places.configurations, places.production] {
            try files.createDirectory(at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        }
        let configuration = LabConfiguration()
        let plain = try host.folder.privateFolder("held")
        for night in 1...calendar.days {
            let file = plain.appending(path: "env")
            try Data(configuration.text(release: release(of: night)).utf8).write(to: file)
            try await store(file, as: places.configurations.appending(path: "app-\(stamp(night)).env.enc"), night: night)
        }
        try write(configuration.text(release: release(of: calendar.days)), to: places.environment)
        guard ScratchHost.locate("git") != nil else { return }
        try files.createDirectory(at: places.bundles, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        try await makeBundles(in: plain)
    }

    /// The release that ran on a night: the last one came with the night before the last.
    private func release(of night: Int) -> Int {
        let last = calendar.days - night
        return max(1, LabApplication.releases - (last < 2 ? 0 : 1 + (last - 2) / 7))
    }

    private func stamp(_ night: Int) -> String { LabCalendar.stamp(calendar.instant(ofNight: night)) }

    private func makeBundles(in folder: URL) async throws {
        let tree = folder.appending(path: "tree", directoryHint: .isDirectory)
        try FileManager.default.createDirectory(at: tree, withIntermediateDirectories: true)
        try host.folder.own(tree)
        try await git(["init", "--quiet", "--template=", "--initial-branch=\(LabApplication.branch)"], in: tree)
        let bundle = folder.appending(path: "bundle")
        var committed = 0
        for night in 1...calendar.days {
            let wanted = release(of: night)
            // Some hours before the night's backup; all that came before the first night at once.
            let at = calendar.instant(ofNight: night).addingTimeInterval(-9 * 3600)
            if committed < wanted {
                while committed < wanted {
                    committed += 1
                    try await commit(committed, in: tree, at: at.addingTimeInterval(Double(committed - wanted) * 86_400))
                }
                try await git(["bundle", "create", "--quiet", bundle.path, "--all"], in: tree)
            }
            try await store(bundle, as: places.bundles.appending(path: "app-\(stamp(night)).bundle.enc"), night: night)
        }
        let head = try await git(["rev-parse", "HEAD"], in: tree)
        try write(head, to: places.revision)
    }

    private func commit(_ release: Int, in tree: URL, at instant: Date) async throws {
        for (path, text) in LabApplication.files(release: release) {
            let file = tree.appending(path: path)
            try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file)
        }
        try await git(["add", "--all"], in: tree)
        let date = "\(Int(instant.timeIntervalSince1970)) +0530"
        try await git(
            ["commit", "--quiet", "--message=Release 1.\(release).0"], in: tree,
            ["GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date])
    }

    @discardableResult
    private func git(_ words: [String], in tree: URL, _ more: [String: String] = [:]) async throws -> String {
        let person = ["NAME": "DomainScope", "EMAIL": "code@domainscope.example"]
        let names = person.flatMap { [("GIT_AUTHOR_\($0)", $1), ("GIT_COMMITTER_\($0)", $1)] }
        let environment = Git.environment.merging(names) { $1 }.merging(more) { $1 }
        let result = try await host.run(
            ["git"] + Git.settings.flatMap { ["-c", $0] } + words, environment: environment, workingFolder: tree)
        guard result.succeeded else {
            throw LabError(
                .storage, "git \(words.first ?? "") ended with \(result.ending)", hint: "check free space, and the installed git")
        }
        return result.output
    }

    private func store(_ plain: URL, as target: URL, night: Int) async throws {
        _ = try await ArtifactStream.encrypt(from: plain, to: target, encryption: keys.encryption, flushed: false)
        try date(target, calendar.instant(ofNight: night))
    }

    /// Production's own files are as old as the newest backup: what changed since the incident proves nothing in a drill.
    private func write(_ text: String, to file: URL) throws {
        guard FileManager.default.createFile(atPath: file.path, contents: Data(text.utf8), attributes: [.posixPermissions: 0o600]) else {
            throw LabError(.storage, "cannot write \(file.path)", hint: "check free space and permissions")
        }
        try date(file, calendar.instant(ofNight: calendar.days))
    }

    private func date(_ file: URL, _ instant: Date) throws {
        try FileManager.default.setAttributes([.modificationDate: instant], ofItemAtPath: file.path)
    }
}
