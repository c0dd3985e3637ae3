// A store that rclone reaches: an object store, an SFTP host, or any remote of an rclone configuration.

public import Foundation

/// Where a remote store lies, and which of the estate's keys open it. The secrets themselves are never in here.
public enum RemoteStore: Sendable, Hashable {
    case s3(ObjectStore)
    case sftp(SSHHost)
    case rclone(RcloneRemote)

    /// S3 and whatever speaks its protocol.
    public struct ObjectStore: Sendable, Hashable {
        /// nil: Amazon's own, by the region.
        public var endpoint: URL?
        public var bucket: String
        /// What all keys of this store begin with; nil: the whole bucket.
        public var prefix: String?
        public var region: String?
        /// The names of the estate's keys that hold the pair; nil: the environment's AWS_ACCESS_KEY_ID and its kin.
        public var credentials: Credentials?
        /// The PEM file of the authority that the endpoint's certificate is signed by; nil: this machine's own.
        public var authority: URL?

        public struct Credentials: Sendable, Hashable {
            public var accessKey: String
            public var secretKey: String

            public init(accessKey: String, secretKey: String) {
                self.accessKey = accessKey
                self.secretKey = secretKey
            }
        }

        public init(
            endpoint: URL?, bucket: String, prefix: String? = nil, region: String? = nil, credentials: Credentials? = nil,
            authority: URL? = nil
        ) {
            self.endpoint = endpoint
            self.bucket = bucket
            self.prefix = prefix
            self.region = region
            self.credentials = credentials
            self.authority = authority
        }
    }

    /// A folder behind SSH.
    public struct SSHHost: Sendable, Hashable {
        public enum Credential: Sendable, Hashable {
            /// The name of the estate's key that holds a private key, PEM, without a passphrase of its own.
            case privateKey(String)
            case password(String)
        }
        public var host: String
        public var port: Int
        public var user: String
        /// On that host; relative to the user's home where it doesn't begin with a slash.
        public var path: String
        public var credential: Credential
        /// The host must be one of these: an unknown host is never spoken to.
        public var knownHosts: URL

        public init(host: String, port: Int = 22, user: String, path: String, credential: Credential, knownHosts: URL) {
            self.host = host
            self.port = port
            self.user = user
            self.path = path
            self.credential = credential
            self.knownHosts = knownHosts
        }
    }

    /// A remote that an rclone configuration declares.
    public struct RcloneRemote: Sendable, Hashable {
        /// `NAME:path`, as rclone's own command line has it.
        public var remote: String
        public var configuration: URL
        /// The name of the estate's key that opens the configuration, where that is encrypted.
        public var password: String?

        public init(remote: String, configuration: URL, password: String? = nil) {
            self.remote = remote
            self.configuration = configuration
            self.password = password
        }
    }

    /// As a person writes it; holds no secret.
    public var address: String {
        switch self {
        case .s3(let store):
            let path = ([store.bucket] + [store.prefix].compactMap { $0 }).joined(separator: "/")
            return "s3://\(path)" + (store.endpoint?.host.map { " at \($0)" } ?? "")
        case .sftp(let host):
            return "sftp://\(host.user)@\(host.host)" + (host.port == 22 ? "" : ":\(host.port)") + "/" + host.path.drop { $0 == "/" }
        case .rclone(let remote): return remote.remote
        }
    }

    /// The names of the estate's keys that it needs.
    public var keys: [String] {
        switch self {
        case .s3(let store): store.credentials.map { [$0.accessKey, $0.secretKey] } ?? []
        case .sftp(let host):
            switch host.credential {
            case .privateKey(let name), .password(let name): [name]
            }
        case .rclone(let remote): [remote.password].compactMap { $0 }
        }
    }
}
