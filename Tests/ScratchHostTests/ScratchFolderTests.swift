// The private folder: who may enter, what its removal ends, what it refuses.

import Foundation
import Glibc
import Testing

@testable import ScratchHost

/// Ticks until something holds, five seconds at the most.
func eventually(_ condition: () -> Bool) async -> Bool {
    for _ in 0..<250 {
        if condition() { return true }
        try? await Task.sleep(for: .milliseconds(20))
    }
    return condition()
}

/// A root for one test, short enough for a socket, and gone with it.
final class TemporaryRoot: Sendable {
    let root: ScratchRoot
    var url: URL { root.folder }

    init() throws {
        let name = "/tmp/mt-\(String(UInt32.random(in: .min ... .max), radix: 36))"
        root = ScratchRoot(URL(fileURLWithPath: name, isDirectory: true))
        try FileManager.default.createDirectory(at: root.folder, withIntermediateDirectories: true)
        chmod(name, 0o755)
    }

    deinit { try? FileManager.default.removeItem(at: root.folder) }

    var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []).sorted() }
}

@Suite struct ScratchFolderTests {
    @Test func othersMayOnlyPassAndPartsAreClosed() throws {
        let root = try TemporaryRoot()
        let folder = try ScratchFolder.create(in: root.root, purpose: "test")
        defer { try? folder.remove() }
        let part = try folder.privateFolder("p")
        var info = stat()
        #expect(stat(folder.url.path, &info) == 0 && info.st_mode & 0o777 == 0o711 && info.st_uid == geteuid())
        #expect(stat(part.path, &info) == 0 && info.st_mode & 0o777 == 0o700)
        #expect(info.st_uid == folder.user?.userID ?? geteuid())
        #expect(stat(folder.url.appendingPathComponent(OwnershipMark.fileName).path, &info) == 0 && info.st_mode & 0o777 == 0o600)
        #expect(root.names == [folder.url.lastPathComponent])
    }

    @Test func removingTwiceIsAllowed() throws {
        let root = try TemporaryRoot()
        let folder = try ScratchFolder.create(in: root.root, purpose: "test")
        try folder.remove()
        #expect(root.names == [])
        try folder.remove()
    }

    @Test func tooDeepARootIsSaidAtOnce() throws {
        let root = try TemporaryRoot()
        let deep = root.url.appendingPathComponent(String(repeating: "d", count: 60), isDirectory: true)
        let error = #expect(throws: ScratchError.self) { try ScratchFolder.create(in: ScratchRoot(deep), purpose: "test") }
        #expect(error?.message.contains("too deep") == true)
        #expect(error?.hint.contains("--scratch") == true)
    }

    /// As in a container with a read-only root.
    @Test func aReadOnlyPlaceHasItsOwnMend() {
        let error = ScratchError.system(EROFS, "cannot make the folder", "/tmp/muster-1")
        #expect(error.message == "cannot make the folder /tmp/muster-1: read-only file system")
        #expect(error.hint.contains("docker run --tmpfs /tmp"))
        #expect(!ScratchError.system(EACCES, "cannot make the folder", "/tmp/muster-1").hint.contains("docker"))
    }

    @Test func aRootWithoutItsParentIsAnError() throws {
        let error = #expect(throws: ScratchError.self) {
            try ScratchFolder.create(in: ScratchRoot(URL(fileURLWithPath: "/tmp/mt-none/x")), purpose: "test")
        }
        #expect(error?.kind == .fileSystem)
    }

    /// Where a disk isn't mounted, the one below it would be filled. In a place of Muster's own a folder is made.
    @Test func aRootThatIsMissingIsNotMadeJustAnywhere() throws {
        let own = URL(fileURLWithPath: "/tmp/mt-own-\(UInt32.random(in: 0 ... .max))")
        defer { try? FileManager.default.removeItem(at: own) }
        try ScratchFolder.create(in: ScratchRoot(own), purpose: "test").remove()
        #expect(FileManager.default.fileExists(atPath: own.path))

        let elsewhere = URL(fileURLWithPath: "/var/tmp/mt-\(UInt32.random(in: 0 ... .max))")
        let error = #expect(throws: ScratchError.self) { try ScratchFolder.create(in: ScratchRoot(elsewhere), purpose: "test") }
        #expect(error?.message == "the scratch folder \(elsewhere.path) isn't there" && error?.hint.contains("mount its disk") == true)
        #expect(!FileManager.default.fileExists(atPath: elsewhere.path))
        try FileManager.default.createDirectory(at: elsewhere, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: elsewhere) }
        try ScratchFolder.create(in: ScratchRoot(elsewhere), purpose: "test").remove()
    }

    @Test(.enabled(if: geteuid() == 0, "only root drops to another user"))
    func aRootThatTheUnprivilegedUserCantEnterIsRefused() throws {
        let root = try TemporaryRoot()
        chmod(root.url.path, 0o700)
        let error = #expect(throws: ScratchError.self) { try ScratchFolder.create(in: root.root, purpose: "test") }
        #expect(error?.kind == .refused)
        #expect(root.names == [])
    }

    @Test func aRootBehindALinkIsResolved() throws {
        let root = try TemporaryRoot()
        let link = root.url.appendingPathComponent("link")
        try FileManager.default.createSymbolicLink(at: link, withDestinationURL: root.url)
        let folder = try ScratchFolder.create(in: ScratchRoot(link), purpose: "test")
        defer { try? folder.remove() }
        #expect(folder.url.path == root.url.appendingPathComponent(folder.url.lastPathComponent).path)
    }

    @Test(.enabled(if: geteuid() == 0, "only root gives files away"))
    func givingAwayNeverFollowsALink() throws {
        let root = try TemporaryRoot()
        let folder = try ScratchFolder.create(in: root.root, purpose: "test")
        defer { try? folder.remove() }
        let outside = root.url.appendingPathComponent("outside")
        try Data("x".utf8).write(to: outside)
        let link = try folder.privateFolder("p").appendingPathComponent("link")
        try FileManager.default.createSymbolicLink(at: link, withDestinationURL: outside)
        try folder.own(link)
        var info = stat()
        #expect(stat(outside.path, &info) == 0 && info.st_uid == 0)
    }
}
