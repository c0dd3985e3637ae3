// Takes compression and tar off an artifact, until something lies there that a server can be made of.

import ArtifactFormats
import DrillModel
import Foundation
import Glibc
import OutsideTools
import ScratchHost

/// Unpacks with the standard tools, inside the quarantine: a hostile archive meets a user without rights.
struct ArtifactUnpacker: Sendable {
    var host: ScratchHost
    /// Whether a key has opened what is unpacked: with another one it would be noise.
    var isDecrypted: Bool

    /// More layers than these are a bomb or a mistake.
    private static let mostLayers = 4

    /// - Parameter name: The artifact's, for findings.
    func unpack(_ file: URL, of name: String, in folder: URL) async throws -> RetrievedArtifact {
        try await unpack(file, of: name, in: folder, layer: 0)
    }

    /// A script that may be compressed.
    ///
    /// - Returns: It, and whether all of it was under a checksum.
    func unpackScript(_ file: URL, of name: String, in folder: URL) async throws -> (script: URL, isChecked: Bool) {
        let (script, format, _, isChecked) = try await decompress(file, of: name, in: folder, layer: 0) { $0 == .sql }
        guard format == .sql else { throw unknown(name, format, expected: "an SQL script of pg_dumpall") }
        return (script, isChecked)
    }

    /// Any file without its compression.
    func decompressed(_ file: URL, of name: String, in folder: URL) async throws -> RetrievedArtifact {
        let (plain, format, _, _) = try await decompress(file, of: name, in: folder, layer: 0) { _ in true }
        return artifact(plain, format)
    }

    /// What so many bytes of an artifact's beginning hold below their compression, however it goes on.
    func unpackBeginning(_ file: URL, of name: String, in folder: URL, bytes: Int) async throws -> (file: URL, format: ArtifactFormat) {
        var current = file
        var format = ArtifactFormat(head: try head(of: file))
        var layer = 0
        while let decompressor = Decompressor.of(format), layer < Self.mostLayers {
            layer += 1
            let target = file.deletingPathExtension().appendingPathExtension(String(layer))
            try await run(decompressor.beginning(bytes), input: current, output: target, name: name, in: folder)
            try host.folder.own(target)
            current = target
            format = ArtifactFormat(head: try head(of: current))
        }
        return (current, format)
    }

    private func unpack(_ file: URL, of name: String, in folder: URL, layer: Int) async throws -> RetrievedArtifact {
        let (current, format, layer, isChecked) = try await decompress(file, of: name, in: folder, layer: layer, Self.isBackup)
        guard Self.isBackup(format) else { throw unknown(name, format, expected: "a backup") }
        var unpacked = format == .tar ? try await unpackTar(current, of: name, in: folder, layer: layer) : artifact(current, format)
        unpacked.isChecked = unpacked.isChecked || isChecked
        return unpacked
    }

    private static func isBackup(_ format: ArtifactFormat) -> Bool {
        [.tar, .postgresArchive, .rdb, .appendOnly, .sql].contains(format)
    }

    /// - Parameter wanted: What may lie below the compression: anything else is not unpacked.
    /// - Returns: The innermost file, and whether all of it was under a checksum on the way.
    private func decompress(
        _ file: URL, of name: String, in folder: URL, layer: Int, _ wanted: (ArtifactFormat) -> Bool
    ) async throws -> (file: URL, format: ArtifactFormat, layer: Int, isChecked: Bool) {
        var current = file
        var layer = layer
        var isChecked = false
        var head = try head(of: current)
        while let decompressor = Decompressor.of(ArtifactFormat(head: head)) {
            layer += 1
            guard layer <= Self.mostLayers else { throw broken(name, "it is packed more than \(Self.mostLayers) times over") }
            isChecked = isChecked || ArtifactFormat.hasContentChecksum(head)
            let below = ArtifactFormat(head: try await peek(current, by: decompressor, in: folder))
            if !wanted(below), Decompressor.of(below) == nil, below != .empty {
                try await requireSound(current, of: name, by: decompressor, in: folder)
                throw unknown(name, below, expected: "a backup")
            }
            let target = file.deletingPathExtension().appendingPathExtension(String(layer))
            try await run(decompressor.command, input: current, output: target, name: name, in: folder)
            try FileManager.default.removeItem(at: current)
            try host.folder.own(target)
            current = target
            head = try self.head(of: current)
        }
        return (current, ArtifactFormat(head: head), layer, isChecked)
    }

    /// The first bytes below a compression: what goes on for gigabytes behind them is not unpacked for their sake.
    private func peek(_ file: URL, by decompressor: Decompressor, in folder: URL) async throws -> [UInt8] {
        let target = folder.appendingPathComponent("peek")
        defer { try? FileManager.default.removeItem(at: target) }
        try await run(
            decompressor.beginning(ArtifactFormat.bytesNeeded), input: file, output: target, name: file.lastPathComponent, in: folder)
        return try head(of: target)
    }

    /// Damage near the beginning looks like a file of no known kind; its own tool knows better.
    private func requireSound(_ file: URL, of name: String, by decompressor: Decompressor, in folder: URL) async throws {
        try await run(
            decompressor.beginning(Self.judgedBytes), input: file, output: URL(fileURLWithPath: "/dev/null"), name: name, in: folder)
        let errors = folder.appendingPathComponent("unpack.log")
        let said = String(decoding: UnlinkedFile.data(errors, upTo: 4096), as: UTF8.self)
        guard said.isEmpty || said.contains("roken pipe") else { throw try failure(errors, name: name, program: decompressor.program) }
    }

    private static let judgedBytes = 64 << 20

    /// A tar is left as it is where pg_restore reads it itself; any other is unpacked.
    private func unpackTar(_ file: URL, of name: String, in folder: URL, layer: Int) async throws -> RetrievedArtifact {
        guard layer < Self.mostLayers else { throw broken(name, "it is packed more than \(Self.mostLayers) times over") }
        // A file rather than memory: a dump with many large objects lists millions of names.
        let list = folder.appendingPathComponent("tar.list")
        defer { try? FileManager.default.removeItem(at: list) }
        try await run(Tar.names(of: file), input: nil, output: list, name: name, in: folder)
        let names = try String(decoding: Data(contentsOf: list, options: .mappedIfSafe), as: UTF8.self).split(separator: "\n")
        // Only `pg_dump -Ft` itself writes both of these; a tar of its folder format has no script.
        if names.first == "toc.dat", names.contains("restore.sql") { return artifact(file, .tar) }
        guard !names.contains(where: Self.leadsOut) else { throw broken(name, "it holds names that lead out of its folder") }
        // Making so many files takes minutes: not for something that none of them belongs to.
        guard names.count <= Self.mostForeignNames || names.contains(where: Self.tellsBackup) else {
            let expected = "a folder of pg_dump's or of a Redis, or one file of theirs"
            guard let strange = StrangeTree(names: names) else { throw unknown(name, .tar, expected: expected) }
            throw DrillFailure.failed(
                Finding(
                    .artifactUnknown, object: name, expected: expected, actual: strange.what,
                    message: "the file is no backup of a kind that is known", hint: strange.hint))
        }

        let target = folder.appendingPathComponent("unpacked\(layer)", isDirectory: true)
        try FileManager.default.createDirectory(at: target, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        try host.folder.own(target)
        try await run(Tar.extraction(of: file, into: target), input: nil, output: nil, name: name, in: folder)
        try FileManager.default.removeItem(at: file)
        // A folder that its owner may not enter could be neither read nor removed.
        try await run(["chmod", "-R", "u+rwX", target.path], input: nil, output: nil, name: name, in: folder)
        guard holdsPlainFilesOnly(target) else { throw broken(name, "it holds links or devices") }
        let content = Self.content(of: target)
        guard content.isFolder else { return try await unpack(content.location, of: name, in: folder, layer: layer + 1) }
        let size = Self.size(of: content.location)
        return RetrievedArtifact(
            location: content.location, format: .unknown, isFolder: true, globals: nil, storedSHA256: "", storedBytes: 0, plainBytes: size)
    }

    private static let mostForeignNames = 1000

    /// Whether a name is one without which no folder of many files is a backup.
    private static func tellsBackup(_ name: Substring) -> Bool {
        name == "toc.dat" || name.hasSuffix("/toc.dat") || [".manifest", ".aof", ".rdb"].contains { name.hasSuffix($0) }
    }

    private static func leadsOut(_ name: Substring) -> Bool {
        name.hasPrefix("/") || name.split(separator: "/").contains("..")
    }

    /// A link inside a backup could point anywhere on this machine.
    private func holdsPlainFilesOnly(_ folder: URL) -> Bool {
        guard let walk = FileManager.default.enumerator(atPath: folder.path) else { return false }
        while let path = walk.nextObject() as? String {
            var info = stat()
            guard lstat(folder.path + "/" + path, &info) == 0, [S_IFREG, S_IFDIR].contains(info.st_mode & S_IFMT) else { return false }
        }
        return true
    }

    /// A tar of `dump/…` or `./…` has its content one or more folders down; a tar of one file is that file.
    private static func content(of folder: URL) -> (location: URL, isFolder: Bool) {
        var current = folder
        for _ in 0..<4 {
            let names = ((try? FileManager.default.contentsOfDirectory(atPath: current.path)) ?? []).filter { !$0.hasPrefix(".") }
            guard names.count == 1, let only = names.first else { break }
            let next = current.appendingPathComponent(only)
            guard (try? next.resourceValues(forKeys: [.isDirectoryKey]).isDirectory) == true else { return (next, false) }
            current = next
        }
        return (current, true)
    }

    private static func size(of item: URL) -> Int64 {
        var info = stat()
        guard lstat(item.path, &info) == 0 else { return 0 }
        guard info.st_mode & S_IFMT == S_IFDIR else { return Int64(info.st_size) }
        return ((try? FileManager.default.contentsOfDirectory(atPath: item.path)) ?? []).reduce(0) {
            $0 + size(of: item.appendingPathComponent($1))
        }
    }

    private func artifact(_ file: URL, _ format: ArtifactFormat) -> RetrievedArtifact {
        RetrievedArtifact(
            location: file, format: format, isFolder: false, globals: nil, storedSHA256: "", storedBytes: 0, plainBytes: Self.size(of: file)
        )
    }

    /// Runs a tool; what it leaves half done is removed.
    private func run(_ command: [String], input: URL?, output: URL?, name: String, in folder: URL) async throws {
        let errors = folder.appendingPathComponent("unpack.log")
        do {
            let result = try await host.run(command, input: input, output: output, errors: errors)
            guard result.succeeded else { throw try failure(errors, name: name, program: command[0]) }
        } catch {
            if let output, output.path != "/dev/null" { try? FileManager.default.removeItem(at: output) }
            guard let error = error as? ScratchError else { throw error }
            throw DrillFailure.error(
                error.kind == .diskFull ? diskFull : Finding(.scratchUnusable, object: command[0], message: error.message, hint: error.hint)
            )
        }
    }

    private var diskFull: Finding {
        Finding(
            .scratchDiskFull, object: host.folder.url.path, expected: "room for the unpacked backup", actual: "a full disk",
            message: "the scratch disk is full", hint: "free some space there, or choose another disk with --scratch")
    }

    private func failure(_ log: URL, name: String, program: String) throws -> DrillFailure {
        let text = String(decoding: UnlinkedFile.data(log, upTo: 4096), as: UTF8.self)
        if text.contains("No space left") || host.folder.isFull { return .error(diskFull) }
        let cut = Decompressor.saysCut(text)
        return .failed(
            Finding(
                cut ? .artifactTruncated : .artifactUnreadable, object: name, expected: "a file that \(program) can unpack",
                actual: cut ? "a cut file" : "a damaged file", message: "\(program) can't unpack the stored file",
                hint: "compare its size with the backup job's log, and fetch another copy"))
    }

    private func unknown(_ name: String, _ format: ArtifactFormat, expected: String) -> DrillFailure {
        if let encryption = format.encryption {
            return .failed(
                Finding(
                    .artifactUnknown, object: name, expected: expected, actual: format.rawValue,
                    message:
                        "what lies below \(isDecrypted ? "its encryption" : "its compression") is encrypted, which no key of the estate file is for",
                    hint: "have the backup job compress first and encrypt then, with \(encryption) and once; restore this one by hand"))
        }
        if format == .utf16 { return .failed(.utf16(name, expected: expected)) }
        if format == .dumpMessages { return .failed(.messagesInDump(name, actual: format.rawValue)) }
        return .failed(
            Finding(
                .artifactUnknown, object: name, expected: expected, actual: format.rawValue,
                message: "the file is no backup of a kind that is known", hint: Finding.strangerHint(isDecrypted: isDecrypted)))
    }

    private func broken(_ name: String, _ what: String) -> DrillFailure {
        .failed(
            Finding(
                .artifactUnreadable, object: name, expected: "a backup", actual: what, message: "the stored file is not trustworthy",
                hint: "find out what wrote it before anything unpacks it"))
    }

    private func head(of file: URL) throws -> [UInt8] {
        let handle = try FileHandle(forReadingFrom: file)
        defer { try? handle.close() }
        return Array(try handle.read(upToCount: ArtifactFormat.bytesNeeded) ?? Data())
    }
}

extension Rule {
    static let artifactUTF16 = Rule("artifact-utf-16")
}

extension Finding {
    /// What no tool of PostgreSQL's reads.
    fileprivate static func utf16(_ name: String, expected: String) -> Finding {
        Finding(
            .artifactUTF16, object: name, expected: expected, actual: ArtifactFormat.utf16.rawValue,
            message: "the dump went through a program that writes UTF-16, which neither psql nor pg_restore reads",
            hint: """
                let pg_dump write the file itself (-f FILE), or redirect by cmd /c; of this one a script comes back by iconv -f UTF-16 -t UTF-8, \
                though letters beyond ASCII may be lost, and an archive does not
                """)
    }
}
