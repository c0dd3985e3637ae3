// The beginning of an artifact, opened with its key and unpacked, while the rest stays unread: for those who only look.

public import ArtifactFormats
import Cryptography
public import DrillModel
public import Foundation

/// What an artifact begins with, on the scratch disk.
public struct ArtifactBeginning: Sendable {
    public var location: URL
    /// What lies below its encryption and compression.
    public var format: ArtifactFormat
    public var isFolder: Bool
    /// Whether it is all of the artifact, read to its end as a drill would.
    public var isWhole: Bool
    /// Where it is whole: bytes below encryption and compression.
    public var plainBytes: Int64?
}

extension ArtifactRetriever {
    /// As much as tells what a large artifact is; a smaller one is read as a whole. A table of contents of some ten thousand tables fits.
    public static let beginning = 8 << 20

    /// Opens an artifact without reading all of it.
    ///
    /// - Parameter folder: A private folder of the host's.
    /// - Throws: As ``retrieve(_:into:progress:)``. That the rest is whole nobody has asked then.
    public func beginning(of point: RecoveryPoint, into folder: URL) async throws -> ArtifactBeginning {
        let isFolder = (try? point.location.resourceValues(forKeys: [.isDirectoryKey]).isDirectory) ?? false
        let toc = point.location.appendingPathComponent("toc.dat")
        if isFolder, decryption == nil, FileManager.default.fileExists(atPath: toc.path) {
            let target = folder.appendingPathComponent("artifact", isDirectory: true)
            try FileManager.default.createDirectory(at: target, withIntermediateDirectories: true)
            let copy = target.appendingPathComponent("toc.dat")
            try FileManager.default.copyItem(at: toc, to: copy)
            for item in [target, copy] { try own(item) }
            return ArtifactBeginning(location: target, format: .unknown, isFolder: true, isWhole: false)
        }
        if isFolder || point.size <= Self.beginning {
            let whole = try await retrieve(point, into: folder) { _ in }
            return ArtifactBeginning(
                location: whole.location, format: whole.format, isFolder: whole.isFolder, isWhole: true, plainBytes: whole.plainBytes)
        }
        // Without its seal: to hold it against that, all of it would have to be read.
        var unsealed = point
        unsealed.sealState = .missing
        try await requireDeclaredForm(of: point.location, point: unsealed, in: folder)
        let plain = folder.appendingPathComponent("artifact")
        do {
            try await openBeginning(of: point, to: plain, in: folder)
        } catch let error as CryptographyError {
            throw failure(of: error, name: point.location.lastPathComponent, point: point, source: point.location)
        }
        try own(plain)
        let (file, format) = try await ArtifactUnpacker(host: host, isDecrypted: decryption != nil)
            .unpackBeginning(plain, of: point.path, in: folder, bytes: Self.beginning)
        // Noise of a cipher without a checksum: what another derivation makes of it may be something.
        if format == .unknown, let cause = try await cause(of: point.location, name: point.path, isCut: true) { throw cause }
        return ArtifactBeginning(location: file, format: format, isFolder: false, isWhole: false)
    }

    private func openBeginning(of point: RecoveryPoint, to plain: URL, in folder: URL) async throws {
        let stored = try ArtifactStream.head(of: point.location, count: Self.beginning)
        guard let decryption else { return try Data(stored).write(to: plain) }
        guard decryption.needsProgram else {
            // Never finished: only the end could say whether it is whole.
            return try Data(try decryption.decryptor().update(stored)).write(to: plain)
        }
        let cut = folder.appendingPathComponent("beginning")
        try Data(stored).write(to: cut)
        defer { try? FileManager.default.removeItem(at: cut) }
        _ = try await ProgramDecryption(host: host, encryption: decryption).copy(from: cut, to: plain, isCut: true) { _ in }
    }
}
