// What rclone's exit and words say of a remote store or of one object in it, and whose fault that is.

import DrillModel
import Foundation

extension Rule {
    static let storeUnreachable = Rule("store-unreachable")
    static let storeBusy = Rule("store-busy")
    static let storeAccessDenied = Rule("store-access-denied")
    static let storeUntrusted = Rule("store-untrusted")
    static let objectDamaged = Rule("artifact-unreadable")
    static let objectGone = Rule("artifact-unreadable")
    static let objectChanged = Rule("object-changed")
}

/// One way in which a remote store didn't answer. rclone's own words are never shown: with some backends they hold addresses with secrets.
struct RemoteTrouble: Sendable, Hashable, Error {
    enum Kind: Sendable, Hashable {
        /// The bucket, the folder or the object isn't there.
        case missing
        case denied
        /// The certificate or the host key isn't one that is trusted.
        case untrusted
        case unreachable
        /// The content ended too soon, whoever cut it.
        case cutShort
        /// It answers that it can't serve now.
        case busy
        /// It answers that it is to be asked elsewhere, or for another region.
        case elsewhere
        /// The object lies in a tier that has to be restored first.
        case archived
        /// The remote's own encryption doesn't take what is stored.
        case damaged
        /// rclone's configuration declares no such remote.
        case undeclared
        /// rclone refuses the remote as it is declared.
        case misdeclared
        /// rclone was ended, since nothing had come for so long.
        case stalled
        case other
    }
    var kind: Kind
    /// A word out of ``RemoteCause``, or how rclone ended: what may be shown.
    var cause: String

    init(_ kind: Kind, cause: String = "") {
        self.kind = kind
        self.cause = cause
    }

    /// Reads it off rclone's log. The first that fits counts.
    init(exitCode: Int32?, log: String, ending: String) {
        // What is only worth a notice says nothing of the end, but for the end itself.
        let told = log.split(separator: "\n").filter { !$0.contains("NOTICE:") || $0.contains("NOTICE: Failed to ") }
            .joined(separator: "\n")
        let code = RemoteCause.code(in: told)
        cause = code ?? "rclone: \(ending)"
        let log = told.lowercased()
        func says(_ words: [String]) -> Bool { words.contains { log.contains($0) } }
        // Names of objects and numbers of requests stand in the log, too: a status counts only where it is called one.
        func status(_ codes: String) -> Bool {
            guard let pattern = try? Regex("(?:status ?code|error|status|http)[: ]+(?:\(codes))(?![0-9])") else { return false }
            return log.contains(pattern)
        }
        if says(["didn't find section in config file"]) {
            kind = .undeclared
        } else if exitCode == 3 || exitCode == 4 || says(["nosuchbucket", "nosuchkey"]) {
            kind = .missing
        } else if says([
            "x509:", "knownhosts:", "host key mismatch", "certificate signed by", "certificate is not", "certificate has expired",
        ]) {
            kind = .untrusted
        } else if says(["restore first", "invalidobjectstate", "blobarchived"]) {
            kind = .archived
        } else if says([
            "failed to authenticate decrypted block", "file is too short to be encrypted", "file has truncated block header",
            "not an encrypted file - bad magic string",
        ]) {
            kind = .damaged
        } else if status("30[1278]")
            || says(["authorizationheadermalformed", "permanentredirect", "temporaryredirect", "bucketregionerror"])
        {
            kind = .elsewhere
        } else if status("401|403")
            || says([
                "signaturedoesnotmatch", "invalidaccesskeyid", "accessdenied", "access denied", "unable to authenticate", "expiredtoken",
                "invalidtoken", "nocredentialproviders", "permission denied", "failed to parse private key", "no key found",
                "unable to decrypt configuration", "kms.",
            ])
        {
            kind = .denied
        } else if says(["directory not found", "object not found"]) {
            kind = .missing
        } else if status("5[0-9][0-9]|429") || says(["slowdown"]) {
            kind = .busy
        } else if says(["unexpected eof"]) {
            kind = .cutShort
        } else if says([
            "no such host", "connection refused", "i/o timeout", "timeout", "no route to host", "network is unreachable",
            "connection reset", "broken pipe", ": eof", "requesterror", "connection lost", "handshake failed",
            "couldn't connect",
        ]) {
            kind = .unreachable
        } else if says(["failed to create file system"]) {
            kind = .misdeclared
        } else {
            kind = .other
        }
    }

    /// Whether asking again may help.
    var mayPass: Bool { [.unreachable, .cutShort, .busy, .other].contains(kind) }

    /// Whether it may be one object's own, where others of the store can be read.
    var isOfAnObject: Bool { [.missing, .denied, .archived, .damaged, .cutShort, .other].contains(kind) }
}

/// The codes that S3 and its like give: what may be shown of rclone's words, since none of them can hold a secret.
enum RemoteCause {
    private static let codes = [
        "AccessDenied", "AccountProblem", "AllAccessDisabled", "AuthorizationHeaderMalformed", "BadDigest", "BucketRegionError",
        "ExpiredToken", "IllegalLocationConstraintException", "InternalError", "InvalidAccessKeyId", "InvalidBucketName",
        "InvalidObjectState", "InvalidRequest", "InvalidToken", "MovedPermanently", "KMS.DisabledException", "KMS.InvalidKeyUsageException",
        "KMS.InvalidStateException", "KMS.NotFoundException", "NoCredentialProviders", "NoSuchBucket", "NoSuchKey", "NotSignedUp",
        "PermanentRedirect", "RequestTimeTooSkewed", "RequestTimeout", "ServiceUnavailable", "SignatureDoesNotMatch", "SlowDown",
        "TemporaryRedirect", "TooManyRequests", "XAmzContentSHA256Mismatch",
    ]

    /// The first code that is followed by its message.
    static func code(in log: String) -> String? { codes.first { log.contains("\($0):") } }
}
