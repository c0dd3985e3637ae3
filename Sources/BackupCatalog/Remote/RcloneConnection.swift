// What rclone is told of a remote store: secrets in its environment alone, everything else on its command line.

import Cryptography
import DrillModel
import Foundation
import ScratchHost

/// One remote store, ready to be asked.
struct RcloneConnection: Sendable {
    var store: Store
    var remote: RemoteStore
    /// For messages.
    var address: String
    /// The remote and its path, as rclone's command line has them. It ends so that it can't be taken for an object of that very name.
    var base: String
    /// Holds the secrets; nobody but the child sees it.
    var environment: [String: String]
    var flags: [String]
    /// Whether a listing may hold digests without reading the objects.
    var listsDigests: Bool
    /// How many objects are asked for at once. A default sshd turns away more than ten that knock at the same time.
    var width: Int

    /// No configuration file of this machine's is read unless the estate names it, and nothing is tried for long.
    private static let common = [
        "--retries", "1", "--low-level-retries", "3", "--contimeout", "15s", "--timeout", "60s", "--use-server-modtime", "--log-level",
        // What it ended for stands at this level from 1.6x on. DEBUG holds keys.
        "NOTICE",
    ]

    /// - Throws: ``DrillFailure`` (error): a key can't be had.
    init(_ store: Store, _ remote: RemoteStore, keyring: Keyring) async throws {
        self.store = store
        self.remote = remote
        address = remote.address
        flags = Self.common
        listsDigests = false
        width = 8
        switch remote {
        case .s3(let bucket):
            environment = try Self.environment(of: bucket, keyring)
            base = Self.folder("muster:" + ([bucket.bucket] + [bucket.prefix].compactMap { $0 }).joined(separator: "/"))
            flags += ["--config="] + (bucket.authority.map { ["--ca-cert", $0.path] } ?? [])
            listsDigests = true
        case .sftp(let host):
            environment = try await Self.environment(of: host, keyring)
            base = Self.folder("muster:" + host.path)
            flags += ["--config="]
            width = 3
        case .rclone(let remote):
            environment =
                try remote.password.map { name throws(DrillFailure) in
                    ["RCLONE_CONFIG_PASS": Self.text(try keyring.secret(named: name))]
                } ?? [:]
            base = Self.folder(remote.remote)
            flags += ["--config", remote.configuration.path, "--ask-password=false"]
        }
    }

    /// Whether the remote is one of an rclone configuration, which may encrypt or pack what it stores.
    var isForeign: Bool { if case .rclone = remote { true } else { false } }

    /// An object's name for rclone.
    func place(of path: String) -> String { base + path }

    /// Without the slash rclone asks whether the path is an object, and takes it for the whole store where it is.
    private static func folder(_ path: String) -> String { path.hasSuffix(":") || path.hasSuffix("/") ? path : path + "/" }

    /// The mend, where the known hosts name this one as if it listened on the usual port; nil where that is not what is wrong.
    var hostWithoutPort: String? {
        guard case .sftp(let host) = remote, host.port != 22, let text = try? String(contentsOf: host.knownHosts, encoding: .utf8) else {
            return nil
        }
        let names = text.split(whereSeparator: \.isNewline).compactMap { $0.split(separator: " ").first }
            .flatMap { $0.split(separator: ",") }.map(String.init)
        let wanted = "[\(host.host)]:\(host.port)"
        guard names.contains(host.host), !names.contains(wanted) else { return nil }
        return "\(host.knownHosts.lastPathComponent) names \(host.host) without its port: let the line begin with \(wanted)"
    }

    private static func environment(
        of store: RemoteStore.ObjectStore, _ keyring: Keyring
    ) throws(DrillFailure) -> [String: String] {
        var values = ["TYPE": "s3", "PROVIDER": store.endpoint == nil ? "AWS" : "Other"]
        values["ENDPOINT"] = store.endpoint?.absoluteString
        values["REGION"] = store.region ?? (store.endpoint == nil ? "us-east-1" : nil)
        var environment: [String: String] = [:]
        if let credentials = store.credentials {
            values["ACCESS_KEY_ID"] = text(try keyring.secret(named: credentials.accessKey))
            values["SECRET_ACCESS_KEY"] = text(try keyring.secret(named: credentials.secretKey))
        } else {
            values["ENV_AUTH"] = "true"
            // What AWS' own tools read, and no more: AWS_CA_BUNDLE, for one, breaks rclone's client.
            let known = [
                "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_SHARED_CREDENTIALS_FILE",
                "AWS_CONFIG_FILE", "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "HOME",
            ]
            environment = ProcessInfo.processInfo.environment.filter { known.contains($0.key) }
        }
        for (name, value) in values { environment["RCLONE_CONFIG_MUSTER_\(name)"] = value }
        return environment
    }

    private static func environment(of host: RemoteStore.SSHHost, _ keyring: Keyring) async throws -> [String: String] {
        var values = [
            "TYPE": "sftp", "HOST": host.host, "PORT": String(host.port), "USER": host.user, "KNOWN_HOSTS_FILE": host.knownHosts.path,
        ]
        switch host.credential {
        case .privateKey(let name):
            // On one line, as rclone wants it.
            let lines = text(try keyring.secret(named: name)).split(whereSeparator: \.isNewline)
            values["KEY_PEM"] = lines.joined(separator: "\\n") + "\\n"
        case .password(let name): values["PASS"] = try await obscured(try keyring.secret(named: name))
        }
        return Dictionary(uniqueKeysWithValues: values.map { ("RCLONE_CONFIG_MUSTER_\($0.key)", $0.value) })
    }

    /// In the form that rclone wants passwords in. It hides nothing, so it is handled as the password itself.
    private static func obscured(_ secret: Secret) async throws -> String {
        let result = try await ToolRunner.filter(
            ["rclone", "obscure", "-", "--config="], environment: [:], input: secret.withBytes { Array($0) })
        return result.output.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private static func text(_ secret: Secret) -> String { secret.withBytes { String(decoding: $0, as: UTF8.self) } }
}
