// What rclone's exit and words say of a remote store, and whose fault that is.

import DrillModel
import Foundation

extension Rule {
    static let storeUnreachable = Rule("store-unreachable")
    static let storeAccessDenied = Rule("store-access-denied")
    static let storeUntrusted = Rule("store-untrusted")
    static let objectGone = Rule("artifact-unreadable")
    static let objectChanged = Rule("object-changed")
    static let transferInterrupted = Rule("transfer-interrupted")
}

/// One way in which a remote store didn't answer. rclone's own words are never shown: with some backends they hold addresses with secrets.
enum RemoteTrouble: Sendable, Hashable, Error {
    /// The bucket, the folder or the object isn't there.
    case missing
    case denied
    /// The certificate or the host key isn't one that is trusted.
    case untrusted
    case unreachable
    /// rclone ended so.
    case other(String)

    /// Reads it off rclone's log. The first that fits counts.
    init(exitCode: Int32?, log: String, ending: String) {
        let log = log.lowercased()
        func says(_ words: [String]) -> Bool { words.contains { log.contains($0) } }
        // Names of objects and numbers of requests stand in the log, too: a status counts only where it is called one.
        func status(_ codes: String) -> Bool {
            guard let pattern = try? Regex("(?:status code|error|status|http)[: ]+(?:\(codes))(?![0-9])") else { return false }
            return log.contains(pattern)
        }
        if exitCode == 3 || exitCode == 4 || says(["nosuchbucket", "nosuchkey"]) {
            self = .missing
        } else if says([
            "x509:", "knownhosts:", "host key mismatch", "certificate signed by", "certificate is not", "certificate has expired",
        ]) {
            self = .untrusted
        } else if status("401|403")
            || says([
                "signaturedoesnotmatch", "invalidaccesskeyid", "accessdenied", "access denied", "unable to authenticate", "expiredtoken",
                "invalidtoken", "nocredentialproviders", "permission denied", "failed to parse private key", "no key found",
                "unable to decrypt configuration",
            ])
        {
            self = .denied
        } else if says(["directory not found", "object not found"]) {
            self = .missing
        } else if status("5[0-9][0-9]|429")
            || says([
                "no such host", "connection refused", "i/o timeout", "timeout", "no route to host", "network is unreachable",
                "connection reset", "broken pipe", "unexpected eof", ": eof", "requesterror", "connection lost", "handshake failed",
                "couldn't connect", "slowdown",
            ])
        {
            self = .unreachable
        } else {
            self = .other(ending)
        }
    }

    /// Whether asking again may help.
    var mayPass: Bool {
        switch self {
        case .unreachable, .other: true
        case .missing, .denied, .untrusted: false
        }
    }

    /// A missing store is its own fault; that this machine can't reach it or may not is not known to be anybody's, and never green.
    func failure(of connection: RcloneConnection) -> DrillFailure {
        let object = "store \(connection.store.name)"
        let address = connection.address
        switch self {
        case .missing:
            return .failed(
                Finding(
                    .storeMissing, object: object, expected: "a bucket or folder", actual: "nothing there",
                    message: "the store \(address) doesn't exist", hint: "check bucket and path in the estate file, and who removed it"))
        case .denied:
            return .error(
                Finding(
                    .storeAccessDenied, object: object, expected: "access", actual: "refused",
                    message: "\(address) refuses the estate's credentials",
                    hint: "check the store's keys in the estate file, their rights to list and to read, and this machine's clock"))
        case .untrusted:
            return .error(
                Finding(
                    .storeUntrusted, object: object, expected: "a certificate or host key that is trusted", actual: "another one",
                    message: "\(address) doesn't prove who it is",
                    hint: "check known-hosts or ca in the estate file; if the host was not rebuilt, somebody stands in between"))
        case .unreachable:
            return .error(
                Finding(
                    .storeUnreachable, object: object, expected: "an answer", actual: "none",
                    message: "\(address) can't be reached from this machine",
                    hint: "check its address and the network on the way; in a disaster nobody could restore from it either"))
        case .other(let ending):
            return .error(
                Finding(
                    .storeUnreadable, object: object, expected: "an answer", actual: "rclone: \(ending)",
                    message: "\(address) can't be read", hint: "try it by hand: rclone lsjson with the same store"))
        }
    }
}
