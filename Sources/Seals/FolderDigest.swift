// One digest for a whole folder, so that a folder can be an artifact.

import Cryptography
public import DrillModel
public import Foundation

/// The digest of a folder: SHA-256 over the lines `sha256  relative/path`, one for each file, sorted by the path's bytes, each ended by a
/// line feed. It is what `find . -type f -printf '%P\0' | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum` gives.
///
/// Modes, times and folders that hold no file don't count. Symbolic links and devices are refused, since what they point at isn't in the
/// folder, and so are names with a backslash or a control character, which would make the lines ambiguous.
public enum FolderDigest {
    /// - Parameters:
    ///   - target: Where given, a new folder that the files are copied to on the way, readable by their owner only.
    ///   - progress: told the bytes read so far, on a queue of the work's.
    public static func measure(
        _ folder: URL, copyingTo target: URL? = nil, progress: @escaping @Sendable (Int64) -> Void = { _ in }
    ) async throws(SealError) -> (sha256: String, size: Int64) {
        let paths = try files(in: folder)
        guard !paths.isEmpty else { throw unfit(folder, "it holds no file") }
        var size: Int64 = 0
        do throws(CryptographyError) {
            let all = try SHA256Stream()
            for path in paths {
                let before = size
                let copy = target?.appending(path: path)
                if let copy { try makeFolder(copy.deletingLastPathComponent()) }
                let file = try await ArtifactStream.copy(from: folder.appending(path: path), to: copy) { progress(before + $0) }
                size += file.bytesRead
                try all.update(Array("\(file.sha256)  \(path)\n".utf8))
            }
            return (try all.finish(), size)
        } catch {
            throw SealError(error)
        }
    }

    private static func makeFolder(_ folder: URL) throws(CryptographyError) {
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            let full = (error as? CocoaError)?.code == .fileWriteOutOfSpace
            throw CryptographyError(
                full ? .diskFull(path: folder.path) : .cannotWrite(path: folder.path, code: EIO),
                message: "cannot make the folder \(folder.path)", hint: "check free space and permissions there")
        }
    }

    /// The relative paths of all files below a folder, sorted by their bytes.
    private static func files(in folder: URL) throws(SealError) -> [String] {
        var found: [String] = []
        var waiting = [""]
        while let below = waiting.popLast() {
            let here = below.isEmpty ? folder.path : folder.path + "/" + below
            let names: [String]
            do {
                names = try FileManager.default.contentsOfDirectory(atPath: here)
            } catch {
                throw SealError(
                    .unfitFolder(path: here), message: "cannot list the folder \(here)", hint: "check that it exists and its permissions")
            }
            for name in names {
                let path = below.isEmpty ? name : below + "/" + name
                guard !name.unicodeScalars.contains(where: { $0.value < 32 || $0 == "\\" || $0 == "\u{7f}" }) else {
                    throw unfit(folder, "a file name in it holds a backslash or a control character")
                }
                var status = stat()
                guard lstat(folder.path + "/" + path, &status) == 0 else {
                    throw unfit(folder, "\(path) went away while it was read, or its name is not UTF-8")
                }
                switch status.st_mode & S_IFMT {
                case S_IFDIR: waiting.append(path)
                case S_IFREG: found.append(path)
                default: throw unfit(folder, "\(path) is neither a file nor a folder")
                }
            }
        }
        return found.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    private static func unfit(_ folder: URL, _ why: String) -> SealError {
        SealError(
            .unfitFolder(path: folder.path), message: "the folder \(folder.path) cannot be digested: \(why)",
            hint: "make the folder hold plain files only, or back it up as a tar")
    }
}

extension Seal.Artifact {
    /// Measures an artifact as it is stored: a file by its bytes, a folder by ``FolderDigest``.
    ///
    /// - Parameter progress: told the bytes read so far, on a queue of the work's.
    public static func measuring(
        _ artifact: URL, progress: @escaping @Sendable (Int64) -> Void = { _ in }
    ) async throws(SealError) -> Seal.Artifact {
        var status = stat()
        if stat(artifact.path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
            let folder = try await FolderDigest.measure(artifact, progress: progress)
            return Seal.Artifact(name: artifact.lastPathComponent, size: folder.size, sha256: folder.sha256)
        }
        do throws(CryptographyError) {
            let file = try await ArtifactStream.copy(from: artifact, to: nil, progress: progress)
            return Seal.Artifact(name: artifact.lastPathComponent, size: file.bytesRead, sha256: file.sha256)
        } catch {
            throw SealError(error)
        }
    }
}
