import DrillModel
import Foundation
import Seals
import Testing

@Suite("folder digests")
struct FolderDigestTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        try folder.write("toc.dat", "contents")
        try folder.write("a/b", "1")
        try folder.write("a.txt", "2")
        try folder.write("A", "3")
        try folder.write("ä", "")
    }

    @Test("it is what the coreutils give")
    func coreutils() async throws {
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = [
            "-c", #"find . -type f -printf '%P\0' | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum"#,
        ]
        process.currentDirectoryURL = folder.url
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let theirs = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        let ours = try await FolderDigest.measure(folder.url)
        #expect(theirs.hasPrefix(ours.sha256 + " "))
        #expect(ours.size == 11)
        let artifact = try await Seal.Artifact.measuring(folder.url)
        #expect(artifact == Seal.Artifact(name: folder.url.lastPathComponent, size: 11, sha256: ours.sha256))
    }

    @Test("content, name and presence of every file count")
    func changes() async throws {
        let before = try await FolderDigest.measure(folder.url).sha256
        var seen: Set<String> = [before]
        try folder.write("a/b", "2")
        seen.insert(try await FolderDigest.measure(folder.url).sha256)
        try folder.write("a/b", "1")
        try folder.write("a/c", "")
        seen.insert(try await FolderDigest.measure(folder.url).sha256)
        try FileManager.default.removeItem(at: folder.url.appending(path: "a/c"))
        #expect(try await FolderDigest.measure(folder.url).sha256 == before)
        try FileManager.default.moveItem(at: folder.url.appending(path: "A"), to: folder.url.appending(path: "B"))
        seen.insert(try await FolderDigest.measure(folder.url).sha256)
        #expect(seen.count == 4)
    }

    @Test("links, unclear names, empty and missing folders are refused")
    func refused() async throws {
        let empty = try TemporaryFolder()
        await #expect(throws: SealError.self) { try await FolderDigest.measure(empty.url) }
        await #expect(throws: SealError.self) { try await FolderDigest.measure(empty.url.appending(path: "missing")) }
        try FileManager.default.createSymbolicLink(
            at: empty.url.appending(path: "link"), withDestinationURL: folder.url.appending(path: "A"))
        await #expect(throws: SealError.self) { try await FolderDigest.measure(empty.url) }
        try folder.write("line\nbreak", "")
        await #expect(throws: SealError.self) { try await FolderDigest.measure(folder.url) }
    }

    @Test("a file is measured by its bytes")
    func file() async throws {
        let artifact = try await Seal.Artifact.measuring(folder.url.appending(path: "A"))
        #expect(artifact.size == 1)
        #expect(artifact.sha256 == "4e07408562bedb8b60ce05c1decfe3ad16b72230967de01f640b7e4729b49fce")
    }
}
