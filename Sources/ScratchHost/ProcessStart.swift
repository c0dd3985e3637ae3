// What this process needs before it can do anything at all, and what it doesn't take over from whoever started it.

import CLinux
import Glibc

/// The first thing that a command does, before there is a second thread.
public enum ProcessStart {
    /// - Throws: ``ScratchError`` where not even the command line can be read: Swift takes it from /proc, and without that every command would
    ///   be its help, and end well.
    public static func prepare() throws(ScratchError) {
        // What is set to nothing isn't set: to the C library such a PATH is the working folder.
        if let path = getenv("PATH"), path.pointee == 0 { unsetenv("PATH") }
        guard access("/proc/self/cmdline", R_OK) == 0, !CommandLine.arguments.isEmpty else {
            throw ScratchError(
                .fileSystem, "/proc can't be read, so what was asked for is not known",
                hint: "mount it: mount -t proc proc /proc; in a chroot, mount --rbind /proc CHROOT/proc before")
        }
    }

    /// Keys live in this process' memory: no core file of it may ever be written.
    public static func forbidCoreDumps() {
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
        // The limit alone doesn't hold where the kernel hands cores to a program.
        _ = muster_forbid_core_dumps()
    }
}
