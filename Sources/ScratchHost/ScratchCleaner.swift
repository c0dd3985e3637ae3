// Finds what a killed run left behind, by its mark, and removes exactly that.

public import Foundation
import Glibc

/// The remains of runs that are no more.
public enum ScratchCleaner {
    /// One scratch folder that was found.
    public struct Remains: Sendable, Hashable {
        public var folder: URL
        public var purpose: String
        public var created: Date
        /// Its run still lives: not remains, and left alone.
        public var inUse: Bool
        /// The processes that belong to it.
        public var processes: Int
        /// Left on purpose by a run with --keep.
        public var kept: Bool
        /// The run that left it on purpose; nil where it wrote down none.
        public var run: String?
        /// The folder where that run was started.
        public var place: String?

        init(_ folder: URL, _ mark: OwnershipMark, processes: Int) {
            self.folder = folder
            purpose = mark.purpose
            created = mark.created
            inUse = mark.isInUse(in: folder)
            self.processes = processes
            kept = mark.kept
            run = mark.run
            place = mark.place
        }

        /// What its files take on the disk, in bytes.
        public func size() -> Int64 {
            let walk = FileManager.default.enumerator(atPath: folder.path)
            var blocks: Int64 = 0
            while let path = walk?.nextObject() as? String {
                var info = stat()
                if lstat(folder.path + "/" + path, &info) == 0 { blocks += Int64(info.st_blocks) }
            }
            return blocks * 512
        }
    }

    /// All marked folders of this user below a root, remains and those in use.
    public static func find(in root: ScratchRoot) -> [Remains] {
        marked(in: root).map { folder, mark in
            let processes = ProcessTable.belonging(toEnvironment: mark.environmentEntry, orFolder: folder.path)
            return Remains(folder, mark, processes: processes.count)
        }
    }

    /// Ends the processes of every abandoned folder and removes it; folders in use and unmarked ones are not touched.
    ///
    /// - Parameters:
    ///   - kept: Those of the folders left on purpose that go as well.
    ///   - spared: Folders whose processes are ended, and which stay: something is still due that only they know of.
    /// - Returns: What was removed.
    /// - Throws: ``ScratchError`` where one could not be removed, after all the others were.
    @discardableResult
    public static func clean(_ root: ScratchRoot, kept: Set<URL> = [], sparing spared: Set<URL> = []) throws(ScratchError) -> [Remains] {
        var removed: [Remains] = []
        var problem: ScratchError?
        removeUnfinished(in: root)
        for (folder, mark) in marked(in: root) where mark.kept && !kept.contains(folder) && !mark.isInUse(in: folder) {
            // What a killed `muster attach` left running there. Not whoever stands in the folder to look at it.
            ProcessReaper.end { ProcessTable.belonging(toEnvironment: mark.environmentEntry, orFolder: nil) }
        }
        for (folder, mark) in marked(in: root) where !mark.isInUse(in: folder) && (!mark.kept || kept.contains(folder)) {
            let entry = mark.environmentEntry
            let processes = ProcessTable.belonging(toEnvironment: entry, orFolder: folder.path).count
            ScratchFolder.endProcesses(of: mark, in: folder)
            if spared.contains(folder) { continue }
            do throws(ScratchError) {
                try ScratchFolder.delete(folder)
            } catch {
                problem = problem ?? error
                continue
            }
            removed.append(Remains(folder, mark, processes: processes))
        }
        if let problem { throw problem }
        return removed
    }

    /// Folders whose making was cut off before they had their name, or whose removal when nothing else was left: empty, or with
    /// the mark's file alone.
    private static func removeUnfinished(in root: ScratchRoot) {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: root.folder.path)) ?? [] {
            guard let maker = OwnershipMark.maker(ofUnfinished: name), !ProcessTable.isAlive(maker) else { continue }
            let folder = root.folder.appendingPathComponent(name, isDirectory: true)
            var info = stat()
            guard lstat(folder.path, &info) == 0, info.st_mode & S_IFMT == S_IFDIR, info.st_uid == geteuid() else { continue }
            ScratchFolder.deleteUnfinished(folder)
        }
    }

    static func marked(in root: ScratchRoot) -> [(URL, OwnershipMark)] {
        // Processes are found by the folder that they work in, which the kernel tells without links.
        let root = root.folder.resolvingSymlinksInPath()
        let names = (try? FileManager.default.contentsOfDirectory(atPath: root.path)) ?? []
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        return names.sorted().compactMap { name in
            guard name.hasPrefix(ScratchRoot.prefix) else { return nil }
            let folder = root.appendingPathComponent(name, isDirectory: true)
            var info = stat()
            // A folder of another user, or a link to somewhere else, is never ours, whatever it holds.
            guard lstat(folder.path, &info) == 0, info.st_mode & S_IFMT == S_IFDIR, info.st_uid == geteuid() else { return nil }
            let file = folder.appendingPathComponent(OwnershipMark.fileName)
            guard lstat(file.path, &info) == 0, info.st_mode & S_IFMT == S_IFREG, info.st_uid == geteuid(),
                let data = try? Data(contentsOf: file), let mark = try? decoder.decode(OwnershipMark.self, from: data),
                mark.tool == OwnershipMark.tool, mark.id.count == 32, mark.folderName == name
            else { return nil }
            return (folder, mark)
        }
    }
}
