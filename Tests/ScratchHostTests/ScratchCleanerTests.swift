// What a killed run left goes away, and nothing else does.

import Foundation
import Glibc
import Testing

@testable import ScratchHost

@Suite(.serialized) struct ScratchCleanerTests {
    /// A process that was, and is no more.
    private static let dead = ProcessIdentity(pid: getpid(), startTicks: 1)

    /// A scratch folder as a run leaves it that was killed.
    private func abandoned(_ root: TemporaryRoot, kept: Bool = false, owner: ProcessIdentity = dead) throws -> (URL, OwnershipMark) {
        let id = (0..<2).map { _ in String(format: "%016lx", UInt.random(in: .min ... .max)) }.joined()
        var mark = OwnershipMark(id: id, owner: owner, bootID: ProcessTable.bootID(), purpose: "killed", created: Date())
        mark.kept = kept
        let folder = root.url.appendingPathComponent(mark.folderName, isDirectory: true)
        try FileManager.default.createDirectory(at: folder.appendingPathComponent("p"), withIntermediateDirectories: true)
        try mark.write(into: folder)
        return (folder, mark)
    }

    private func sleeper(environment: [String: String] = [:], in folder: URL? = nil) throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sleep")
        process.arguments = ["300"]
        process.environment = environment
        process.currentDirectoryURL = folder ?? URL(fileURLWithPath: "/")
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        return process
    }

    private static func allKept(_ root: TemporaryRoot) -> Set<URL> {
        Set(ScratchCleaner.find(in: root.root).filter(\.kept).map(\.folder))
    }

    @Test func theRemainsOfAKilledRunGo() async throws {
        let root = try TemporaryRoot()
        let (folder, mark) = try abandoned(root)
        let marked = try sleeper(environment: [ScratchFolder.environmentName: mark.id])
        let inside = try sleeper(in: folder.appendingPathComponent("p"))
        let stranger = try sleeper(environment: [ScratchFolder.environmentName: "another"], in: root.url)
        defer { kill(stranger.processIdentifier, SIGKILL) }
        let found = ScratchCleaner.find(in: root.root)
        #expect(found.map(\.processes) == [2] && found.map(\.inUse) == [false])
        let removed = try ScratchCleaner.clean(root.root)
        #expect(removed.map(\.folder.lastPathComponent) == [folder.lastPathComponent])
        #expect(!FileManager.default.fileExists(atPath: folder.path))
        #expect(await eventually { !marked.isRunning && !inside.isRunning })
        #expect(stranger.isRunning)
    }

    /// In another container its process has no number that means anything here: the lock on its mark tells.
    @Test func aRunThatNobodySeesLives() throws {
        let root = try TemporaryRoot()
        let (folder, _) = try abandoned(root)
        let file = open(folder.appendingPathComponent(OwnershipMark.fileName).path, O_RDONLY | O_CLOEXEC)
        #expect(flock(file, LOCK_EX | LOCK_NB) == 0)
        #expect(ScratchCleaner.find(in: root.root).map(\.inUse) == [true])
        #expect(try ScratchCleaner.clean(root.root) == [] && FileManager.default.fileExists(atPath: folder.path))
        close(file)
        #expect(ScratchCleaner.find(in: root.root).map(\.inUse) == [false])
        #expect(try ScratchCleaner.clean(root.root).count == 1)
    }

    @Test func aRunHoldsItsFolderUntilItIsGone() throws {
        let root = try TemporaryRoot()
        let folder = try ScratchFolder.create(in: root.root, purpose: "live")
        #expect(OwnershipLock.isHeld(folder.url))
        // What looks at the same time is no run.
        let other = open(folder.url.appendingPathComponent(OwnershipMark.fileName).path, O_RDONLY | O_CLOEXEC)
        defer { close(other) }
        #expect(flock(other, LOCK_SH | LOCK_NB) != 0)
        try folder.remove()
        #expect(flock(other, LOCK_SH | LOCK_NB) == 0, "the lock went with the folder")
        #expect(!OwnershipLock.isHeld(folder.url))
    }

    @Test func aFolderInUseStays() throws {
        let root = try TemporaryRoot()
        let folder = try ScratchFolder.create(in: root.root, purpose: "live")
        defer { try? folder.remove() }
        let child = try sleeper(environment: [ScratchFolder.environmentName: folder.id])
        defer { kill(child.processIdentifier, SIGKILL) }
        #expect(try ScratchCleaner.clean(root.root, kept: Self.allKept(root)).isEmpty)
        #expect(ScratchCleaner.find(in: root.root).map(\.inUse) == [true])
        #expect(FileManager.default.fileExists(atPath: folder.url.path) && child.isRunning)
    }

    @Test func whatAKilledRunWantsUndone() async throws {
        let root = try TemporaryRoot()
        let trace = root.url.appendingPathComponent("trace")
        func undo(_ script: String, limit: Duration = .seconds(120)) -> UndoCommand {
            UndoCommand(
                title: "zone a", origin: "restore", command: ["sh", "-c", script], environment: ["ZONE": "a"], workingFolder: root.url,
                limit: limit)
        }
        func leave(_ undo: UndoCommand, in folder: URL) throws {
            try JSONEncoder().encode(undo).write(to: folder.appendingPathComponent(UndoCommand.fileName))
        }
        try leave(undo("echo $ZONE >trace"), in: try abandoned(root).0)
        // A living run undoes its own work; what was kept on purpose is nobody's remains; a folder without a mark is somebody else's.
        try leave(undo("exit 3"), in: try abandoned(root, owner: try #require(ProcessTable.current())).0)
        try leave(undo("exit 4"), in: try abandoned(root, kept: true).0)
        let stranger = root.url.appendingPathComponent("muster-0123456789ab")
        try FileManager.default.createDirectory(at: stranger, withIntermediateDirectories: true)
        try leave(undo("exit 5"), in: stranger)
        let claimed = ScratchCleaner.claim(UndoCommand.self, in: root.root)
        #expect(claimed.map(\.cleanup.title) == ["zone a"])
        #expect(ScratchCleaner.claim(UndoCommand.self, in: root.root).isEmpty, "once")
        #expect(await claimed.first?.cleanup.run() == nil)
        #expect(try String(contentsOf: trace, encoding: .utf8) == "a\n")
        #expect(await undo("exit 3").run() == "exit 3")
        #expect(await undo("sleep 30", limit: .seconds(1)).run() == "it was ended after 1 s")
        let lost = UndoCommand(
            title: "", origin: "", command: ["/no/such/program"], environment: [:], workingFolder: root.url, limit: .seconds(1))
        #expect(await lost.run()?.isEmpty == false)
    }

    @Test func aRunOfAnEarlierBootIsNoMore() throws {
        let root = try TemporaryRoot()
        let own = try #require(ProcessTable.current())
        var (folder, mark) = try abandoned(root, owner: own)
        #expect(try ScratchCleaner.clean(root.root).isEmpty, "its owner lives")
        mark.bootID = "another boot"
        try mark.replace(in: folder)
        #expect(try ScratchCleaner.clean(root.root).count == 1)
    }

    @Test func whatCarriesNoMarkStays() throws {
        let root = try TemporaryRoot()
        let manager = FileManager.default
        let (elsewhere, mark) = try abandoned(try TemporaryRoot())
        _ = elsewhere
        for name in ["muster-xyz", "muster-0123456789ab", "other"] {
            try manager.createDirectory(at: root.url.appendingPathComponent(name), withIntermediateDirectories: true)
            try Data("x".utf8).write(to: root.url.appendingPathComponent("\(name)/precious"))
        }
        // A mark that another tool wrote, a mark that is a link, and a mark that was copied along with its folder.
        try Data(#"{"tool":"other"}"#.utf8).write(to: root.url.appendingPathComponent("muster-xyz/\(OwnershipMark.fileName)"))
        let copy = root.url.appendingPathComponent("muster-copy")
        try manager.createDirectory(at: copy, withIntermediateDirectories: true)
        try mark.write(into: copy)
        try manager.createSymbolicLink(
            at: root.url.appendingPathComponent("muster-0123456789ab/\(OwnershipMark.fileName)"),
            withDestinationURL: copy.appendingPathComponent(OwnershipMark.fileName))
        #expect(try ScratchCleaner.clean(root.root, kept: Self.allKept(root)).isEmpty)
        #expect(root.names == ["muster-0123456789ab", "muster-copy", "muster-xyz", "other"])
        #expect(manager.fileExists(atPath: root.url.appendingPathComponent("muster-xyz/precious").path))
    }

    @Test func aLinkIsNotFollowed() throws {
        let root = try TemporaryRoot()
        let outside = try TemporaryRoot()
        let (folder, mark) = try abandoned(outside)
        try FileManager.default.createSymbolicLink(at: root.url.appendingPathComponent(mark.folderName), withDestinationURL: folder)
        #expect(try ScratchCleaner.clean(root.root).isEmpty)
        #expect(FileManager.default.fileExists(atPath: folder.path))
    }

    @Test(.enabled(if: geteuid() == 0, "only root gives files away"))
    func anotherUsersFolderStays() throws {
        let root = try TemporaryRoot()
        let (folder, _) = try abandoned(root)
        chown(folder.path, 65534, 65534)
        #expect(try ScratchCleaner.clean(root.root).isEmpty)
        #expect(root.names.count == 1)
    }

    @Test func aKeptFolderGoesOnlyWhenAsked() async throws {
        let root = try TemporaryRoot()
        let (folder, _) = try abandoned(root, kept: true)
        #expect(try ScratchCleaner.clean(root.root).isEmpty)
        #expect(FileManager.default.fileExists(atPath: folder.path))
        #expect(ScratchCleaner.find(in: root.root).map(\.kept) == [true])
        let other = try abandoned(root, kept: true).0
        #expect(try ScratchCleaner.clean(root.root, kept: [folder.resolvingSymlinksInPath()]).count == 1)
        #expect(root.names == [other.lastPathComponent], "what nobody named stays")
        #expect(try ScratchCleaner.clean(root.root, kept: Self.allKept(root)).count == 1)
        #expect(root.names == [])
    }

    @Test func keepingEndsProcessesAndMarksTheFolder() async throws {
        let root = try TemporaryRoot()
        let host = try await ScratchHost.prepare(in: root.root, purpose: "test")
        let part = try host.folder.privateFolder("p")
        let server = try await host.start(["sleep", "300"], workingFolder: part, log: part.appendingPathComponent("log"))
        try await host.keep(of: "run-1")
        let kept = ScratchCleaner.find(in: root.root)
        #expect(kept.map(\.run) == ["run-1"] && kept.map(\.place) == [FileManager.default.currentDirectoryPath])
        #expect(kept.allSatisfy { $0.size() > 0 })
        #expect(await eventually { server.ending != nil })
        #expect(ScratchCleaner.find(in: root.root).map(\.kept) == [true])
        #expect(FileManager.default.fileExists(atPath: part.appendingPathComponent("log").path))
        try await host.remove()
    }

    @Test func aFolderWhoseMakingWasCutOffGoes() throws {
        let root = try TemporaryRoot()
        let own = try #require(ProcessTable.current())
        let names = [Self.dead, own].map { owner in
            OwnershipMark(id: "0123456789abcdef", owner: owner, bootID: "", purpose: "", created: Date()).unfinishedName
        }
        for name in names {
            try FileManager.default.createDirectory(at: root.url.appendingPathComponent(name), withIntermediateDirectories: true)
        }
        try Data().write(to: root.url.appendingPathComponent("\(names[0])/\(OwnershipMark.fileName)"))
        try ScratchCleaner.clean(root.root)
        #expect(root.names == [names[1]], "the one whose maker lives is still being made")
    }

    /// Killed between any two of these, a removal leaves what is found by its mark, or by its name.
    @Test func theMarkGoesLast() throws {
        let root = try TemporaryRoot()
        let folder = try ScratchFolder.create(in: root.root, purpose: "test")
        let part = try folder.privateFolder("p")
        try Data("rows".utf8).write(to: part.appendingPathComponent("data"))
        try Data().write(to: folder.url.appendingPathComponent("zzz"))
        let inside = try FolderWatch(folder.url)
        let above = try FolderWatch(root.url)
        try folder.remove()
        #expect(Set(inside.deleted().dropLast()) == ["p", "zzz"] && inside.deleted().last == OwnershipMark.fileName)
        let own = try #require(ProcessTable.current())
        #expect(above.deleted() == ["\(folder.url.lastPathComponent).\(own.pid).\(own.startTicks)"])
        #expect(root.names == [])
    }

    /// An auxiliary file beside it would outlive a kill, and the folder with it.
    @Test func aMarkIsMadeWithoutAnotherFile() throws {
        let root = try TemporaryRoot()
        let mark = OwnershipMark(id: "0123456789abcdef", owner: Self.dead, bootID: "", purpose: "", created: Date())
        let watch = try FolderWatch(root.url)
        try mark.write(into: root.url)
        #expect(watch.created() == [OwnershipMark.fileName])
    }

    @Test func aFolderThatCantBeRemovedDoesNotKeepTheOthers() throws {
        let root = try TemporaryRoot()
        #expect(try ScratchCleaner.clean(ScratchRoot(URL(fileURLWithPath: "/no/such/root"))).isEmpty)
        _ = try abandoned(root)
        _ = try abandoned(root)
        #expect(try ScratchCleaner.clean(root.root).count == 2)
    }
}
