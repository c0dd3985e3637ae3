// What says that a folder is Muster's, and whose.

import Foundation
import Glibc

/// The mark inside a scratch folder.
struct OwnershipMark: Codable, Hashable, Sendable {
    static let fileName = ".muster-scratch.json"
    static let tool = "muster-scratch"
    var tool = OwnershipMark.tool
    var id: String
    /// The run that owns it. While that lives, the folder is in use.
    var owner: ProcessIdentity
    var bootID: String
    var purpose: String
    var created: Date
    /// Left on purpose by a run with --keep: only asked-for cleaning removes it.
    var kept = false
    /// The run that left it, as its report is called.
    var run: String?
    /// Where that run was started: whoever cleans up elsewhere didn't keep it.
    var place: String?

    /// The environment entry that every process of this folder carries.
    var environmentEntry: String { "\(ScratchFolder.environmentName)=\(id)" }

    func isInUse(in folder: URL) -> Bool {
        bootID == ProcessTable.bootID() && (ProcessTable.isAlive(owner) || OwnershipLock.isHeld(folder))
    }

    /// The name of its folder. A copy of the folder has another name, and is therefore not Muster's.
    var folderName: String { ScratchRoot.prefix + id.prefix(12) }

    /// Under this name the folder is made, and only with its mark in it renamed: a folder whose making was cut off still
    /// tells by its name whose it was.
    var unfinishedName: String { Self.unfinishedName(of: folderName, by: owner) }

    /// It ends as it began: under the name of whoever removes it, for the instant in which it has no mark any more.
    static func unfinishedName(of folder: String, by process: ProcessIdentity) -> String {
        "\(folder).\(process.pid).\(process.startTicks)"
    }

    /// Who was making the folder of this name; nil where the name isn't one that ``unfinishedName`` gives.
    static func maker(ofUnfinished name: String) -> ProcessIdentity? {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0].hasPrefix(ScratchRoot.prefix), parts[0].count == ScratchRoot.prefix.count + 12,
            let pid = Int32(parts[1]), let ticks = UInt64(parts[2])
        else { return nil }
        return ProcessIdentity(pid: pid, startTicks: ticks)
    }

    /// Into a folder that nobody looks for yet.
    func write(into folder: URL) throws(ScratchError) {
        // No auxiliary file, which a kill would leave beside it: the folder's own renaming is the one step that counts.
        try write(into: folder, options: .withoutOverwriting)
    }

    /// Into a folder that has one.
    func replace(in folder: URL) throws(ScratchError) {
        // In one go: a mark that was cut off while it was replaced would leave the folder without an owner.
        try write(into: folder, options: .atomic)
    }

    private func write(into folder: URL, options: Data.WritingOptions) throws(ScratchError) {
        do {
            let encoder = JSONEncoder()
            encoder.dateEncodingStrategy = .iso8601
            let file = folder.appendingPathComponent(Self.fileName)
            try encoder.encode(self).write(to: file, options: options)
            chmod(file.path, 0o600)
        } catch {
            throw ScratchError(
                .fileSystem, "cannot write into \(folder.path)", hint: "check free space and permissions, or choose another with --scratch")
        }
    }
}
