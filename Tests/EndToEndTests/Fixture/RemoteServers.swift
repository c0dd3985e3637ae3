// Real servers for remote stores, on loopback: S3 with signatures checked, SFTP, and a proxy that disturbs them.

import Foundation
import Glibc
import Testing

/// A helper program that prints one line when it is ready, and ends when its standard input does.
final class LoopbackServer: Sendable {
    let line: String
    private let process: Process
    private let input: Pipe

    /// nil where it doesn't come up.
    init?(_ words: [String]) {
        process = Process()
        input = Pipe()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = words
        process.environment = ProcessInfo.processInfo.environment.merging(Self.python) { $1 }
        process.standardInput = input
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return nil }
        var text = Data()
        while !text.contains(UInt8(ascii: "\n")) {
            let more = output.fileHandleForReading.availableData
            if more.isEmpty { return nil }
            text += more
        }
        line = String(decoding: text, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    deinit { end() }

    /// Lets it end by itself, and waits for that a few seconds.
    func end() {
        try? input.fileHandleForWriting.close()
        for _ in 0..<100 where process.isRunning { usleep(50_000) }
        if process.isRunning { process.terminate() }
    }

    /// Where scripts/setup-tests puts Python's packages, if the machine has none of its own.
    static let python: [String: String] = {
        let folders = ["/opt/muster-test/python", FileManager.default.currentDirectoryPath + "/.build/muster-test/python"]
        return folders.first { access($0, R_OK) == 0 }.map { ["PYTHONPATH": $0] } ?? [:]
    }()

    static func support(_ name: String) -> String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Support/\(name)").path
    }
}

/// A bucket on a server that checks signatures.
struct Bucket: Sendable {
    static let name = "domainscope-dr"
    let server: LoopbackServer
    let port: Int
    let id: String
    let secret: String

    private struct Ready: Decodable {
        var port: Int
        var id: String
        var secret: String
    }

    static let isPossible =
        ProcessInfo.processInfo.environment["CI"] != nil
        || {
            let check = Process()
            check.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            check.arguments = ["python3", "-c", "import moto.server, boto3, flask"]
            check.environment = ProcessInfo.processInfo.environment.merging(LoopbackServer.python) { $1 }
            check.standardError = FileHandle.nullDevice
            try? check.run()
            check.waitUntilExit()
            return check.terminationStatus == 0
        }()

    static func start() throws -> Bucket {
        let server = try #require(LoopbackServer(["python3", LoopbackServer.support("s3-server.py"), name]), "moto's server comes up")
        let ready = try JSONDecoder().decode(Ready.self, from: Data(server.line.utf8))
        return Bucket(server: server, port: ready.port, id: ready.id, secret: ready.secret)
    }

    /// rclone as the backup job would use it.
    func rclone(_ words: [String]) async throws {
        let environment = [
            "TYPE": "s3", "PROVIDER": "Other", "ENDPOINT": "http://127.0.0.1:\(port)", "ACCESS_KEY_ID": id, "SECRET_ACCESS_KEY": secret,
            "REGION": "us-east-1",
        ]
        try await Program.require(
            ["env"] + environment.map { "RCLONE_CONFIG_S_\($0.key)=\($0.value)" } + ["rclone", "--config="] + words)
    }

    func upload(_ folder: URL) async throws { try await rclone(["copy", folder.path, "S:\(Self.name)/backups"]) }

    /// Moves an object into another storage class, as a lifecycle rule does.
    func archive(_ object: String, in tier: String) async throws {
        try await python(
            "body = s3.get_object(Bucket=bucket, Key=words[0])['Body'].read()",
            "s3.put_object(Bucket=bucket, Key=words[0], Body=body, StorageClass=words[1])", words: ["backups/\(object)", tier])
    }

    /// Under any key, also one that rclone would mend.
    func put(_ data: Data, as key: String) async throws {
        try await python(
            "s3.put_object(Bucket=bucket, Key=words[0], Body=base64.b64decode(words[1]))", words: [key, data.base64EncodedString()])
    }

    private func python(_ lines: String..., words: [String]) async throws {
        let client = [
            "import base64, boto3, sys", "url, key, secret, bucket, *words = sys.argv[1:]",
            "s3 = boto3.client('s3', endpoint_url=url, region_name='us-east-1', aws_access_key_id=key, aws_secret_access_key=secret)",
        ]
        try await Program.require(
            ["env"] + LoopbackServer.python.map { "\($0.key)=\($0.value)" } + ["python3", "-c", (client + lines).joined(separator: "\n")]
                + ["http://127.0.0.1:\(port)", id, secret, Self.name] + words)
    }

    func path(_ object: String) -> String { "S:\(Self.name)/backups/\(object)" }
}

enum Damage: Sendable {
    /// One bit, at a part of the whole.
    case flipped(at: Double)
    case cut(to: Double)
}

/// A store that rclone encrypts on its way to a folder.
struct CryptRemote: Sendable {
    let configuration: URL
    let folder: URL

    static func make(of source: URL, in folder: URL) async throws -> CryptRemote {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let remote = CryptRemote(configuration: folder.appendingPathComponent("rclone.conf"), folder: folder.appendingPathComponent("b"))
        // The obscured form of a password that guards nothing. Names stay as they are, but for an ending.
        let obscured = try await Program.require(["rclone", "obscure", "nothing", "--config="]).out
        let lines = [
            "[crypt]", "type = crypt", "remote = \(remote.folder.path)", "filename_encryption = off", "directory_name_encryption = false",
            "password = \(obscured.trimmingCharacters(in: .whitespacesAndNewlines))",
        ]
        try Data(lines.joined(separator: "\n").utf8).write(to: remote.configuration)
        try await Program.require(["rclone", "--config", remote.configuration.path, "copy", source.path, "crypt:"])
        return remote
    }

    func damage(_ object: String, _ damage: Damage) async throws {
        let file = folder.appendingPathComponent(object + ".bin")
        var bytes = Array(try Data(contentsOf: file))
        switch damage {
        case .flipped(let part): bytes[max(40, Int(Double(bytes.count) * part))] ^= 1
        case .cut(let part): bytes.removeLast(bytes.count - Int(Double(bytes.count) * part))
        }
        try Data(bytes).write(to: file)
    }
}

/// A meddling proxy, and the folder that it is told by.
struct Proxy: Sendable {
    let server: LoopbackServer
    let port: Int
    let folder: URL

    static func start(to target: Int, in folder: URL) throws -> Proxy {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let script = LoopbackServer.support("meddling-proxy.py")
        let server = try #require(LoopbackServer(["python3", script, String(target), folder.path]))
        return Proxy(server: server, port: try #require(Int(server.line)), folder: folder)
    }

    func tell(_ name: String, _ text: String) throws {
        try Data(text.utf8).write(to: folder.appendingPathComponent(name), options: .atomic)
    }

    /// Method and target of each request so far.
    func requests() throws -> [Substring] {
        try String(contentsOf: folder.appendingPathComponent("requests"), encoding: .utf8).split(separator: "\n")
    }

    func letGo() throws { try FileManager.default.removeItem(at: folder.appendingPathComponent("hold")) }

    /// Does something before each held request, and lets that one go; until ``letGo()``.
    func beforeEachHeld(_ work: () async throws -> Void) async throws {
        func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: folder.appendingPathComponent(name).path) }
        while exists("hold") {
            try await Task.sleep(for: .milliseconds(10))
            guard exists("held") else { continue }
            try await work()
            try tell("pass", "")
            while exists("pass"), exists("hold") { try await Task.sleep(for: .milliseconds(10)) }
            try? FileManager.default.removeItem(at: folder.appendingPathComponent("held"))
        }
    }

    func waitUntilHeld() async throws {
        let deadline = ContinuousClock.now + .seconds(180)
        while !FileManager.default.fileExists(atPath: folder.appendingPathComponent("held").path) {
            try #require(ContinuousClock.now < deadline, "a request was held")
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}

/// An SSH server that lets one key in, to SFTP alone.
struct SSHServer: Sendable {
    let port: Int
    let folder: URL
    var key: URL { folder.appendingPathComponent("user") }
    var knownHosts: URL { folder.appendingPathComponent("known_hosts") }

    static func start(in folder: URL) async throws -> SSHServer {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for name in ["host", "user", "other"] {
            try await Program.require([
                "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder.appendingPathComponent(name).path,
            ])
        }
        let port = Int.random(in: 20_000..<32_000)
        let configuration = """
            Port \(port)
            ListenAddress 127.0.0.1
            HostKey \(folder.path)/host
            AuthorizedKeysFile \(folder.path)/user.pub
            PidFile \(folder.path)/pid
            StrictModes no
            UsePAM no
            PasswordAuthentication no
            PermitRootLogin yes
            Subsystem sftp internal-sftp
            ForceCommand internal-sftp

            """
        try Data(configuration.utf8).write(to: folder.appendingPathComponent("sshd_config"))
        if geteuid() == 0 { try? FileManager.default.createDirectory(atPath: "/run/sshd", withIntermediateDirectories: true) }
        // It puts itself into the background.
        try await Program.require(["/usr/sbin/sshd", "-f", folder.appendingPathComponent("sshd_config").path])
        let server = SSHServer(port: port, folder: folder)
        try server.know("host")
        let deadline = ContinuousClock.now + .seconds(180)
        while !answers(port) {
            try #require(ContinuousClock.now < deadline, "sshd comes up")
            try await Task.sleep(for: .milliseconds(50))
        }
        return server
    }

    /// The key that clients are to believe.
    func know(_ name: String, as host: String? = nil) throws {
        let key = try String(contentsOf: folder.appendingPathComponent(name + ".pub"), encoding: .utf8)
        try Data("\(host ?? "[127.0.0.1]:\(port)") \(key)".utf8).write(to: knownHosts)
    }

    func stop() {
        let text = (try? String(contentsOf: folder.appendingPathComponent("pid"), encoding: .utf8)) ?? ""
        if let pid = Int32(text.trimmingCharacters(in: .whitespacesAndNewlines)) { kill(pid, SIGTERM) }
    }

    private static func answers(_ port: Int) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        } == 0
    }
}

extension Fixture {
    /// Declares the bucket as the estate's one store, with its keys in files.
    func useBucket(_ bucket: Bucket, port: Int? = nil) throws {
        for (name, secret) in [("s3.id", bucket.id), ("s3.secret", bucket.secret)] {
            let file = lab.appendingPathComponent("keys/\(name)")
            try Data(secret.utf8).write(to: file)
            chmod(file.path, 0o600)
        }
        try editEstate("keys:\n", "keys:\n  s3-id: {file: keys/s3.id}\n  s3-secret: {file: keys/s3.secret}\n")
        try replaceStore(
            "{type: s3, endpoint: \"http://127.0.0.1:\(port ?? bucket.port)\", bucket: \(Bucket.name), prefix: backups, "
                + "region: us-east-1, access-key: s3-id, secret-key: s3-secret, zone: dr}")
    }

    func useSSH(_ server: SSHServer) throws {
        try editEstate("keys:\n", "keys:\n  login: {file: \(server.key.path)}\n")
        try replaceStore(
            "{type: sftp, host: 127.0.0.1, port: \(server.port), user: \(NSUserName()), path: \(lab.path)/backups/primary, "
                + "known-hosts: \(server.knownHosts.path), private-key: login, zone: dr}")
    }

    /// The store `dr`, and the daily dumps and snapshots in it alone.
    func replaceStore(_ text: String) throws {
        try editEstate("dr: {type: file, path: backups/dr, zone: dr}", "dr: " + text)
        try editEstate("stores: [primary]\n        match: postgres/daily", "stores: [dr]\n        match: postgres/daily")
        try editEstate("stores: [primary]\n        match: redis/rdb", "stores: [dr]\n        match: redis/rdb")
    }
}
