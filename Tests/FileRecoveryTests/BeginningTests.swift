// What a large artifact tells by its beginning, in every format, with its rest unread.

import ArtifactFormats
import Cryptography
import DrillModel
import FileRecovery
import Foundation
import Testing

@Suite struct BeginningTests {
    /// Larger than what is read of it in every format; no compressor makes much of it.
    private static let large: [UInt8] = {
        let noise = try? FileHandle(forReadingFrom: URL(fileURLWithPath: "/dev/urandom")).read(upToCount: 12 << 20)
        return script(0) + (noise?.base64EncodedData() ?? Data())
    }()

    private func beginning(
        _ fixture: Fixture, _ name: String, _ key: ArtifactStream.Encryption? = nil
    ) async throws -> ArtifactBeginning {
        try await ArtifactRetriever(host: fixture.host, decryption: key).beginning(of: try await fixture.point(name), into: fixture.target)
    }

    private func expectBeginning(_ opened: ArtifactBeginning) throws {
        #expect(opened.format == .sql && !opened.isWhole && opened.plainBytes == nil)
        let bytes = try Data(contentsOf: opened.location)
        // Not the arrays themselves: a failure would print them. Where the file was cut, gpg writes some noise behind what it could read.
        let isPrefix = bytes.prefix(1 << 20).elementsEqual(Self.large.prefix(1 << 20))
        #expect(isPrefix && bytes.count < Self.large.count, "\(bytes.count)")
    }

    @Test(arguments: Sample.all)
    func eachFormatOpens(sample: Sample) async throws {
        try await Fixture.with { fixture in
            let keys = try sample.make(on: fixture, plain: Self.large)
            try expectBeginning(try await beginning(fixture, "a.enc", keys.right))
            await #expect {
                _ = try await beginning(fixture, "a.enc", keys.wrong)
            } throws: { ($0 as? DrillFailure)?.finding.rule.name == "decryption-failed" }
        }
    }

    @Test func compressedOpensslAndPlain() async throws {
        try await Fixture.with { fixture in
            try fixture.file("a.sql", Self.large)
            try fixture.shell("gzip -k a.sql; zstd -q a.sql")
            for name in ["a.sql", "a.sql.gz", "a.sql.zst"] {
                try expectBeginning(try await beginning(fixture, name))
                try fixture.encrypt(name, as: "a.enc")
                try expectBeginning(try await beginning(fixture, "a.enc", Fixture.key))
            }
            // A block cipher without a checksum: what a wrong key makes of it is noise, and never a dump.
            let noise = try await beginning(fixture, "a.enc", ArtifactStream.Encryption(passphrase: Secret("battery staple")))
            #expect(noise.format == .unknown)
            // Declared otherwise than stored is told as in a drill.
            for (name, key, rule) in [("a.sql", Fixture.key, "artifact-not-encrypted"), ("a.enc", nil, "artifact-still-encrypted")] {
                await #expect {
                    _ = try await beginning(fixture, name, key)
                } throws: { ($0 as? DrillFailure)?.finding.rule.name == rule }
            }
        }
    }

    /// A small one is read to its end, so that a cut is noticed.
    @Test func smallOnesAreReadAsAWhole() async throws {
        try await Fixture.with { fixture in
            try fixture.file("a.sql", script(3000))
            try fixture.shell("gzip -k a.sql; head -c 1000 a.sql.gz > cut.sql.gz")
            let opened = try await beginning(fixture, "a.sql.gz")
            #expect(opened.isWhole && opened.plainBytes == 3035, "\(opened)")
            await #expect(throws: DrillFailure.self) { _ = try await beginning(fixture, "cut.sql.gz") }
        }
    }
}
