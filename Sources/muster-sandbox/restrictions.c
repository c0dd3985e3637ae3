// What works without namespaces, in a container as well: Landlock for files, a filter of system calls for networks.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox.h"

// A program that another one starts would get what is inheritable and in its file's own set.
void drop_inheritable_capabilities(void) {
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct sets[2];
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    if (syscall(SYS_capget, &head, sets)) fail("cannot read capabilities", NULL);
    sets[0].inheritable = sets[1].inheritable = 0;
    if (syscall(SYS_capset, &head, sets)) fail("cannot drop capabilities", NULL);
}

// MARK: Landlock

// As the kernel has them; the headers of a distribution may be older than its kernel.
struct ruleset {
    uint64_t files, network, scope;
};

struct __attribute__((packed)) rule {
    uint64_t allowed;
    int32_t folder;
};

enum {
    create_ruleset = 444, add_rule = 445, restrict_self = 446,
    execute = 1 << 0, write_file = 1 << 1, read_file = 1 << 2, read_folder = 1 << 3,
    // Of files, and not of folders alone.
    of_files = execute | write_file | read_file | 1 << 14 | 1 << 15,
};

static uint64_t known_rights(long abi) {
    if (abi >= 5) return (1 << 16) - 1;
    if (abi >= 3) return (1 << 15) - 1;
    if (abi >= 2) return (1 << 14) - 1;
    return (1 << 13) - 1;
}

static void allow(int rules, const char *path, uint64_t rights) {
    int item = open(path, O_PATH | O_CLOEXEC);
    if (item < 0) return;
    struct stat kind;
    if (!fstat(item, &kind)) {
        struct rule rule = {S_ISDIR(kind.st_mode) ? rights : rights & of_files, item};
        if (syscall(add_rule, rules, 1, &rule, 0)) fail("cannot allow", path);
    }
    close(item);
}

void restrict_files(const struct options *options) {
    long abi = syscall(create_ruleset, NULL, 0, 1);
    if (abi < 1) fail("no Landlock", NULL);
    uint64_t all = known_rights(abi);
    struct ruleset wanted = {
        .files = all,
        // Neither bind nor connect; no abstract socket and no signal that leads out.
        .network = abi >= 4 ? 3 : 0, .scope = abi >= 6 ? 3 : 0,
    };
    size_t size = abi >= 6 ? 24 : abi >= 4 ? 16 : 8;
    int rules = syscall(create_ruleset, &wanted, size, 0);
    if (rules < 0) fail("no Landlock", NULL);
    uint64_t read = execute | read_file | read_folder;
    for (size_t at = 0; at < options->readable.count; at++) allow(rules, options->readable.items[at], read);
    for (size_t at = 0; at < options->writable.count; at++) allow(rules, options->writable.items[at], all);
    static const char *devices[] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/shm"};
    for (size_t at = 0; at < sizeof devices / sizeof *devices; at++) allow(rules, devices[at], all & ~(uint64_t)execute);
    // What concerns other processes there Landlock keeps to those of the same domain.
    allow(rules, "/proc", (read_file | write_file | read_folder) & all);
    if (syscall(restrict_self, rules, 0)) fail("cannot apply Landlock", NULL);
    close(rules);
}

// MARK: The filter

#if defined(__x86_64__)
#define OWN_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OWN_ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "name this architecture's AUDIT_ARCH here"
#endif

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define REFUSE(error) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (error))
// The next instruction is for this one alone.
#define UNLESS(value, skipped) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, (skipped))
#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define GO_ON BPF_STMT(BPF_LD | BPF_W | BPF_IMM, 0)
// Without the flags that stand beside it.
#define SOCKET_TYPE BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xf)
#define NEVER(call) UNLESS(SYS_##call, 1), REFUSE(EPERM)
// Upon itself, which is process 0, and on no other: by limits and priorities a process can be ended as well as by signals.
#define OF_ITSELF(call, argument) UNLESS(SYS_##call, 4), LOAD(args[argument]), UNLESS(0, 1), ALLOW, \
    alone ? (struct sock_filter)ALLOW : (struct sock_filter)REFUSE(EPERM)

// What no program of a drill needs, and, without namespaces, what a socket leads to.
void filter_calls(bool only_unix, bool alone, bool connects) {
    struct sock_filter filter[] = {
        LOAD(arch),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, OWN_ARCHITECTURE, 1, 0),
        // The calls of another architecture have other numbers.
        REFUSE(ENOSYS),
        LOAD(nr),
#if defined(__x86_64__)
        // Those of x32 are the same, with this bit.
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1),
        REFUSE(ENOSYS),
#endif
        // It opens sockets without the call that is looked at below.
        NEVER(io_uring_setup),
        NEVER(ptrace),
        // A session's keyring is inherited, whatever user a program changes to.
        NEVER(keyctl),
        NEVER(add_key),
        NEVER(request_key),
        OF_ITSELF(prlimit64, 0),
        OF_ITSELF(setpriority, 1),
        OF_ITSELF(sched_setaffinity, 0),
        OF_ITSELF(sched_setscheduler, 0),
        OF_ITSELF(sched_setparam, 0),
        OF_ITSELF(sched_setattr, 0),
        OF_ITSELF(ioprio_set, 1),
        UNLESS(SYS_connect, 1),
        connects ? (struct sock_filter)ALLOW : (struct sock_filter)REFUSE(EACCES),
        // Datagrams reach a socket without a call; a raw one is their other name.
        UNLESS(SYS_socketpair, 6),
        LOAD(args[1]),
        SOCKET_TYPE,
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SOCK_STREAM, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SOCK_SEQPACKET, 1, 0),
        connects ? (struct sock_filter)ALLOW : (struct sock_filter)REFUSE(EACCES),
        ALLOW,
        UNLESS(SYS_socket, 10),
        LOAD(args[1]),
        SOCKET_TYPE,
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SOCK_STREAM, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SOCK_SEQPACKET, 1, 0),
        connects ? (struct sock_filter)GO_ON : (struct sock_filter)REFUSE(EACCES),
        LOAD(args[0]),
        UNLESS(only_unix ? AF_UNIX : AF_VSOCK, 2),
        // Those to a machine's host belong to no network namespace; without one, a server and its clients need Unix ones.
        only_unix ? (struct sock_filter)ALLOW : (struct sock_filter)REFUSE(EAFNOSUPPORT),
        ALLOW,
        only_unix ? (struct sock_filter)REFUSE(EAFNOSUPPORT) : (struct sock_filter)ALLOW,
        ALLOW,
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) fail("cannot filter system calls", NULL);
}
