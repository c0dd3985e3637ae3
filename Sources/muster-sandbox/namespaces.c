// Namespaces: a network, process ids and a file system of the program's own.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox.h"

// Not <sys/mount.h>, which declares some of <linux/mount.h> once more.
extern int mount(const char *source, const char *target, const char *type, unsigned long flags, const void *data);
extern int umount2(const char *target, int flags);
enum { detach = 2 };

static void write_file(const char *path, const char *text) {
    int file = open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0 || write(file, text, strlen(text)) != (ssize_t)strlen(text)) fail("cannot write", path);
    close(file);
}

static void join_namespace(pid_t process, const char *name, int kind) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/ns/%s", process, name);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0 || setns(file, kind)) fail("cannot enter", path);
    close(file);
}

static void bring_up_loopback(void) {
    int handle = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    if (handle < 0 || ioctl(handle, SIOCSIFFLAGS, &request)) fail("cannot bring up the loopback device", NULL);
    close(handle);
}

void enter_namespaces(const struct options *options) {
    pid_t other = options->join ? options->join : options->join_network;
    if (other && options->user_namespace) join_namespace(other, "user", CLONE_NEWUSER);
    if (!other && options->user_namespace) {
        uid_t user = geteuid();
        gid_t group = getegid();
        if (unshare(CLONE_NEWUSER)) fail("no user namespace", NULL);
        char map[64];
        write_file("/proc/self/setgroups", "deny");
        snprintf(map, sizeof map, "%u %u 1", user, user);
        write_file("/proc/self/uid_map", map);
        snprintf(map, sizeof map, "%u %u 1", group, group);
        write_file("/proc/self/gid_map", map);
    }
    if (other) join_namespace(other, "net", CLONE_NEWNET);
    if (options->join) {
        join_namespace(other, "ipc", CLONE_NEWIPC);
        join_namespace(other, "pid", CLONE_NEWPID);
        join_namespace(other, "mnt", CLONE_NEWNS);
        return;
    }
    int wanted = (options->network && !other ? CLONE_NEWNET : 0) | (options->processes ? CLONE_NEWPID | CLONE_NEWIPC : 0);
    if (wanted && unshare(wanted)) fail("no namespace", NULL);
    if (options->loopback && !other) bring_up_loopback();
}

void enter_own_mounts(void) {
    if (unshare(CLONE_NEWNS)) fail("no mount namespace", NULL);
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)) fail("cannot make mounts private", NULL);
}

void mount_proc(const char *place) {
    // The old one shows the processes of the whole machine, and with them the environments of those of the same user.
    if (mount("proc", place, "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL)) fail("cannot mount", place);
}

// MARK: The view

static const char *root;

// A path below the new root. Each call has a buffer of its own, up to four at a time.
static const char *inside(const char *path) {
    static char buffers[4][PATH_MAX];
    static int next;
    char *buffer = buffers[next++ % 4];
    if (snprintf(buffer, PATH_MAX, "%s%s", root, path) >= PATH_MAX) { errno = ENAMETOOLONG; fail("cannot show", path); }
    return buffer;
}

// A folder on the way keeps whom it lets pass: what lay behind a closed one isn't to be opened by showing it.
static void make_folder(const char *path) {
    if (mkdir(path, 0755)) {
        if (errno != EEXIST) fail("cannot make", path);
        return;
    }
    struct stat original;
    if (stat(path + strlen(root), &original) || !S_ISDIR(original.st_mode)) return;
    // An ordinary user can give nothing away, and may pass where it could before.
    if (chown(path, original.st_uid, original.st_gid)) {}
    if (chmod(path, original.st_mode & 07777)) fail("cannot make", path);
}

static void make_folders(const char *path) {
    char copy[PATH_MAX];
    snprintf(copy, sizeof copy, "%s", path);
    for (char *at = copy + strlen(root) + 1; ; at++) {
        if (*at && *at != '/') continue;
        char end = *at;
        *at = 0;
        make_folder(copy);
        if (!end) return;
        *at = end;
    }
}

static void make_place(const char *path, const struct stat *kind) {
    if (S_ISDIR(kind->st_mode)) { make_folders(path); return; }
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%s", path);
    *strrchr(folder, '/') = 0;
    make_folders(folder);
    int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0444);
    if (file < 0) fail("cannot make", path);
    close(file);
}

// Read-only with all that is mounted below: a remount would leave that as it is.
static void make_read_only(const char *place) {
    struct mount_attr attributes = {.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID};
    if (syscall(SYS_mount_setattr, AT_FDCWD, place, AT_RECURSIVE, &attributes, sizeof attributes)) fail("cannot protect", place);
}

// Shows something of the machine at its own place. What isn't there needs no showing.
static void show(const char *path, bool writable) {
    struct stat kind;
    if (lstat(path, &kind)) return;
    const char *place = inside(path);
    if (S_ISLNK(kind.st_mode)) {
        char target[PATH_MAX];
        ssize_t length = readlink(path, target, sizeof target - 1);
        if (length < 0) return;
        target[length] = 0;
        char folder[PATH_MAX];
        snprintf(folder, sizeof folder, "%s", place);
        *strrchr(folder, '/') = 0;
        make_folders(folder);
        if (symlink(target, place) && errno != EEXIST) fail("cannot show", path);
        return;
    }
    struct stat there;
    // Part of something that is shown already.
    if (!lstat(place, &there) && there.st_dev == kind.st_dev && there.st_ino == kind.st_ino && !writable) return;
    make_place(place, &kind);
    // What is ours holds the new root itself, which isn't to be shown once more.
    if (mount(path, place, NULL, MS_BIND | (writable ? 0 : MS_REC), NULL)) fail("cannot show", path);
    if (!writable) make_read_only(place);
}

// What lies inside of something shown, and isn't to be seen.
static void hide(const char *path, const char *nothing) {
    struct stat kind;
    const char *place = inside(path);
    // The caller names places without links: one would lead out of the new root.
    if (lstat(place, &kind) || S_ISLNK(kind.st_mode)) return;
    if (S_ISDIR(kind.st_mode)) {
        if (mount("tmpfs", place, "tmpfs", MS_NOSUID | MS_NODEV | MS_RDONLY, "mode=0,size=4k")) fail("cannot hide", path);
    } else if (mount(nothing, place, NULL, MS_BIND, NULL) || mount(NULL, place, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL)) {
        fail("cannot hide", path);
    }
}

static void make_devices(void) {
    static const char *devices[] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"};
    make_folders(inside("/dev"));
    for (size_t at = 0; at < sizeof devices / sizeof *devices; at++) {
        struct stat kind;
        if (stat(devices[at], &kind)) continue;
        const char *place = inside(devices[at]);
        make_place(place, &kind);
        if (mount(devices[at], place, NULL, MS_BIND, NULL)) fail("cannot show", devices[at]);
    }
    symlink("/proc/self/fd", inside("/dev/fd"));
    symlink("/proc/self/fd/0", inside("/dev/stdin"));
    symlink("/proc/self/fd/1", inside("/dev/stdout"));
    symlink("/proc/self/fd/2", inside("/dev/stderr"));
    make_folders(inside("/dev/shm"));
    // As much as half of the machine's memory, the kernel's own bound.
    if (mount("tmpfs", inside("/dev/shm"), "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777")) fail("cannot make", "/dev/shm");
}

static void enter_root(void) {
    if (chdir(root)) fail("cannot enter", root);
    if (syscall(SYS_pivot_root, ".", ".")) {
        // The first file system of a machine can't be put aside, only covered; and a container's filter may know no such call.
        if ((errno != EINVAL && errno != EPERM) || mount(".", "/", NULL, MS_MOVE, NULL) || chroot(".")) fail("cannot change the root to", root);
    } else if (umount2(".", detach)) {
        fail("cannot put the old root aside", NULL);
    }
    if (chdir("/")) fail("cannot enter", "/");
}

void make_view(const struct options *options) {
    root = options->view;
    umask(0022);
    if (mount("tmpfs", root, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=1m")) fail("cannot make a file system at", root);
    // First: what is shown may lie in it.
    if (options->private_tmp) {
        static const char *places[] = {"/tmp", "/var/tmp"};
        for (size_t at = 0; at < 2; at++) {
            make_folders(inside(places[at]));
            if (mount(options->private_tmp, inside(places[at]), NULL, MS_BIND, NULL)) fail("cannot show", places[at]);
        }
    }
    for (size_t at = 0; at < options->readable.count; at++) show(options->readable.items[at], false);
    char nothing[PATH_MAX];
    snprintf(nothing, sizeof nothing, "%s/.nothing", root);
    int file = open(nothing, O_WRONLY | O_CREAT | O_CLOEXEC, 0);
    if (file < 0) fail("cannot make", nothing);
    close(file);
    for (size_t at = 0; at < options->hidden.count; at++) hide(options->hidden.items[at], nothing);
    unlink(nothing);
    make_devices();
    // After what hides: a scratch folder may lie inside of what is hidden.
    for (size_t at = 0; at < options->writable.count; at++) show(options->writable.items[at], true);
    make_folders(inside("/proc"));
    mount_proc(inside("/proc"));
    if (mount(NULL, root, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV, NULL)) fail("cannot protect", "/");
    enter_root();
}
