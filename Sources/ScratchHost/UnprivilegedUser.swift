// Who the scratch servers run as.

import Glibc

/// The operating-system user that scratch servers and restore tools run as.
public struct UnprivilegedUser: Sendable, Hashable {
    public var name: String
    public var userID: UInt32
    public var groupID: UInt32

    /// Names tried when Muster itself runs as root: a user made for it first, then the one that owns nothing.
    ///
    /// Never `postgres` or `redis`: on a database host those own production's files.
    public static let candidates = ["muster", "nobody"]

    /// The user for this process: nil where Muster is not root and everything simply runs as the caller.
    public static func current() throws(ScratchError) -> UnprivilegedUser? {
        guard geteuid() == 0 else { return nil }
        guard mayChangeUsers else {
            throw ScratchError(
                .refused,
                "muster runs as a root that may not change to another user or give files to one (CAP_CHOWN, CAP_SETUID, CAP_SETGID)",
                hint: "run it as an ordinary user, such as docker run --user 65534, or give those capabilities back")
        }
        for name in candidates {
            if let user = lookUp(name) { return user }
        }
        throw ScratchError(
            .refused, "muster runs as root and this machine has neither a user \(candidates.joined(separator: " nor ")) to drop to",
            hint: "create one with: useradd --system --no-create-home muster")
    }

    /// The words that go before a command line so that it runs as this user, with no way back.
    public var prefix: [String] {
        [
            "setpriv", "--reuid=\(userID)", "--regid=\(groupID)", "--clear-groups", "--no-new-privs", "--inh-caps=-all", "--",
        ]
    }

    private static var mayChangeUsers: Bool {
        let status = String(decoding: ProcessTable.read("/proc/self/status") ?? [], as: UTF8.self)
        let line = status.split(separator: "\n").first { $0.hasPrefix("CapEff:") }
        guard let digits = line?.split(whereSeparator: \.isWhitespace).last, let effective = UInt64(digits, radix: 16) else { return true }
        // CAP_CHOWN, CAP_SETGID, CAP_SETUID.
        return [0, 6, 7].allSatisfy { effective & 1 << $0 != 0 }
    }

    /// As initdb asks for it: what `USER` says is no name of this machine's, and an id of a container's own choice has none.
    static func name(of userID: UInt32) -> String? {
        var record = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 16384)
        guard getpwuid_r(userID, &record, &buffer, buffer.count, &found) == 0, found != nil, let name = record.pw_name else { return nil }
        return String(cString: name)
    }

    private static func lookUp(_ name: String) -> UnprivilegedUser? {
        var record = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 16384)
        let status = getpwnam_r(name, &record, &buffer, buffer.count, &found)
        guard status == 0, found != nil, record.pw_uid != 0 else { return nil }
        return UnprivilegedUser(name: name, userID: record.pw_uid, groupID: record.pw_gid)
    }
}
