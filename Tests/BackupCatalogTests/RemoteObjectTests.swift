// A remote listing is read as it stands, and matched as a folder is.

import DrillModel
import Foundation
import Testing

@testable import BackupCatalog

struct RemoteObjectTests {
    private static func object(_ path: String, size: Int = 1, time: String = "2026-03-01T02:00:00.000000000Z") -> String {
        "{\"Path\":\"\(path)\",\"Name\":\"x\",\"Size\":\(size),\"ModTime\":\"\(time)\",\"IsDir\":false,\"Hashes\":{\"md5\":\"ab\"},\"Tier\":\"A\"},"
    }

    @Test func aLine() throws {
        let object = try #require(RemoteObject(line: Self.object("a/b.dump", size: 7)))
        #expect(object.path == "a/b.dump" && object.size == 7 && object.md5 == "ab")
        // An empty one is there, and is told as such.
        #expect(RemoteObject(line: Self.object("a/b.dump", size: 0))?.size == 0)
        #expect(object.modified == Date(timeIntervalSince1970: 1_772_330_400))
    }

    @Test(arguments: [
        "[", "]", "", "{\"Path\":\"a\",\"Name\":\"a\",\"Size\":-1,\"ModTime\":\"\",\"IsDir\":true}", object("../../etc/passwd"),
        object("a/../b"), object("/a"), object("a//b"), object("."),
    ])
    func noObject(line: String) {
        #expect(RemoteObject(line: line) == nil)
    }

    /// Nothing that matches is dropped without a word.
    @Test(arguments: [
        ("pg//a.dump", true), ("/pg/a.dump", true), ("pg/./a.dump", true), ("../pg/a.dump", true), ("pg/bad\u{fffd}.dump", true),
        ("pg/a.dump", false),
        ("other//a.dump", false), ("pg//a.dump.seal.json", false), ("pg//.a.dump", false),
    ])
    func aKeyThatCannotBeUsed(_ path: String, _ isTold: Bool) {
        let lines = [Self.object(path)]
        let snapshot = StoreSnapshot(
            root: URL(fileURLWithPath: "/r"), objects: lines.compactMap { RemoteObject(line: $0) },
            unusable: lines.compactMap { UnusableObject(line: $0) }, heads: [:])
        let passed = snapshot.passedOver(matching: "pg/*.dump", in: "s3")
        #expect(passed.map(\.path) == (isTold ? [path] : []))
        #expect(passed.allSatisfy { $0.finding().rule.name == "name-unusable" && $0.modified != nil })
    }

    @Test func matchesAsInAFolder() {
        let root = URL(fileURLWithPath: "/r")
        let paths = [
            "pg/a.dump", "pg/a.dump.seal.json", "pg/.hidden.dump", "pg/deep/b.dump", "pg/folder.dump/toc.dat", "pg/folder.dump/1.dat",
            "x.dump",
        ]
        let objects = paths.compactMap { RemoteObject(line: Self.object($0, size: 5)) }
        let items = objects.items(matching: "pg/*.dump", root: root)
        #expect(items.map(\.path) == ["pg/a.dump", "pg/folder.dump"])
        #expect(items.map(\.isFolder) == [false, true])
        #expect(items.map(\.size) == [5, 10])
        #expect(items.first?.location.path == "/r/pg/a.dump")
        #expect(objects.items(matching: "*/*/b.dump", root: root).map(\.path) == ["pg/deep/b.dump"])
        #expect(objects.items(matching: "", root: root).isEmpty)
    }

    @Test(arguments: [
        (1, "SignatureDoesNotMatch: The request signature\n status code: 403", RemoteTrouble.denied),
        (3, "error in ListJSON: directory not found", .missing),
        (1, "NewFs: couldn't connect SSH: ssh: handshake failed: knownhosts: key mismatch", .untrusted),
        (1, "couldn't connect SSH: ssh: handshake failed: ssh: unable to authenticate", .denied),
        (1, "dial tcp 127.0.0.1:1: connect: connection refused", .unreachable),
        (1, "Get \"https://x\": x509: certificate signed by unknown authority", .untrusted),
        (3, "dump-0403.enc of certificates: directory not found", .missing), (1, "AccessDenied: Access Denied", .denied),
        (1, "googleapi: Error 403: Forbidden", .denied), (1, "status code: 503, request id: 403eof", .unreachable),
        (1, "failed: request id: a403b certificate-2026.enc", .other("exit 1")),
        (1, "something that nobody has seen", .other("exit 1")),
    ])
    func troubles(code: Int32, log: String, trouble: RemoteTrouble) {
        #expect(RemoteTrouble(exitCode: code, log: log, ending: "exit \(code)") == trouble)
    }
}
