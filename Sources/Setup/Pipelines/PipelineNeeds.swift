// What a pipeline must be handed for its estates: the names of variables and the places of files, and never what is in them.

import DrillModel
import Foundation

/// The secrets and files of one or more estates.
struct PipelineNeeds {
    struct File {
        /// What it is called in a secret store: letters, digits, `-`, `_` and `.`.
        var key: String
        var url: URL
    }

    /// Of the environment, sorted.
    private(set) var variables: [String] = []
    private(set) var files: [File] = []
    /// The titles of keys that commands say: their words stay in the estate file.
    private(set) var commands: [String] = []

    init(of estates: [Estate]) {
        for estate in estates {
            for (name, reference) in estate.keys.sorted(by: { $0.key < $1.key }) { add(reference, "key-\(name)") }
            if let evidence = estate.evidence {
                add(evidence.signingKey, "evidence-key")
                for file in evidence.trustedKeys { add(file, "evidence-trust") }
            }
            for channel in estate.notify {
                guard case .webhook(let webhook) = channel.way else { continue }
                add(webhook.url, "notify-\(channel.name)")
                if let token = webhook.token { add(token, "notify-\(channel.name)-token") }
            }
            for file in estate.seals.trustedKeys { add(file, "seal-trust") }
            for store in estate.stores.values.sorted(by: { $0.name < $1.name }) { add(store) }
            for service in estate.services.values.sorted(by: { $0.name < $1.name }) { add(service) }
        }
        variables = Set(variables).sorted()
    }

    private mutating func add(_ store: Store) {
        switch store.remote {
        case .s3(let bucket)?:
            // Without a pair of the estate's own it is that of the environment.
            if bucket.credentials == nil { variables += ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] }
            if let authority = bucket.authority { add(authority, "store-\(store.name)-authority") }
        case .sftp(let host)?: add(host.knownHosts, "store-\(store.name)-known-hosts")
        case .rclone(let remote)?: add(remote.configuration, "store-\(store.name)-rclone")
        case nil: break
        }
    }

    private mutating func add(_ service: Service) {
        let servers = [
            ("source", service.source), ("standby", service.standby?.connection), ("replica", service.replica?.connection),
            ("living", service.living),
        ]
        for case (let kind, let server?) in servers {
            if let password = server.password { add(password, "password-\(service.name)-\(kind)") }
        }
        for set in service.backups.values.sorted(by: { $0.name < $1.name }) {
            if let live = set.configuration?.live { add(live, "live-\(service.name)-\(set.name)") }
        }
    }

    private mutating func add(_ reference: KeyReference, _ name: String) {
        switch reference {
        case .environment(let variable): variables.append(variable)
        case .file(let url): add(url, name)
        case .command: commands.append(name.replacing("-", with: " "))
        }
    }

    /// A file that several keys name is handed over once.
    private mutating func add(_ url: URL, _ name: String) {
        let url = url.standardizedFileURL
        guard !files.contains(where: { $0.url == url }) else { return }
        let taken = files.filter { $0.key == name || $0.key.hasPrefix(name + "-") }.count
        files.append(File(key: taken == 0 ? name : "\(name)-\(taken + 1)", url: url))
    }
}
