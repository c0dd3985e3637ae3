// What a trouble with a remote store becomes for those who read it: the store's, or one object's.

public import DrillModel
import Foundation

extension RemoteTrouble {
    /// A missing store is its own fault; that this machine can't reach it or may not is not known to be anybody's, and never green.
    func failure(of connection: RcloneConnection) -> DrillFailure {
        let address = connection.address
        func finding(
            _ rule: Rule, expected: String = "an answer", actual: String? = nil, _ message: String, hint: String
        ) -> Finding {
            Finding(
                rule, object: "store \(connection.store.name)", expected: expected, actual: actual ?? cause, message: message, hint: hint)
        }
        switch kind {
        case .missing:
            return .failed(
                finding(
                    .storeMissing, expected: "a bucket or folder", actual: "nothing there", "the store \(address) doesn't exist",
                    hint: "check bucket and path in the estate file, and who removed it"))
        case .denied:
            return .error(
                finding(
                    .storeAccessDenied, expected: "access", actual: "refused: \(cause)", "\(address) refuses the estate's credentials",
                    hint: "check the store's keys in the estate file, their rights to list and to read, and this machine's clock"))
        case .untrusted:
            return .error(
                finding(
                    .storeUntrusted, expected: "a certificate or host key that is trusted", actual: "another one",
                    "\(address) doesn't prove who it is",
                    hint: connection.hostWithoutPort
                        ?? "check known-hosts or ca in the estate file; if the host was not rebuilt, somebody stands in between"))
        case .unreachable, .cutShort:
            return .error(
                finding(
                    .storeUnreachable, actual: "none", "\(address) can't be reached from this machine",
                    hint: "check its address and the network on the way; in a disaster nobody could restore from it either"))
        case .busy:
            return .error(
                finding(
                    .storeBusy, "\(address) answers that it can't serve now",
                    hint: "run again when it is less busy, and look at the store's own status; a restore would have to wait as well"))
        case .elsewhere:
            return .error(
                finding(
                    .storeUnreadable, "\(address) is to be asked elsewhere: it is another region's, or the endpoint isn't its own",
                    hint: "check region and endpoint of the store in the estate file"))
        case .undeclared:
            return .error(
                finding(
                    .storeUnreadable, expected: "a remote that the configuration declares", actual: "no such section",
                    "rclone's configuration doesn't declare the remote \(address.prefix { $0 != ":" }), or one that it builds on",
                    hint: "check remote and config of the store in the estate file: rclone listremotes --config FILE shows what is there"))
        case .misdeclared:
            return .error(
                finding(
                    .storeUnreadable, expected: "a remote that rclone takes", "rclone doesn't take \(address) as it is declared",
                    hint: "rclone lsf with the same remote and --config FILE says what it finds wrong"))
        case .stalled:
            return .error(
                finding(
                    .storeUnreadable, actual: cause, "\(address) gives no usable answer",
                    hint: "check region and endpoint: a store that sends every request elsewhere (301) looks so, and one that hangs"))
        case .archived, .damaged, .other:
            return .error(
                finding(
                    .storeUnreadable, "\(address) can't be read", hint: "try it by hand: rclone lsjson with the same store"))
        }
    }

    /// Of one object of a store that can be listed: the others are no better or worse for it.
    ///
    /// - Parameter tier: As the listing has it.
    func failure(of path: String, tier: String? = nil, in connection: RcloneConnection) -> DrillFailure {
        switch kind {
        case .missing: .failed(.objectGone(path))
        case .archived: .error(.archived(path, tier: tier))
        case .denied:
            .error(
                Finding(
                    .artifactAccessDenied, object: path, expected: "an object that may be read", actual: "refused: \(cause)",
                    message: "the store lists this object and doesn't let it be read",
                    hint: "check the rights of the store's keys to read it (s3:GetObject), and to use the key that it is encrypted with"))
        case .damaged:
            .failed(
                Finding(
                    .objectDamaged, object: path, expected: "an object that the remote's own encryption takes", actual: "a damaged one",
                    message: "the stored object is damaged: the remote's own encryption doesn't take it",
                    hint: "fetch another copy, and check the store's disk; where every object is so, check the remote's password"))
        case .other:
            .error(
                Finding(
                    .storeUnreadable, object: path, expected: "an object that can be read", actual: cause,
                    message: "this object of \(connection.address) can't be read", hint: "try it by hand: rclone cat with the same object"))
        default: failure(of: connection)
        }
    }
}

extension Finding {
    static func objectGone(_ path: String) -> Finding {
        Finding(
            .objectGone, object: path, expected: "the object that was listed", actual: "none",
            message: "the object has gone from the store since it was listed",
            hint: "look at the store's own lifecycle rules and at the job that removes old backups")
    }

    /// - Parameter tier: As the store calls it; nil where it doesn't tell.
    static func archived(_ path: String, tier: String?) -> Finding {
        Finding(
            .artifactArchived, object: path, expected: "an object that can be fetched now", actual: tier ?? "an archive tier",
            message: "archived in \(tier ?? "an archive tier"): it must be restored first, which takes hours, and that counts into RTO",
            hint: "restore it in the store (aws s3api restore-object), wait, and run again; let no lifecycle rule take the newest")
    }
}

extension DrillFailure {
    /// What is archived shows no time of its own: a monthly that was uploaded anew today counts as today's backup.
    public var datedByItsStore: DrillFailure {
        let dated = "; it is dated by when it was stored (LastModified), and may be older than it seems"
        guard finding.rule == .artifactArchived, !finding.message.hasSuffix(dated) else { return self }
        var told = self
        told.finding.message += dated
        return told
    }
}
