// Linux calls that Swift can't make because C declares them variadic.
//
// The headers hold types of Glibc's own, such as `struct stat`. In an optimised build (6.3), which reads a module's files as one, these count as
// this module's where the first file to import anything imports it before Glibc: such a file must not come first by its name.
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/types.h>

// Takes from this process the leave to be dumped or traced by others of its user.
static inline int muster_forbid_core_dumps(void) { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }

// The columns of the terminal behind a descriptor; 0 where it is none.
static inline int muster_terminal_columns(int descriptor) {
    struct winsize size;
    return ioctl(descriptor, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

// Declared here, since the C library shows it to those only who ask for GNU's extensions first.
extern int pipe2(int ends[2], int flags);

// A pipe that no program inherits.
static inline int muster_pipe(int *ends) { return pipe2(ends, O_CLOEXEC); }

// Declared here for the same reason.
extern int memfd_create(const char *name, unsigned int flags);

// A file in memory alone, that no program inherits. 1 is MFD_CLOEXEC.
static inline int muster_memory_file(void) { return memfd_create("muster", 1U); }

// Whoever listens at the other end of a Unix socket, by our numbers; 0 where that is none of ours to know. The kernel's own layout of
// its answer, since the C library shows it to those only who ask for GNU's extensions first.
static inline pid_t muster_listener(int descriptor) {
    struct { pid_t process; uid_t user; gid_t group; } peer = {0};
    socklen_t size = sizeof peer;
    return getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 ? peer.process : 0;
}

// MARK: Files in folders that belong to somebody else

#include <errno.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// Opens a path of which no part is a link: whoever owns a folder on the way could have put one there since.
static inline int muster_open_without_links(const char *path, int flags, unsigned mode) {
    struct open_how how = {.flags = (unsigned)(flags | O_CLOEXEC | O_NOFOLLOW), .resolve = RESOLVE_NO_SYMLINKS};
    if (flags & O_CREAT) how.mode = mode;
    long file = syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how);
    // Before Linux 5.6, and under a container's old filter: the last part at least.
    if (file < 0 && (errno == ENOSYS || errno == EPERM)) file = open(path, flags | O_CLOEXEC | O_NOFOLLOW, mode);
    return (int)file;
}

// Makes a new file there for writing. What lay there under that name, a link to somewhere else say, is left alone and loses its name.
static inline int muster_create_without_links(const char *path) {
    char folder[PATH_MAX];
    const char *name = strrchr(path, '/');
    if (!name || (size_t)(name - path) >= sizeof folder) { errno = ENAMETOOLONG; return -1; }
    memcpy(folder, path, (size_t)(name - path));
    folder[name - path] = 0;
    int parent = muster_open_without_links(folder, O_RDONLY | O_DIRECTORY, 0);
    if (parent < 0) return -1;
    unlinkat(parent, name + 1, 0);
    int file = openat(parent, name + 1, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    int error = errno;
    close(parent);
    errno = error;
    return file;
}
