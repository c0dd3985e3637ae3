// What a backup begins with is known, and noise isn't.

import ArtifactFormats
import Foundation
import Testing

@Suite struct KnownBeginningTests {
    @Test(arguments: [
        "PGDMP\u{1}\u{0e}\u{0}\u{4}\u{8}\u{1}\u{1}\u{1}\u{0}\u{0}\u{0}", "REDIS0010\u{fa}redis-ver", "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n",
        "#TS:1795974976\r\n*2\r\n", "--\n-- PostgreSQL database dump\n--\n", "DATABASE_URL=postgresql://db/shop\n", "# v2 git bundle\n",
        "{ \"PostgreSQL-Backup-Manifest-Version\": 1,\n",
    ])
    func contentIsKnown(text: String) {
        #expect(KnownBeginning.holds(Array(text.utf8)))
    }

    @Test(arguments: [
        ["gzip", "-c"], ["zstd", "-qc"], ["xz", "-c"], ["bzip2", "-c"], ["lz4", "-qc"], ["tar", "-cf", "-", "/etc/hostname"],
    ])
    func whatToolsWriteIsKnown(command: [String]) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = command
        let (input, output) = (Pipe(), Pipe())
        (process.standardInput, process.standardOutput, process.standardError) = (input, output, FileHandle.nullDevice)
        try process.run()
        try? input.fileHandleForWriting.write(contentsOf: Data("CREATE TABLE public.orders(id bigint, total numeric);\n".utf8))
        try? input.fileHandleForWriting.close()
        let made = try output.fileHandleForReading.readToEnd() ?? Data()
        #expect(KnownBeginning.holds(Array(made.prefix(64))), "\(command)")
    }

    @Test func noiseIsNot() {
        var state: UInt64 = 7
        func byte() -> UInt8 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 33)
        }
        for magic in [[], [0x1f, 0x8b], [0x42, 0x5a, 0x68], [0x41], [0x41, 0x42, 0x43, 0x44]] as [[UInt8]] {
            for _ in 0..<4000 { #expect(!KnownBeginning.holds(magic + (0..<62).map { _ in byte() })) }
        }
        #expect(!KnownBeginning.holds([]) && !KnownBeginning.holds(Array("short".utf8)))
    }
}
