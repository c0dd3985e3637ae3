// What /proc tells of processes, for one that may not allocate much.

#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox.h"

static pid_t parent_of(const char *process) {
    char path[64], text[512];
    snprintf(path, sizeof path, "/proc/%.20s/stat", process);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return -1;
    ssize_t length = read(file, text, sizeof text - 1);
    close(file);
    if (length <= 0) return -1;
    text[length] = 0;
    // The name in parentheses may hold anything; behind it come the state and the parent.
    const char *name_end = strrchr(text, ')');
    int parent;
    return name_end && sscanf(name_end + 1, " %*c %d", &parent) == 1 ? parent : -1;
}

int children_of(pid_t parent, pid_t *children, int room) {
    DIR *folder = opendir("/proc");
    if (!folder) return 0;
    int count = 0;
    struct dirent *entry;
    while (count < room && (entry = readdir(folder))) {
        if (entry->d_name[0] < '1' || entry->d_name[0] > '9' || parent_of(entry->d_name) != parent) continue;
        children[count++] = atoi(entry->d_name);
    }
    closedir(folder);
    return count;
}

void close_others(int kept) {
    // What is left open is closed by the exec.
    if (kept > 3) syscall(SYS_close_range, 3, kept - 1, 0);
    syscall(SYS_close_range, kept + 1, ~0U, 0);
}
