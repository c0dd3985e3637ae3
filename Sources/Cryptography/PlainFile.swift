// Files read and written in large chunks through the system's own calls, so that every errno is seen.

public import Foundation

/// A file open for reading; closed when it goes out of scope.
struct InputFile: ~Copyable {
    private let descriptor: Int32
    let path: String
    /// Bytes, as the file was opened.
    let size: Int64

    init(_ url: URL) throws(CryptographyError) {
        path = url.path
        // Of a pipe, opening would otherwise wait for whoever writes into it.
        descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw .reading(path, errno) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let code = errno
            close(descriptor)
            throw .reading(path, code)
        }
        guard status.st_mode & S_IFMT != S_IFDIR else {
            close(descriptor)
            throw .reading(path, EISDIR)
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw .reading(path, EINVAL)
        }
        size = Int64(status.st_size)
        // The kernel then reads further ahead. It is advice: nothing depends on it.
        posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL)
    }

    deinit {
        close(descriptor)
    }

    /// Fills the buffer as far as the file goes: less than the whole only at its end.
    borrowing func read(into buffer: UnsafeMutableRawBufferPointer) throws(CryptographyError) -> Int {
        var filled = 0
        while filled < buffer.count {
            let count = Foundation.read(descriptor, buffer.baseAddress.map { $0 + filled }, buffer.count - filled)
            if count == 0 { break }
            if count > 0 {
                filled += count
            } else if errno != EINTR {
                throw .reading(path, errno)
            }
        }
        return filled
    }
}

extension ArtifactStream {
    /// The first bytes of a stored file.
    ///
    /// - Throws: ``CryptographyError`` where it can't be read, or is neither a file nor a link to one.
    public static func head(of file: URL, count: Int) throws(CryptographyError) -> [UInt8] {
        let input = try InputFile(file)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, min(count, Int(input.size))), alignment: 16)
        defer { buffer.deallocate() }
        return Array(buffer.prefix(try input.read(into: buffer)))
    }
}

/// A new file open for writing, for its owner only; closed when it goes out of scope, and removed unless it was kept.
struct OutputFile: ~Copyable {
    private let descriptor: Int32
    let path: String
    private var kept: Bool

    /// Replaces a file of that name, but follows no symbolic link: the folder may be somebody else's.
    init(_ url: URL) throws(CryptographyError) {
        path = url.path
        descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw .writing(path, errno) }
        var status = stat()
        // A device, such as /dev/full, is written to, never removed.
        kept = fstat(descriptor, &status) != 0 || status.st_mode & S_IFMT != S_IFREG
    }

    deinit {
        close(descriptor)
        if !kept { unlink(path) }
    }

    borrowing func write(_ bytes: UnsafeRawBufferPointer) throws(CryptographyError) {
        var written = 0
        while written < bytes.count {
            let count = Foundation.write(descriptor, bytes.baseAddress.map { $0 + written }, bytes.count - written)
            if count >= 0 {
                written += count
            } else if errno != EINTR {
                throw .writing(path, errno)
            }
        }
    }

    /// Flushes to the device where asked, and keeps the file. A name to rename it to, if any, replaces what lay there.
    mutating func keep(flushed: Bool, as final: URL? = nil) throws(CryptographyError) {
        if flushed, fsync(descriptor) != 0 { throw .writing(path, errno) }
        if let final, rename(path, final.path) != 0 { throw .writing(final.path, errno) }
        kept = true
        guard flushed, let final else { return }
        // Without this the new name itself may not survive a power cut.
        let folder = open(final.deletingLastPathComponent().path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { return }
        fsync(folder)
        close(folder)
    }
}
