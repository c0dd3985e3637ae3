// The stores of an estate file: a folder, an object store, an SFTP host, or whatever else rclone reaches.

import DrillModel
import Foundation
import Yams

/// Reads the stores of one estate.
struct StoreReader {
    private enum StoreType: String, CaseIterable {
        case file, s3, sftp, rclone

        var section: Section {
            switch self {
            case .file: .store
            case .s3: .objectStore
            case .sftp: .sshStore
            case .rclone: .rcloneStore
            }
        }
    }

    let file: SourceFile
    /// The names that the estate declares; nil where that can't be told.
    let keys: [String]?

    func read(_ entry: Entry) -> Store? {
        let title = "store \"\(entry.name)\""
        // Which keys fit depends on the type; whatever is wrong with that itself is told by the section of a folder.
        let stated = if case .mapping(let mapping) = entry.node { mapping["type"]?.scalar?.string } else { nil as String? }
        let type = stated.flatMap { StoreType(rawValue: $0) } ?? .file
        guard let fields = Fields(file, entry.node, type.section, title: title, place: entry.place) else { return nil }
        guard fields.choice("type", StoreType.self) != nil else { return nil }
        let zone = fields.text("zone")
        let location: Store.Location? =
            switch type {
            case .file: fields.path("path", isFolder: true).map { .folder($0) }
            case .s3: objectStore(fields).map { .remote(.s3($0)) }
            case .sftp: host(fields).map { .remote(.sftp($0)) }
            case .rclone: remote(fields).map { .remote(.rclone($0)) }
            }
        return location.map { Store(name: entry.name, location: $0, zone: zone) }
    }

    private func objectStore(_ fields: Fields) -> RemoteStore.ObjectStore? {
        var endpoint: URL?
        if let text = fields.text("endpoint") {
            guard let url = URL(string: text), let scheme = url.scheme, ["http", "https"].contains(scheme), url.host != nil,
                url.user == nil, url.query == nil
            else {
                fields.report("endpoint", "\"endpoint\" is no address", hint: "write it as https://s3.example.org, without user and path")
                return nil
            }
            endpoint = url
        }
        let bucket = fields.text("bucket")
        if let bucket, bucket.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9._-]+/) == nil {
            fields.report("bucket", "\"bucket\" is no name of a bucket", hint: "write its name alone, and what follows it as \"prefix\"")
            return nil
        }
        let prefix = fields.text("prefix").map { $0.split(separator: "/").joined(separator: "/") }
        let region = fields.text("region")
        let authority = fields["ca"] == nil ? nil : fields.path("ca")
        let accessKey = key("access-key", fields)
        let secretKey = key("secret-key", fields)
        if (fields["access-key"] == nil) != (fields["secret-key"] == nil) {
            let missing = fields["access-key"] == nil ? "access-key" : "secret-key"
            file.report(
                at: fields.place, "\(fields.title) has half a pair of keys",
                hint: "add \"\(missing): NAME\", or name neither: then AWS_ACCESS_KEY_ID and its kin are read from the environment")
            return nil
        }
        let credentials = accessKey.flatMap { access in
            secretKey.map { RemoteStore.ObjectStore.Credentials(accessKey: access, secretKey: $0) }
        }
        guard let bucket else { return nil }
        return RemoteStore.ObjectStore(
            endpoint: endpoint, bucket: bucket, prefix: prefix, region: region, credentials: credentials, authority: authority)
    }

    private func host(_ fields: Fields) -> RemoteStore.SSHHost? {
        let host = fields.text("host")
        if let host, host.wholeMatch(of: /[A-Za-z0-9._:-]+/) == nil {
            fields.report("host", "\"host\" is no host name", hint: "write host, port, user and path each on its own line")
            return nil
        }
        let port = fields["port"] == nil ? 22 : fields.whole("port", in: 1...65_535)
        let user = fields.text("user")
        let path = fields.text("path")
        let knownHosts = fields.path("known-hosts")
        let credential: RemoteStore.SSHHost.Credential?
        switch (fields["private-key"] != nil, fields["password"] != nil) {
        case (true, false): credential = key("private-key", fields).map { .privateKey($0) }
        case (false, true): credential = key("password", fields).map { .password($0) }
        default:
            file.report(
                at: fields.place, "\(fields.title) needs one of \"private-key\" and \"password\"",
                hint: "add \"private-key: NAME\", and declare NAME under \"keys\"")
            return nil
        }
        guard let host, let port, let user, let path, let knownHosts, let credential else { return nil }
        return RemoteStore.SSHHost(host: host, port: port, user: user, path: path, credential: credential, knownHosts: knownHosts)
    }

    private func remote(_ fields: Fields) -> RemoteStore.RcloneRemote? {
        let configuration = fields.path("config")
        let password = key("config-password", fields)
        guard let remote = fields.text("remote") else { return nil }
        // What rclone would read as a backend with its options, secrets included, or as a local path.
        guard remote.wholeMatch(of: /[A-Za-z0-9_. @-]+:[^,=]*/) != nil else {
            fields.report(
                "remote", "\"remote\" is not NAME:path", hint: "write a name that the rclone configuration declares, and the path")
            return nil
        }
        return configuration.map { RemoteStore.RcloneRemote(remote: remote, configuration: $0, password: password) }
    }

    /// A name from `keys`. The value may be the secret itself, written here by mistake, so it is never repeated.
    private func key(_ name: String, _ fields: Fields) -> String? {
        guard let entry = fields[name] else { return nil }
        guard case .scalar(let scalar) = entry.node, !file.refusesTag(of: entry.node) else {
            fields.report(
                name, "\"\(name)\" must be a name from \"keys\", not \(file.kind(of: entry.node))", hint: "declare it under \"keys\"")
            return nil
        }
        if let keys, !keys.contains(scalar.string) {
            fields.report(
                name, "\"\(name)\" is not a name from \"keys\"",
                hint:
                    "declare it under \"keys\" as NAME: {file: path}, {env: NAME} or {command: [program, argument]}, and write its name here"
            )
            return nil
        }
        return scalar.string
    }
}
