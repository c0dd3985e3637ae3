// Linux calls that Swift can't make because C declares them variadic.
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>

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
