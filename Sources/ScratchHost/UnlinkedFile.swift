// Files that Muster itself writes and reads in folders which code of a backup can write to.

internal import CLinux
public import Foundation
import Glibc
import SystemPackage

/// Never through a link: code of a backup could have put one there, and Muster may be root.
public enum UnlinkedFile {
    /// Makes it anew, whatever lay there.
    static func create(_ url: URL) throws(ScratchError) -> FileDescriptor {
        try opened(muster_create_without_links(url.path), "write", url)
    }

    /// Makes it anew with this content, for its owner alone.
    public static func write(_ data: Data, to url: URL) throws {
        let handle = try writer(url)
        defer { try? handle.close() }
        try handle.write(contentsOf: data)
    }

    /// Makes it anew, for its owner alone.
    public static func writer(_ url: URL) throws(ScratchError) -> FileHandle {
        FileHandle(fileDescriptor: try create(url).rawValue, closeOnDealloc: true)
    }

    /// To write at its end.
    static func append(_ url: URL) throws(ScratchError) -> FileDescriptor {
        let file = try opened(muster_open_without_links(url.path, O_WRONLY | O_CREAT | O_APPEND, 0o600), "write", url)
        var info = stat()
        // By another name it could be somebody else's.
        guard fstat(file.rawValue, &info) == 0, info.st_mode & S_IFMT == S_IFREG, info.st_nlink == 1 else {
            try? file.close()
            throw replaced(url)
        }
        return file
    }

    /// - Throws: ``ScratchError`` where it isn't there, or is something else than a file.
    public static func reader(_ url: URL) throws(ScratchError) -> FileHandle {
        let file = try opened(muster_open_without_links(url.path, O_RDONLY | O_NONBLOCK, 0), "read", url)
        var info = stat()
        guard fstat(file.rawValue, &info) == 0, info.st_mode & S_IFMT == S_IFREG, info.st_nlink == 1 else {
            try? file.close()
            throw replaced(url)
        }
        return FileHandle(fileDescriptor: file.rawValue, closeOnDealloc: true)
    }

    private static func replaced(_ url: URL) -> ScratchError {
        ScratchError(
            .refused, "\(url.path) was replaced by something else", hint: "the backup holds code that did it: look into it with care")
    }

    /// All that it holds, of a very large one its end; nil where it isn't there, or is something else than a file.
    public static func data(_ url: URL) -> Data? {
        guard let handle = try? reader(url), let size = try? handle.seekToEnd() else { return nil }
        try? handle.seek(toOffset: size > UInt64(most) ? size - UInt64(most) : 0)
        return try? handle.read(upToCount: most) ?? Data()
    }

    /// All that it holds; nil also where that is more than there may be.
    public static func whole(_ url: URL, of most: Int) -> Data? {
        guard let handle = try? reader(url), let data = try? handle.read(upToCount: most + 1) ?? Data(), data.count <= most else {
            return nil
        }
        return data
    }

    /// Bytes that are ever read of a log: a file can be made as large as one likes without taking any room.
    public static let most = 64 << 20

    /// What was put there is too much to be read.
    public static func tooLarge(_ url: URL) -> ScratchError {
        ScratchError(
            .refused, "\(url.lastPathComponent) has more than \(most >> 20) MiB", hint: "run again with --keep, and look into its beginning"
        )
    }

    /// Its first bytes, or all where there are no more; empty where it isn't there, or is something else than a file.
    public static func data(_ url: URL, upTo count: Int) -> Data {
        (try? reader(url)).flatMap { try? $0.read(upToCount: count) } ?? Data()
    }

    private static func opened(_ file: Int32, _ doing: String, _ url: URL) throws(ScratchError) -> FileDescriptor {
        guard file >= 0 else { throw .system(errno, "cannot \(doing)", url.path) }
        return FileDescriptor(rawValue: file)
    }
}
