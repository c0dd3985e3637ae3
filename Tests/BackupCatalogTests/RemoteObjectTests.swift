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
        (1, "SignatureDoesNotMatch: The request signature\n status code: 403", RemoteTrouble.Kind.denied),
        (3, "error in ListJSON: directory not found", .missing),
        (1, "NewFs: couldn't connect SSH: ssh: handshake failed: knownhosts: key mismatch", .untrusted),
        (1, "couldn't connect SSH: ssh: handshake failed: ssh: unable to authenticate", .denied),
        (1, "dial tcp 127.0.0.1:1: connect: connection refused", .unreachable),
        (1, "Get \"https://x\": x509: certificate signed by unknown authority", .untrusted),
        (3, "dump-0403.enc of certificates: directory not found", .missing), (1, "AccessDenied: Access Denied", .denied),
        (1, "googleapi: Error 403: Forbidden", .denied), (1, "status code: 503, request id: 403eof", .busy),
        (1, "failed: request id: a403b certificate-2026.enc", .other), (1, "something that nobody has seen", .other),
        (1, "error in ListJSON: SlowDown: m\n status code: 503", .busy), (5, "x.enc: Failed to send to output: unexpected EOF", .cutShort),
        (1, "x.enc: Failed to open: Object in GLACIER, restore first: bucket=b", .archived),
        (1, "InvalidObjectState: The operation is not valid\n status code: 403", .archived),
        (1, "Failed to cat: failed to authenticate decrypted block - bad password?", .damaged),
        (1, "https response error StatusCode: 403, RequestID: , HostID: , api error Forbidden: Forbidden", .denied),
        (1, "NOTICE: /b: Failed to read metadata: object not found\nNOTICE: Failed to lsjson: odd", .other),
        (1, "NOTICE: Failed to lsjson: https response error StatusCode: 503, api error SlowDown: m", .busy),
        (1, "AuthorizationHeaderMalformed: m\n status code: 400", .elsewhere), (1, "m\n status code: 301, request id: ", .elsewhere),
        (1, "Failed to create file system for \"nope:\": didn't find section in config file", .undeclared),
        (1, "Failed to create file system for \"un:\": union can't point to a single upstream", .misdeclared),
        (1, "AccessDenied: user may not kms:Decrypt", .denied), (1, "KMS.DisabledException: m\n status code: 400", .denied),
    ])
    func troubles(code: Int32, log: String, kind: RemoteTrouble.Kind) {
        #expect(RemoteTrouble(exitCode: code, log: log, ending: "exit \(code)").kind == kind)
    }

    /// Of rclone's words a code of a known set is shown, and nothing else.
    @Test func theCauseIsAKnownCode() {
        func cause(_ log: String) -> String { RemoteTrouble(exitCode: 1, log: log, ending: "exit 1").cause }
        #expect(cause("error in ListJSON: SlowDown: please\n status code: 503") == "SlowDown")
        #expect(cause("RequestTimeTooSkewed: the difference\n status code: 403") == "RequestTimeTooSkewed")
        #expect(cause("Get \"https://user:pass@host\": odd") == "rclone: exit 1")
    }

    /// To list a folder of many for a few files in it is more than to look at those.
    @Test func pagesOfFolders() {
        let objects =
            (0..<2500).compactMap { RemoteObject(line: Self.object("a/b/\($0)")) }
            + [RemoteObject(line: Self.object("c"))].compactMap { $0 }
        let pages = FolderPages(objects)
        #expect(pages.count(for: ["c"]) == 1)
        #expect(pages.count(for: ["a/b/1", "a/b/2", "c"]) == 5)
        #expect(pages.count(for: ["x/y"]) == 2)
    }

    @Test(arguments: [
        ("GLACIER", true), ("DEEP_ARCHIVE", true), ("Archive", true), ("GLACIER_IR", false), ("STANDARD_IA", false), ("STANDARD", false),
    ])
    func whatMustBeRestoredFirst(tier: String, isArchived: Bool) throws {
        let line = Self.object("a.dump").replacingOccurrences(of: "\"A\"", with: "\"\(tier)\"")
        let object = try #require(RemoteObject(line: line))
        #expect((object.archive != nil) == isArchived)
        let snapshot = StoreSnapshot(root: URL(fileURLWithPath: "/r"), objects: [object], heads: [:])
        #expect(snapshot.items(matching: "*").map { $0.obstacle?.finding.rule.name } == [isArchived ? "artifact-archived" : nil])
    }
}
