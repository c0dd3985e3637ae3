// What another user can do with a file, on real folders.

import BackupCatalog
import DrillModel
import Foundation
import Testing

@Suite struct FolderWalkTests {
    /// `a/b/file` in a folder of the test's own, with these modes.
    private func with(_ a: Int, _ b: Int, _ body: (URL, FolderReach) throws -> Void) throws {
        let root = URL(fileURLWithPath: "/tmp/walk-\(UUID().uuidString)")
        let folder = root.appending(path: "a/b")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
        defer { try? FileManager.default.removeItem(at: root) }
        try Data("x".utf8).write(to: folder.appending(path: "file"))
        try FileManager.default.setAttributes([.posixPermissions: b], ofItemAtPath: folder.path)
        try FileManager.default.setAttributes([.posixPermissions: a], ofItemAtPath: root.appending(path: "a").path)
        try body(root, FolderWalk().reach(folder.appending(path: "file")))
    }

    @Test func ordinaryFolders() throws {
        try with(0o755, 0o755) { #expect($1 == .open) }
        try with(0o775, 0o771) { #expect($1 == .open) }
    }

    @Test func aFolderThatLetsNobodyPass() throws {
        try with(0o700, 0o755) { #expect($1 == .shut) }
        try with(0o755, 0o750) { #expect($1 == .shut) }
        // What is open inside of it is open to nobody.
        try with(0o700, 0o777) { #expect($1 == .shut) }
    }

    @Test func aFolderInWhichAnybodyMayReplace() throws {
        try with(0o777, 0o755) { #expect($1 == .replaceable(folder: $0.path + "/a", permissions: 0o777)) }
        // The shut one can be put aside.
        try with(0o777, 0o700) { #expect($1 == .replaceable(folder: $0.path + "/a", permissions: 0o777)) }
        try with(0o755, 0o777) { #expect($1 == .replaceable(folder: $0.path + "/a/b", permissions: 0o777)) }
    }

    /// As /tmp is: others may add, and not take away.
    @Test func aStickyFolder() throws {
        try with(0o1777, 0o755) { #expect($1 == .open) }
        try with(0o772, 0o755) { #expect($1 == .shut) }
    }

    @Test func bothWaysToALinkCount() throws {
        try with(0o755, 0o700) { root, _ in
            let link = root.appending(path: "a/link")
            try FileManager.default.createSymbolicLink(atPath: link.path, withDestinationPath: root.path + "/a/b/file")
            #expect(FolderWalk().reach(link) == .shut)
            try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: root.path + "/a")
            #expect(FolderWalk().reach(link) == .replaceable(folder: root.path + "/a", permissions: 0o777))
        }
    }
}
