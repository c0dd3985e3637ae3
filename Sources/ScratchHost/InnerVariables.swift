// Variables that act on whoever loads a program, before its first instruction.

/// A program of the quarantine is started by Muster's own, which may be root: what a backup's configuration or a drill file says to the loader
/// is for the program alone. It goes by another name until then; `muster-sandbox` takes that off as its last act.
enum InnerVariables {
    private static let prefix = "MUSTER_INNER_"
    /// Those that the C library ignores in programs with more rights than their caller, and that name files or change how it allocates.
    private static let ofLibrary: Set<String> = [
        "GCONV_PATH", "GETCONF_DIR", "GLIBC_TUNABLES", "HOSTALIASES", "LOCALDOMAIN", "LOCPATH", "MALLOC_ARENA_MAX", "MALLOC_CHECK_",
        "MALLOC_PERTURB_", "MALLOC_TRACE", "NIS_PATH", "NLSPATH", "RESOLV_HOST_CONF", "RES_OPTIONS", "TZDIR",
    ]

    static func renamed(_ environment: [String: String]) -> [String: String] {
        Dictionary(
            environment.map { name, value in
                (name.hasPrefix("LD_") || ofLibrary.contains(name) ? prefix + name : name, value)
            }, uniquingKeysWith: { $1 })
    }
}
