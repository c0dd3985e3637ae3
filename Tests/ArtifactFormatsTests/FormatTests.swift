// What a file is, by its first bytes; heads of archives and snapshots, whole and damaged.

import ArtifactFormats
import Foundation
import Testing

/// A custom archive's head as pg_dump 15 writes it.
func archiveHead(
    version: [UInt8] = [1, 14, 0], layout: UInt8 = 1, second: Int = 7, month: Int = 2, server: String = "15.4", database: String = "shop"
) -> [UInt8] {
    func integer(_ value: Int) -> [UInt8] { [0] + (0..<4).map { UInt8(value >> ($0 * 8) & 0xff) } }
    func string(_ text: String) -> [UInt8] { integer(text.utf8.count) + Array(text.utf8) }
    var bytes = Array("PGDMP".utf8) + version + [4, 8, layout]
    bytes += (version[0], version[1]) >= (1, 15) ? [1] : integer(-1 & 0xff)
    for number in [second, 30, 2, 14, month, 126, 0] { bytes += integer(number) }
    return bytes + string(database) + string(server) + string("15.4 (Debian 15.4-1)") + Array(repeating: 0, count: 64)
}

@Suite struct FormatTests {
    @Test(arguments: [
        ("Salted__xxxxxxxx", ArtifactFormat.opensslEncrypted), ("PGDMP\u{1}", .postgresArchive), ("REDIS0010", .rdb),
        ("BZh91", .bzip2), ("--\n-- PostgreSQL database dump\n--\n", .sql), ("--\n-- PostgreSQL database cluster dump\n--\n", .sql),
        ("", .empty), ("hello", .unknown), ("Salted_", .unknown),
    ])
    func textHeads(_ text: String, _ format: ArtifactFormat) {
        #expect(ArtifactFormat(head: Array(text.utf8)) == format)
    }

    @Test(arguments: [
        ([0x1f, 0x8b, 8], ArtifactFormat.gzip), ([0x28, 0xb5, 0x2f, 0xfd], .zstd), ([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0], .xz),
        ([0x04, 0x22, 0x4d, 0x18], .lz4), ([0x1f], .unknown),
    ])
    func binaryHeads(_ bytes: [UInt8], _ format: ArtifactFormat) {
        #expect(ArtifactFormat(head: bytes) == format)
    }

    @Test(arguments: [
        ([0x30, 0x80, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x03, 0xa0], ArtifactFormat.cmsEnveloped),
        ([0x30, 0x82, 9, 9, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x03], .cmsEnveloped),
        ([0x30, 0x80, 0x06, 0x0b, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x17], .cmsAuthenticated),
        // Signed data is a CMS file too, and no envelope.
        ([0x30, 0x80, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02, 0xa0], .unknown),
        ([0x30, 0xff], .unknown),
        ([0x85, 0x01, 0x8c, 3, 1, 2, 3, 4, 5, 6, 7, 8, 1, 0], .gpg), ([0xc1, 0xc0, 0x4c, 3, 1, 2, 3, 4, 5, 6, 7, 8, 18, 0], .gpg),
        ([0x8c, 0x0d, 4, 9, 3, 2, 1, 2, 3, 4, 5, 6, 7, 8], .gpg),
        // A PGP signature, a public key, and bytes that only look a little like a message.
        ([0x88, 0x5e, 4, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1], .unknown), ([0x99, 1, 0x0d, 4, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1], .unknown),
        ([0x85, 0x01, 0x8c, 9, 1, 2, 3, 4, 5, 6, 7, 8, 1, 0], .unknown),
    ])
    func encryptedHeads(_ bytes: [UInt8], _ format: ArtifactFormat) {
        #expect(ArtifactFormat(head: bytes) == format)
    }

    @Test(arguments: [
        ("age-encryption.org/v1\n-> X25519 x\n", ArtifactFormat.age), ("-----BEGIN AGE ENCRYPTED FILE-----\n", .age),
        ("-----BEGIN PGP MESSAGE-----\n", .gpg), ("-----BEGIN CMS-----\n", .cmsText),
        ("MIME-Version: 1.0\nContent-Disposition: attachment; filename=\"smime.p7m\"\nContent-Type: application/pkcs7-mime\n", .cmsText),
        ("-----BEGIN PGP PUBLIC KEY BLOCK-----\n", .unknown), ("MIME-Version: 1.0\nContent-Type: text/plain\n", .unknown),
    ])
    func encryptedText(_ text: String, _ format: ArtifactFormat) {
        #expect(ArtifactFormat(head: Array(text.utf8)) == format)
    }

    /// The same armor holds what is only signed, or only compressed: the packets behind it tell, where a whole line of them is there.
    @Test func armorAloneIsNoEncryption() {
        func armored(_ label: String, _ bytes: [UInt8], header: String = "", line: String = "\n") -> [UInt8] {
            let body = Data(bytes + [UInt8](repeating: 7, count: 96)).base64EncodedString()
            let lines = stride(from: 0, to: body.count, by: 64).map { String(body.dropFirst($0).prefix(64)) }
            return Array((["-----BEGIN \(label)-----"] + [header] + lines + ["-----END"]).joined(separator: line).utf8)
        }
        let encrypted: [UInt8] = [0x85, 0x01, 0x8c, 3, 1, 2, 3, 4, 5, 6, 7, 8, 1, 0]
        // A one-pass signature, compressed data, and literal data.
        for plain in [[0x90, 0x0d, 3, 0, 8, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1], [0xa3, 1, 5, 5], [0xcb, 0x0f, 0x62, 0]] as [[UInt8]] {
            #expect(ArtifactFormat(head: armored("PGP MESSAGE", plain)) == .unknown)
        }
        #expect(ArtifactFormat(head: armored("PGP MESSAGE", encrypted)) == .gpg)
        #expect(ArtifactFormat(head: armored("PGP MESSAGE", encrypted, header: "Comment: a night's dump\r\n", line: "\r\n")) == .gpg)
        let oid: [UInt8] = [0x30, 0x80, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07]
        for label in ["CMS", "PKCS7"] {
            #expect(ArtifactFormat(head: armored(label, oid + [3, 0xa0])) == .cmsText)
            #expect(ArtifactFormat(head: armored(label, oid + [2, 0xa0])) == .unknown, "signed")
        }
        let mail = "MIME-Version: 1.0\nContent-Type: application/pkcs7-mime; smime-type=signed-data; name=\"smime.p7m\"\n\n"
        #expect(ArtifactFormat(head: Array(mail.utf8) + armored("x", oid + [2, 0xa0]).drop { $0 != 0x0a }) == .unknown)
    }

    @Test(arguments: [(0xff, 0xfe), (0xfe, 0xff)] as [(UInt8, UInt8)]) func aDumpInUTF16(_ first: UInt8, _ second: UInt8) {
        func wide(_ text: String) -> [UInt8] { [first, second] + text.utf8.flatMap { first == 0xff ? [$0, 0] : [0, $0] } }
        #expect(ArtifactFormat(head: wide("--\r\n-- PostgreSQL database dump\r\n--\r\n")) == .utf16)
        #expect(ArtifactFormat(head: wide("PGDMP\u{1}\u{e}")) == .utf16)
        #expect(ArtifactFormat(head: wide("Dear diary")) == .unknown)
    }

    @Test func aTarIsKnownByItsMagic() {
        var head = [UInt8](repeating: 0, count: 512)
        head.replaceSubrange(257..<262, with: Array("ustar".utf8))
        #expect(ArtifactFormat(head: head) == .tar)
        #expect(ArtifactFormat(head: Array(head.prefix(261))) == .unknown)
    }
}

@Suite struct ArchiveHeaderTests {
    @Test func readsInstantAndVersions() throws {
        let header = try #require(ArchiveHeader(archiveHead(), timeZone: .gmt))
        #expect(header.created == Date(timeIntervalSince1970: 1_773_455_407))
        #expect(header.database == "shop")
        #expect(header.serverMajor == 15)
        #expect(header.archiveVersion == "1.14")
        #expect(header.layout == .custom)
        #expect(header.compression == .gzip)
    }

    @Test func theClockOfTheDumpingMachineCounts() throws {
        let india = try #require(TimeZone(identifier: "Asia/Kolkata"))
        let here = try #require(ArchiveHeader(archiveHead(), timeZone: .gmt))
        let there = try #require(ArchiveHeader(archiveHead(), timeZone: india))
        #expect(here.created.timeIntervalSince(there.created) == 5.5 * 3600)
    }

    @Test func newerArchivesNameTheirCompressionByOneByte() throws {
        let header = try #require(ArchiveHeader(archiveHead(version: [1, 16, 0], server: "17.2"), timeZone: .gmt))
        #expect(header.serverMajor == 17)
        #expect(header.compression == .gzip && header.compression?.isChecked == true)
    }

    @Test func everyCutAndEveryFlippedByteIsSurvived() {
        let whole = archiveHead()
        for count in 0..<(whole.count - 64) { #expect(ArchiveHeader(Array(whole.prefix(count)), timeZone: .gmt) == nil, "cut at \(count)") }
        for index in whole.indices {
            var bytes = whole
            bytes[index] ^= 0xff
            _ = ArchiveHeader(bytes, timeZone: .gmt)
        }
    }

    @Test func anImpossibleDateIsADamagedHead() {
        #expect(ArchiveHeader(archiveHead(month: 12), timeZone: .gmt) == nil)
        #expect(ArchiveHeader(archiveHead(second: 61), timeZone: .gmt) == nil)
        #expect(ArchiveHeader(archiveHead(second: 60), timeZone: .gmt) != nil)
    }
}

@Suite struct RDBHeaderTests {
    private static let head: [UInt8] =
        Array("REDIS0010".utf8) + [0xfa, 9] + Array("redis-ver".utf8) + [6] + Array("7.0.15".utf8)
        + [0xfa, 5] + Array("ctime".utf8) + [0xc2, 0x00, 0x10, 0x20, 0x60]

    @Test func readsVersionAndInstant() throws {
        let header = try #require(RDBHeader(Self.head + [0xfe, 0]))
        #expect(header.formatVersion == 10)
        #expect(header.serverVersion == "7.0.15")
        #expect(header.created == Date(timeIntervalSince1970: 0x6020_1000))
    }

    @Test func aFieldThatCantBeReadLeavesTheOnesBefore() throws {
        // 0xc3 opens a compressed string, which this reader doesn't take apart.
        let header = try #require(RDBHeader(Self.head + [0xfa, 7] + Array("repl-id".utf8) + [0xc3, 0x10, 0x28]))
        #expect(header.created == Date(timeIntervalSince1970: 0x6020_1000))
    }

    @Test(arguments: ["", "REDIS00", "REDISxxxx", "REDIS+010", "PGDMP0010"])
    func anythingElseIsNone(_ text: String) {
        #expect(RDBHeader(Array(text.utf8)) == nil)
    }

    @Test func everyFlippedByteIsSurvived() {
        for index in Self.head.indices {
            var bytes = Self.head
            bytes[index] ^= 0xff
            _ = RDBHeader(bytes)
        }
    }
}
