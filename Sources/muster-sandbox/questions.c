// Asks the quarantine itself what a program in it could do. Nothing is changed by a question.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "sandbox.h"

static bool can_read(const char *path) {
    int item = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (item >= 0) close(item);
    return item >= 0;
}

static bool can_write(const char *path) {
    struct stat kind;
    if (stat(path, &kind) || faccessat(AT_FDCWD, path, W_OK, AT_EACCESS)) return false;
    // Landlock is not asked by the call above. A file without a name leaves no trace, an opened one stays as it is.
    int item = S_ISDIR(kind.st_mode) ? open(path, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600) : open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    if (item >= 0) close(item);
    // Where the file system knows no such files, the first answer stands.
    return item >= 0 || errno == EOPNOTSUPP || errno == EISDIR;
}

// Landlock keeps nobody from changing modes, times and attributes: what one owns, and what the mode lets one write.
static bool can_change(const char *path) {
    struct stat kind;
    struct statvfs system;
    if (stat(path, &kind) || statvfs(path, &system) || system.f_flag & ST_RDONLY) return false;
    return (kind.st_uid == geteuid() || !faccessat(AT_FDCWD, path, W_OK, AT_EACCESS));
}

// Nobody listens there, so nobody is disturbed; where calls are refused altogether it is not even looked for.
static bool can_call(void) {
    int datagrams = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (datagrams >= 0) close(datagrams);
    if (datagrams >= 0 || errno != EACCES) return true;
    struct sockaddr_un nobody = {AF_UNIX, "/muster-calls-nobody"};
    int handle = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (handle < 0) return true;
    bool refused = connect(handle, (struct sockaddr *)&nobody, sizeof nobody) && errno == EACCES;
    close(handle);
    return !refused;
}

// A client needs the right to write; nobody is to be disturbed by a call.
static bool can_connect(const char *path) {
    struct stat kind;
    return can_call() && !stat(path, &kind) && S_ISSOCK(kind.st_mode) && !faccessat(AT_FDCWD, path, W_OK, AT_EACCESS);
}

// Nothing is sent: whether it would be allowed is answered all the same.
static bool can_signal(const char *process) {
    return atoi(process) > 0 && kill(atoi(process), 0) == 0;
}

static bool can_use_internet(void) {
    int handle = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (handle >= 0) close(handle);
    return handle >= 0;
}

int answer(void) {
    char line[8192];
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = 0;
        char *path = strchr(line, ' ');
        if (path) *path++ = 0;
        bool known = true, yes = false;
        if (path && !strcmp(line, "read")) yes = can_read(path);
        else if (path && !strcmp(line, "write")) yes = can_write(path);
        else if (path && !strcmp(line, "change")) yes = can_change(path);
        else if (path && !strcmp(line, "connect")) yes = can_connect(path);
        else if (path && !strcmp(line, "signal")) yes = can_signal(path);
        else if (!strcmp(line, "internet")) yes = can_use_internet();
        else if (!strcmp(line, "call")) yes = can_call();
        else known = false;
        puts(!known ? "unknown" : yes ? "yes" : "no");
    }
    return fflush(stdout) ? 1 : 0;
}
