// initdb: an empty cluster for a scratch server.

public import Foundation

/// Every end but 0 is an error of this machine's.
public struct Initdb: Sendable {
    /// The program's path.
    public var program: String

    public init(program: String) { self.program = program }

    /// Nobody but the drill's own user reaches its socket, so nobody is asked for a password.
    public func make(_ dataFolder: URL, superuser: String, hasChecksums: Bool) -> [String] {
        [program, "-D", dataFolder.path, "-U", superuser, "-E", "UTF8", "--locale=C", "-A", "trust", "--no-sync"]
            + (hasChecksums ? ["--data-checksums"] : [])
    }
}
