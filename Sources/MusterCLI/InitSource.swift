// What `muster init` looks at: a folder, or a store that rclone reaches, by its address.

import ArgumentParser
import DrillModel
import Foundation
import Setup

/// The place that is looked at, as the command line names it.
struct InitSource: ParsableArguments {
    @Argument(
        help: ArgumentHelp(
            "What holds the backups: a folder, s3://BUCKET/PREFIX, sftp://USER@HOST/PATH, or rclone:NAME:PATH. It is only read.",
            valueName: "folder|address"), completion: .directory)
    var place: String

    @Option(help: ArgumentHelp("Of s3: where the protocol is spoken (default: Amazon's own).", valueName: "address"))
    var endpoint: String?

    @Option(help: ArgumentHelp("Of s3: the region that requests are signed for.", valueName: "name"))
    var region: String?

    @Option(
        name: .customLong("known-hosts"), help: ArgumentHelp("Of sftp: the file that holds the host's public key.", valueName: "file"),
        completion: .file())
    var knownHosts: String?

    @Option(
        name: .customLong("private-key"), help: ArgumentHelp("Of sftp: the file of the key to log in with.", valueName: "file"),
        completion: .file())
    var privateKey: String?

    @Option(
        name: .customLong("rclone-config"), help: ArgumentHelp("Of rclone: the configuration that declares NAME.", valueName: "file"),
        completion: .file())
    var rcloneConfig: String?

    /// The store that the estate is written for, and the keys that it needs.
    func store() throws(CommandFailure) -> (store: Store, keys: [String: KeyReference]) {
        if place.hasPrefix("s3://") { return (Store(name: "store", location: .remote(.s3(try bucket())), zone: nil), [:]) }
        if place.hasPrefix("sftp://") {
            let (host, key) = try host()
            return (Store(name: "store", location: .remote(.sftp(host)), zone: nil), [EstateDraft.loginKey: .file(key)])
        }
        if place.hasPrefix("rclone:") {
            guard let rcloneConfig else {
                throw CommandFailure(
                    .usage, "\(place) needs its configuration", hint: "add --rclone-config FILE: rclone config file shows it")
            }
            let remote = RemoteStore.RcloneRemote(remote: String(place.dropFirst(7)), configuration: Self.file(rcloneConfig))
            return (Store(name: "store", location: .remote(.rclone(remote)), zone: nil), [:])
        }
        let folder = URL(fileURLWithPath: place, isDirectory: true).standardizedFileURL
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: folder.path, isDirectory: &isFolder), isFolder.boolValue else {
            throw CommandFailure(.usage, "\(place) is no folder", hint: "name the folder that holds the backups")
        }
        return (Store(name: "store", location: .folder(folder), zone: nil), [:])
    }

    private func bucket() throws(CommandFailure) -> RemoteStore.ObjectStore {
        let parts = place.dropFirst(5).split(separator: "/", maxSplits: 1).map(String.init)
        guard let bucket = parts.first, !bucket.contains("@") else {
            throw CommandFailure(
                .usage, "the address names no bucket", hint: "write s3://BUCKET or s3://BUCKET/PREFIX; keys come from the environment")
        }
        let address = endpoint.flatMap { URL(string: $0) }
        guard endpoint == nil || address?.host != nil else {
            throw CommandFailure(.usage, "--endpoint is no address", hint: "write it as https://s3.example.org")
        }
        let prefix = parts.count > 1 ? parts[1].split(separator: "/").joined(separator: "/") : nil
        return RemoteStore.ObjectStore(endpoint: address, bucket: bucket, prefix: prefix, region: region)
    }

    private func host() throws(CommandFailure) -> (RemoteStore.SSHHost, URL) {
        let hint = "write sftp://USER@HOST/PATH with --known-hosts FILE and --private-key FILE"
        guard let url = URL(string: place), let host = url.host, let user = url.user, url.password == nil, !url.path.isEmpty else {
            throw CommandFailure(.usage, "the address names no user, host and path, or holds a password", hint: hint)
        }
        guard let knownHosts, let privateKey else {
            throw CommandFailure(.usage, "an SFTP host needs its public key, and yours", hint: hint)
        }
        return (
            RemoteStore.SSHHost(
                host: host, port: url.port ?? 22, user: user, path: url.path, credential: .privateKey(EstateDraft.loginKey),
                knownHosts: Self.file(knownHosts)), Self.file(privateKey)
        )
    }

    private static func file(_ path: String) -> URL { URL(fileURLWithPath: path).standardizedFileURL }
}
