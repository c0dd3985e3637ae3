// Starts one program of a drill inside its quarantine, and outlives it until nothing of it is left.
//
//   muster-sandbox [option ...] -- program [argument ...]
//   muster-sandbox [option ...] --ask    questions on standard input, answers on standard output, a line each
//
// A program of its own, and in C, because all of this happens between fork and exec, where no Swift may run. Muster alone calls it: the
// options are no interface. docs/security.md says what each kind of quarantine holds back, and which test shows it.
//
// It ends as the program ended, by its exit code or its signal; with 125 where the quarantine could not be set up, and 127 where the
// program could not be run in it: the reason then stands on standard error.

#define _GNU_SOURCE
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

void fail(const char *what, const char *object) {
    int error = errno;
    dprintf(STDERR_FILENO, "muster-sandbox: %s%s%s: %s\n", what, object ? " " : "", object ? object : "", strerror(error));
    _exit(125);
}

static void refuse(const char *what, const char *object) {
    dprintf(STDERR_FILENO, "muster-sandbox: %s %s\n", what, object);
    _exit(125);
}

static void parse(int count, char **words, struct options *options) {
    options->user = options->group = -1;
    for (int at = 1; at < count; at++) {
        const char *word = words[at];
        if (strcmp(word, "--") == 0) {
            options->command = words + at + 1;
            if (!*options->command) refuse("no program after", "--");
            return;
        }
        if (strcmp(word, "--ask") == 0) { options->ask = true; return; }
        if (strcmp(word, "--user-namespace") == 0) { options->user_namespace = true; continue; }
        if (strcmp(word, "--network") == 0) { options->network = true; continue; }
        if (strcmp(word, "--loopback") == 0) { options->network = options->loopback = true; continue; }
        if (strcmp(word, "--processes") == 0) { options->processes = true; continue; }
        if (strcmp(word, "--landlock") == 0) { options->landlock = true; continue; }
        if (strcmp(word, "--no-internet") == 0) { options->no_internet = true; continue; }
        if (strcmp(word, "--no-connect") == 0) { options->no_connect = true; continue; }
        if (strcmp(word, "--no-new-privileges") == 0) { options->no_new_privileges = true; continue; }
        const char *value = at + 1 < count ? words[++at] : NULL;
        if (!value) refuse("no value after", word);
        if (strcmp(word, "--view") == 0) options->view = value;
        else if (strcmp(word, "--private-tmp") == 0) options->private_tmp = value;
        else if (strcmp(word, "--read") == 0) add(&options->readable, value);
        else if (strcmp(word, "--write") == 0) add(&options->writable, value);
        else if (strcmp(word, "--hide") == 0) add(&options->hidden, value);
        else if (strcmp(word, "--join-network") == 0) options->join_network = atoi(value);
        else if (strcmp(word, "--join") == 0) options->join = atoi(value);
        else if (strcmp(word, "--user") == 0) options->user = atol(value);
        else if (strcmp(word, "--group") == 0) options->group = atol(value);
        else if (strcmp(word, "--pid-file") == 0) options->pid_file = value;
        else refuse("unknown option", word);
    }
    refuse("no program", "");
}

void add(struct paths *paths, const char *path) {
    paths->items = realloc(paths->items, (paths->count + 1) * sizeof *paths->items);
    if (!paths->items) fail("no memory", NULL);
    paths->items[paths->count++] = path;
}

// The rights go before the program begins; what stays is what its user has, and no program can give it more.
static void drop_rights(const struct options *options) {
    struct rlimit none = {0, 0};
    // A core file would hold the restored data.
    setrlimit(RLIMIT_CORE, &none);
    if (options->no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) fail("cannot give up new privileges", NULL);
    if (options->group >= 0) {
        if (setgroups(0, NULL) || setresgid(options->group, options->group, options->group)) fail("cannot change the group", NULL);
    }
    if (options->user >= 0 && setresuid(options->user, options->user, options->user)) fail("cannot change the user", NULL);
    if (options->user >= 0 && setuid(0) == 0) refuse("the rights of root", "are still there");
    drop_inheritable_capabilities();
}

extern char **environ;

// What would act on whoever loads a program, this one too, comes under another name and is the inner program's alone.
static void restore_variables(void) {
    static const char prefix[] = "MUSTER_INNER_";
    for (char **entry = environ; *entry; entry++) {
        if (strncmp(*entry, prefix, sizeof prefix - 1) == 0) *entry += sizeof prefix - 1;
    }
}

// The program itself: everything that holds it back is in force before its first instruction.
static void become(const struct options *options, const char *folder, int report) {
    for (int signal = 1; signal < NSIG; signal++) {
        if (signal != SIGKILL && signal != SIGSTOP) sigaction(signal, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
    }
    drop_rights(options);
    // Where the outer process is killed nothing of it runs on; after the change of user, which would undo it.
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    // Only now: while the rights last, a folder that is another user's would be in reach.
    if (options->ask) folder = "/";
    if (folder && chdir(folder)) fail("cannot work in", folder);
    if (options->landlock) restrict_files(options);
    if (options->no_new_privileges) filter_calls(options->no_internet, options->processes, !options->no_connect);
    // The kernel adds to this message which process sent it, in the numbers of whoever reads it.
    if (send(report, "", 1, MSG_NOSIGNAL) != 1) fail("cannot report", NULL);
    if (options->ask) _exit(answer());
    // All but the three standard ones; the report's end closes with the exec.
    close_others(report);
    restore_variables();
    execvp(options->command[0], options->command);
    dprintf(STDERR_FILENO, "muster-sandbox: cannot run %s: %s\n", options->command[0], strerror(errno));
    _exit(127);
}

// What is standard to the program is not to be held open by those who wait for it.
static void let_go_of_standard_files(void) {
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0) return;
    for (int at = 0; at < 3; at++) dup2(null, at);
    if (null > 2) close(null);
}

static void kill_children(void) {
    pid_t children[512];
    int count = children_of(getpid(), children, 512);
    for (int at = 0; at < count; at++) kill(children[at], SIGKILL);
}

// Waits for the program, and takes in what it leaves behind. Returns how it ended.
static int outlive(pid_t program) {
    int status = 0;
    for (;;) {
        int one;
        pid_t ended = waitpid(-1, &one, 0);
        if (ended == program) { status = one; break; }
        if (ended < 0 && errno != EINTR) fail("cannot wait", NULL);
    }
    return status;
}

// What the program left behind came to this process, in whatever session and environment it hides.
static void end_the_rest(void) {
    for (int round = 0; round < 10000; round++) {
        pid_t ended;
        while ((ended = waitpid(-1, NULL, WNOHANG)) > 0) {}
        if (ended < 0 && errno == ECHILD) return;
        kill_children();
        usleep(1000);
    }
}

// The numbers of a process differ from one namespace to the next: the message's sender is told in ours.
static pid_t sender(int report) {
    char byte;
    union { char bytes[CMSG_SPACE(sizeof(struct ucred))]; struct cmsghdr aligned; } control;
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    ssize_t length;
    while ((length = recvmsg(report, &message, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR) {}
    if (length != 1) return 0;
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    if (!head || head->cmsg_type != SCM_CREDENTIALS) return 0;
    return ((struct ucred *)CMSG_DATA(head))->pid;
}

// Returns when the program has begun, or could not. Where nobody could be told which process it is, it ends: its caller waits for that.
static void wait_for_exec(int report, const char *file, pid_t child) {
    pid_t program = sender(report);
    char byte;
    while (read(report, &byte, 1) < 0 && errno == EINTR) {}
    if (program == 0 || !file) return;
    char unfinished[PATH_MAX];
    snprintf(unfinished, sizeof unfinished, "%s.new", file);
    int descriptor = open(unfinished, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (descriptor < 0 || dprintf(descriptor, "%d\n", program) < 0 || close(descriptor) || rename(unfinished, file)) {
        int error = errno;
        kill(child, SIGKILL);
        errno = error;
        fail("cannot write", file);
    }
}

static void end_as(int status) {
    if (WIFSIGNALED(status)) {
        sigaction(WTERMSIG(status), &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
        raise(WTERMSIG(status));
        // Of one that doesn't end a process by itself.
        _exit(128 + WTERMSIG(status));
    }
    _exit(WEXITSTATUS(status));
}

// The first process of a namespace: what its end leaves behind ends with it, by the kernel.
static void be_first(const struct options *options, const char *folder, int report, int ending, char **words) {
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    prctl(PR_SET_NAME, "muster-init", 0, 0, 0);
    // Not before: a change of the root changes that of all who are in the same mounts, the outer process with them.
    enter_own_mounts();
    if (options->view) make_view(options);
    else mount_proc("/proc");
    pid_t program = fork();
    if (program < 0) fail("cannot fork", NULL);
    if (program == 0) {
        close(ending);
        become(options, folder, report);
    }
    close(report);
    let_go_of_standard_files();
    // The program may look at this process: what it may not see is not to be named here either.
    for (char **word = words + 1; *word; word++) memset(*word, 0, strlen(*word));
    int status = outlive(program);
    while (write(ending, &status, sizeof status) < 0 && errno == EINTR) {}
    _exit(0);
}

int main(int count, char **words) {
    struct options options = {0};
    parse(count, words, &options);
    // The folder is looked for again among what can be seen then.
    char here[PATH_MAX];
    const char *folder = getcwd(here, sizeof here) ? here : NULL;

    // Whoever ends a drill sends its signals to all of it, and this process goes last.
    for (int at = 0; at < 4; at++) {
        int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT};
        sigaction(signals[at], &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
    }
    // Ignored by who called, no child could be waited for.
    sigaction(SIGCHLD, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);

    int report[2], ending[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, report) || pipe2(ending, O_CLOEXEC)) fail("cannot make a pipe", NULL);
    if (setsockopt(report[0], SOL_SOCKET, SO_PASSCRED, &(int){1}, sizeof(int))) fail("cannot ask for process ids", NULL);
    enter_namespaces(&options);

    // With a view come processes of its own, so that the /proc in it can be a new one.
    bool has_first = options.processes && !options.join;
    pid_t child = fork();
    if (child < 0) fail("cannot fork", NULL);
    if (child == 0) {
        close(report[0]);
        close(ending[0]);
        if (has_first) be_first(&options, folder, report[1], ending[1], words);
        become(&options, folder, report[1]);
    }
    close(report[1]);
    close(ending[1]);
    wait_for_exec(report[0], options.pid_file, child);
    let_go_of_standard_files();
    int status = outlive(child);
    // The first one reports how the program ended, since it can't die as the program did.
    int inner;
    if (has_first && read(ending[0], &inner, sizeof inner) == sizeof inner) status = inner;
    // Among other processes' ids than its own it would meet a stranger's children.
    if (!options.join) end_the_rest();
    end_as(status);
}
