// Append-only files and their manifests, by their bytes.

import ArtifactFormats
import Foundation
import Testing

@Suite struct AppendOnlyTextTests {
    @Test(arguments: [
        ("*2\r\n$6\r\nSELECT\r\n", ArtifactFormat.appendOnly), ("#TS:1795974976\r\n*1\r\n", .appendOnly), ("*2\n$6", .unknown),
        ("* a list\n", .unknown), ("*12", .unknown), ("#TS:", .unknown), ("VALKEY080\u{7f}", .rdb), ("VALKEY08", .unknown),
        ("VALKEYRING", .unknown),
    ])
    func firstBytes(_ text: String, _ format: ArtifactFormat) {
        #expect(ArtifactFormat(head: Array(text.utf8)) == format)
    }

    @Test func theLastTimeCounts() {
        func time(_ text: String) -> Double? { AppendOnlyText.lastTime(in: Array(text.utf8))?.timeIntervalSince1970 }
        let set = "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\nb\r\n"
        #expect(time("#TS:1795974976\r\n" + set) == 1_795_974_976)
        #expect(time(set + "#TS:1795974976\r\n" + set + "#TS:1795974980\r\n" + set) == 1_795_974_980)
        #expect(time(set + "#TS:1795974976\r\n") == 1_795_974_976)
        // In a value: no command follows it.
        #expect(time("#TS:1795974976\r\n*3\r\n$3\r\nSET\r\n$1\r\na\r\n$20\r\nx\r\n#TS:1895974976\r\nxx\r\n") == 1_795_974_976)
        for text in ["", "#TS", set, "x#TS:1795974976\r\n"] { #expect(time(text) == nil) }
    }

    @Test func whatASnapshotGoesOnWith() {
        let snapshot = Array("REDIS0009 and some data".utf8) + [0xff, 1, 2, 3, 4, 5, 6, 7, 8]
        #expect(!AppendOnlyText.follows(aSnapshotEndingWith: snapshot))
        #expect(AppendOnlyText.follows(aSnapshotEndingWith: snapshot + Array("*1\r\n$4\r\nPING\r\n".utf8)))
        // A checksum may end as a line does.
        #expect(!AppendOnlyText.follows(aSnapshotEndingWith: [0xff, 1, 2, 3, 4, 5, 6, 0x0d, 0x0a]))
    }
}

@Suite struct AppendOnlyManifestTests {
    private func read(_ text: String) -> [AppendOnlyManifest.Part]? { AppendOnlyManifest(Array(text.utf8))?.parts }

    @Test func everyFormThatServersWrite() throws {
        let parts = try #require(
            read(
                """
                # a comment
                file appendonly.aof.2.base.rdb seq 2 type b
                file appendonly.aof.1.incr.aof seq 1 type h
                file appendonly.aof.2.incr.aof seq 2 type i startoffset 3 endoffset 4

                """))
        #expect(parts.map(\.kind) == [.base, .history, .increment] && parts.map(\.sequence) == [2, 1, 2])
        #expect(parts.map(\.name) == ["appendonly.aof.2.base.rdb", "appendonly.aof.1.incr.aof", "appendonly.aof.2.incr.aof"])
    }

    @Test(arguments: [
        (#""my data.aof.1.base.rdb""#, "my data.aof.1.base.rdb"), (#""z\xc3\xa4hler.aof""#, "z\u{e4}hler.aof"),
        (#""a\"b\\c\td""#, "a\"b\\c\td"), (#"'it\'s one'"#, "it's one"), ("\"a\\qb\"", "aqb"),
    ])
    func quotedNames(_ quoted: String, _ name: String) {
        #expect(read("file \(quoted) seq 1 type b\r\n")?.map(\.name) == [name])
    }

    @Test(arguments: [
        "file a seq 1", "file a seq x type b", "file a seq 1 type z", "file \"a seq 1 type b", "file \"a\"b seq 1 type b",
        "file ../a seq 1 type b", "file a seq 1 type", "seq 1 type b", "junk",
    ])
    func whatNoServerTakes(_ line: String) {
        #expect(read(line) == nil)
    }

    @Test func anEmptyOneNamesNothing() {
        #expect(read("")?.isEmpty == true)
    }
}

@Suite struct ValkeyHeaderTests {
    private func head(_ magic: String, _ field: String) -> [UInt8] {
        Array(magic.utf8) + [0xfa, UInt8(field.utf8.count)] + Array(field.utf8) + [5] + Array("9.1.2".utf8)
            + [0xfa, 5] + Array("ctime".utf8) + [0xc2, 0x00, 0x10, 0x20, 0x60, 0xfe, 0]
    }

    @Test func bothMagics() throws {
        let valkey = try #require(RDBHeader(head("VALKEY080", "valkey-ver")))
        #expect(valkey.formatVersion == 80 && valkey.isValkey == true && valkey.serverVersion == "9.1.2")
        #expect(valkey.created == Date(timeIntervalSince1970: 0x6020_1000))
        // Valkey 8 wrote the other one.
        #expect(RDBHeader(head("REDIS0011", "valkey-ver"))?.isValkey == true)
        #expect(RDBHeader(head("REDIS0011", "redis-ver"))?.isValkey == false)
        #expect(RDBHeader(Array("REDIS0006".utf8) + [0xfe, 0])?.isValkey == nil)
        for text in ["VALKEY08", "VALKEYabc", "VALKEY"] { #expect(RDBHeader(Array(text.utf8)) == nil) }
    }
}
