// Linux calls that Swift can't make because C declares them variadic.
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

// Whoever listens at the other end of a Unix socket, by our numbers; 0 where that is none of ours to know. The kernel's own layout of
// its answer, since the C library shows it to those only who ask for GNU's extensions first.
static inline pid_t muster_listener(int descriptor) {
    struct { pid_t process; uid_t user; gid_t group; } peer = {0};
    socklen_t size = sizeof peer;
    return getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 ? peer.process : 0;
}
