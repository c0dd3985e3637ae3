// A private folder with an ownership mark: everything that a drill makes lies in one.

public import Foundation
import Glibc

/// Where scratch folders are made, and how they are recognised.
public struct ScratchRoot: Sendable, Hashable {
    /// The folder that holds the scratch folders; it is never removed.
    public var folder: URL

    /// - Parameter folder: nil for `MUSTER_SCRATCH_ROOT`, and /tmp where that isn't set. Short by intent: a Unix socket's
    ///   path may have 107 bytes.
    public init(_ folder: URL? = nil) {
        // Set to nothing, it would be the working folder.
        let named = ProcessInfo.processInfo.environment["MUSTER_SCRATCH_ROOT"].flatMap { $0.isEmpty ? nil : $0 }
        self.folder = folder ?? URL(fileURLWithPath: named ?? "/tmp", isDirectory: true)
    }

    static let prefix = "muster-"

    /// Where a missing folder is made. Elsewhere it may be that of a disk which isn't mounted: the one below it would be filled in its place.
    private static let ownPlaces = ["/tmp", "/var/lib/muster"]

    /// - Throws: ``ScratchError``: the folder isn't there, and not for Muster to make.
    func requirePlace() throws(ScratchError) {
        let path = folder.standardizedFileURL.path
        var info = stat()
        if stat(path, &info) == 0 || errno != ENOENT || Self.ownPlaces.contains(where: { path.hasPrefix($0 + "/") }) { return }
        throw ScratchError(
            .fileSystem, "the scratch folder \(path) isn't there",
            hint: "mount its disk, or make it: mkdir -p \(path); muster makes one below \(Self.ownPlaces.joined(separator: " or ")) alone")
    }
}

/// A private folder that a run owns and removes.
///
/// The folder itself belongs to Muster's user and lets others only pass through (0711); the parts inside belong to the
/// unprivileged user (0700). So a server that runs hostile code from a dump can't touch the mark.
public struct ScratchFolder: Sendable, Hashable {
    static let environmentName = "MUSTER_SCRATCH_ID"

    public let url: URL
    public let id: String
    public let user: UnprivilegedUser?
    let mark: OwnershipMark
    /// What the names of its own parts go on with behind their first letter, for one of several recoveries; nil: all parts are its own.
    var recovery: String?

    /// Makes a folder with a random name.
    ///
    /// - Throws: ``ScratchError`` where the root can't be written, or its path leaves no room for a socket's name.
    public static func create(in root: ScratchRoot, purpose: String) throws(ScratchError) -> ScratchFolder {
        let user = try UnprivilegedUser.current()
        guard let owner = ProcessTable.current() else {
            throw ScratchError(.fileSystem, "/proc can't be read", hint: "mount /proc: muster finds its own remains by it")
        }
        try root.requirePlace()
        try make(root.folder.path, mode: 0o755, mayExist: true)
        // Processes are found by the folder that they work in, which the kernel tells without links.
        let parent = try resolved(root.folder)
        let id = (0..<2).map { _ in hex(UInt64.random(in: .min ... .max)) }.joined()
        let mark = OwnershipMark(id: id, owner: owner, bootID: ProcessTable.bootID(), purpose: purpose, created: Date())
        let url = parent.appendingPathComponent(mark.folderName, isDirectory: true)
        // "/pg-postgres-1p/s/.s.PGSQL.5432" and room to spare.
        guard url.path.utf8.count + 40 <= 107 else {
            throw ScratchError(
                .fileSystem, "the scratch folder \(parent.path) is too deep: a Unix socket's path may have 107 bytes",
                hint: "choose a shorter one with --scratch, such as /tmp")
        }
        if user != nil { try requirePassage(through: parent) }
        let unfinished = parent.appendingPathComponent(mark.unfinishedName, isDirectory: true)
        try make(unfinished.path, mode: 0o711, mayExist: false)
        do throws(ScratchError) {
            try mark.write(into: unfinished)
            OwnershipLock.hold(unfinished, as: mark.folderName)
            guard rename(unfinished.path, url.path) == 0 else { throw .system(errno, "cannot make the folder", url.path) }
        } catch {
            OwnershipLock.release(mark.folderName)
            deleteUnfinished(unfinished)
            throw error
        }
        return ScratchFolder(url: url, id: id, user: user, mark: mark)
    }

    /// Over which the file system is put together that a program here sees; stays empty.
    var rootPlace: URL { url.appendingPathComponent(".root", isDirectory: true) }

    /// What a program here has as /tmp.
    var temporary: URL { url.appendingPathComponent("t", isDirectory: true) }

    /// What lies in it for a program that runs here: folders alone, and none of Muster's own. Services are recovered side by side, and the code of
    /// one backup is to find neither the files nor the key of another: with a key's folder comes who is told of it.
    func parts(for command: [String]) -> [URL] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []
        return names.sorted().map { url.appendingPathComponent($0, isDirectory: true) }.filter { part in
            var info = stat()
            guard lstat(part.path, &info) == 0, info.st_mode & S_IFMT == S_IFDIR else { return false }
            let name = part.lastPathComponent
            if name.hasPrefix(Self.keyPrefix) { return command.contains { $0 == part.path || $0.hasPrefix(part.path + "/") } }
            guard let recovery else { return !name.hasPrefix(".") }
            return name == temporary.lastPathComponent || name.dropFirst().hasPrefix(recovery)
        }
    }

    private static let keyPrefix = "key-"

    /// A private folder that only programs see whose command line names it, or something in it.
    public func keyFolder() throws(ScratchError) -> URL {
        try privateFolder(Self.keyPrefix + String(UInt32.random(in: .min ... .max)))
    }

    func makePlaces() throws(ScratchError) {
        try Self.make(rootPlace.path, mode: 0o755, mayExist: true)
        try Self.make(temporary.path, mode: 0o1777, mayExist: true)
    }

    /// Ends what runs in it and leaves its files, for a person to look at: cleaning passes over it from now on.
    ///
    /// - Parameter run: The run's name, by which it is asked for when it is to go.
    public func keep(of run: String? = nil) throws(ScratchError) {
        endProcesses()
        var kept = mark
        kept.kept = true
        kept.run = run
        kept.place = FileManager.default.currentDirectoryPath
        try kept.replace(in: url)
    }

    func endProcesses() { Self.endProcesses(of: mark, in: url) }

    /// Ends what runs in a folder, and frees what outlives that.
    static func endProcesses(of mark: OwnershipMark, in folder: URL) {
        ProcessReaper.end { ProcessTable.belonging(toEnvironment: mark.environmentEntry, orFolder: folder.path) }
        SharedMemory.release(below: folder)
    }

    /// A folder inside this one that only the unprivileged user may enter.
    public func privateFolder(_ name: String) throws(ScratchError) -> URL {
        let part = url.appendingPathComponent(name, isDirectory: true)
        try Self.make(part.path, mode: 0o700, mayExist: true)
        try own(part)
        return part
    }

    /// A folder inside this one that no program of the quarantine can write to: what tools outside of it write by a path lies there.
    public func ownPlace(_ name: String) -> URL { url.appendingPathComponent(".\(name)", isDirectory: true) }

    public func makeOwnPlace(_ place: URL) throws(ScratchError) { try Self.make(place.path, mode: 0o700, mayExist: true) }

    /// Gives a file or folder inside this one, but nothing below it, to the unprivileged user.
    public func own(_ item: URL) throws(ScratchError) {
        guard let user else { return }
        // Never through a link: what a backup unpacks to could point at any file of this machine.
        guard lchown(item.path, user.userID, user.groupID) == 0 else { throw .system(errno, "cannot give away", item.path) }
    }

    /// Whether hardly anything more can be written. A tool that ran out of room may not even have been able to say so.
    public var isFull: Bool { freeBytes().map { $0 < 256 * 1024 } ?? false }

    /// Bytes that may still be written.
    public func freeBytes() -> Int64? {
        var info = statvfs()
        guard statvfs(url.path, &info) == 0 else { return nil }
        return Int64(info.f_bavail) * Int64(info.f_frsize)
    }

    /// Ends whatever still runs in it and removes it. Safe to call twice.
    public func remove() throws(ScratchError) {
        endProcesses()
        try Self.delete(url)
    }

    /// Removes a folder whose processes have ended, its mark last: whoever is killed meanwhile leaves something that is still found.
    static func delete(_ url: URL) throws(ScratchError) {
        guard let remover = ProcessTable.current() else { throw .system(ENOENT, "cannot read", "/proc") }
        // Something may have been created while we removed, or somebody else removes it as well: one more try, then say so.
        guard emptyButForItsMark(url) || emptyButForItsMark(url) else {
            throw ScratchError(.fileSystem, "cannot remove \(url.path)", hint: "remove it by hand, or run: muster clean")
        }
        // Without its mark a folder under this name would be nobody's.
        let leaving = url.deletingLastPathComponent()
            .appendingPathComponent(OwnershipMark.unfinishedName(of: url.lastPathComponent, by: remover), isDirectory: true)
        guard rename(url.path, leaving.path) == 0 else {
            if errno == ENOENT { return }
            throw .system(errno, "cannot remove", url.path)
        }
        deleteUnfinished(leaving)
        OwnershipLock.release(url.lastPathComponent)
        // Whatever was put there in the last instant.
        if access(leaving.path, F_OK) == 0 { try? FileManager.default.removeItem(at: leaving) }
        if access(leaving.path, F_OK) == 0 {
            throw ScratchError(.fileSystem, "cannot remove \(leaving.path)", hint: "remove it by hand")
        }
    }

    /// As `rm` does where Foundation can't: of folders that lie so deep in each other that no path leads there. And where code of a backup
    /// closed them to their own user, who isn't root, they are opened first; `chmod` follows no link on its way down.
    private static func removeAll(_ item: URL) {
        guard (try? FileManager.default.removeItem(at: item)) == nil, access(item.path, F_OK) == 0 else { return }
        if let program = ScratchHost.locate("chmod") { _ = ScratchHost.said(by: program, ["-R", "--", "u+rwX", item.path]) }
        removeSafely(item)
    }

    static func removeSafely(_ item: URL) {
        if let program = ScratchHost.locate("rm") { _ = ScratchHost.said(by: program, ["-rf", "--one-file-system", "--", item.path]) }
    }

    private static func emptyButForItsMark(_ url: URL) -> Bool {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? [] where name != OwnershipMark.fileName {
            removeAll(url.appendingPathComponent(name))
        }
        let left = (try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []
        return left.allSatisfy { $0 == OwnershipMark.fileName }
    }

    /// Removes a folder that is still being made, or hardly there any more: it holds a mark at the most.
    static func deleteUnfinished(_ folder: URL) {
        unlink(folder.appendingPathComponent(OwnershipMark.fileName).path)
        rmdir(folder.path)
    }

    private static func resolved(_ folder: URL) throws(ScratchError) -> URL {
        guard let real = realpath(folder.path, nil) else { throw .system(errno, "cannot use the folder", folder.path) }
        defer { free(real) }
        return URL(fileURLWithPath: String(cString: real), isDirectory: true)
    }

    /// The unprivileged user must be able to walk to the folder: said here, rather than by each tool in its own words.
    private static func requirePassage(through folder: URL) throws(ScratchError) {
        var path = folder.path
        while path.count > 1 {
            var info = stat()
            if stat(path, &info) == 0, info.st_mode & S_IXOTH == 0 {
                throw ScratchError(
                    .refused, "the unprivileged user can't pass through \(path), which is closed to others",
                    hint: "choose another scratch folder with --scratch, such as /tmp")
            }
            path = (path as NSString).deletingLastPathComponent
        }
    }

    private static func make(_ path: String, mode: mode_t, mayExist: Bool) throws(ScratchError) {
        if mkdir(path, mode) == 0 {
            // The umask may have taken bits away that the unprivileged user needs to pass.
            chmod(path, mode)
            return
        }
        let code = errno
        guard code == EEXIST, mayExist else { throw .system(code, "cannot make the folder", path) }
        var info = stat()
        guard stat(path, &info) == 0 else { throw .system(errno, "cannot use the folder", path) }
        guard info.st_mode & S_IFMT == S_IFDIR else { throw .system(ENOTDIR, "cannot use the folder", path) }
    }

    private static func hex(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
