// How many files this process may have open at once.

import Glibc

/// The limit of open files (`ulimit -n`). Foundation and Subprocess end a program that meets it, or wait for ever.
public enum OpenFiles {
    /// What drills were tried with on any machine; systemd and most shells give as many by themselves.
    private static let enough: rlim_t = 1024
    /// A drill of several services and their segments on many processors.
    private static let fewest: rlim_t = 256

    /// Raises the limit as far as this process may, as servers do for themselves.
    ///
    /// Not beyond 1024, so that it may be passed on: a scratch server needs the files as well (Postgres doesn't start with fewer than some
    /// 60), and nothing that counts on `select` meets a higher number than it has room for. A higher limit stays as it was given.
    /// - Throws: ``ScratchError`` where that isn't enough.
    public static func raiseLimit() throws(ScratchError) {
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        var limit = rlimit()
        guard getrlimit(resource, &limit) == 0, limit.rlim_cur < enough else { return }
        limit.rlim_cur = min(limit.rlim_max, enough)
        guard setrlimit(resource, &limit) == 0, limit.rlim_cur >= fewest else {
            throw ScratchError(
                .refused, "this process may have \(limit.rlim_cur) files open at once, and a drill needs \(fewest)",
                hint:
                    "raise the hard limit, which ulimit -Hn shows: LimitNOFILE= of a systemd unit, docker run --ulimit nofile=1024, limits.conf"
            )
        }
    }
}
