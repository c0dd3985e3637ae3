// What the parts of muster-sandbox share.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct paths {
    const char **items;
    size_t count;
};

struct options {
    // Rights in namespaces without being root: one's own user, mapped to itself.
    bool user_namespace;
    // A network of its own, where nothing is; with a loopback device that works.
    bool network, loopback;
    // Process ids and System V memory of its own.
    bool processes;
    // An empty folder, over which the file system that the program sees is put together; NULL: it sees the machine's.
    const char *view;
    // What it sees as /tmp and /var/tmp.
    const char *private_tmp;
    // Landlock instead of a view: the rest is seen, and can't be opened.
    bool landlock;
    // No socket but Unix ones.
    bool no_internet;
    // No call to another's socket and no datagram to one: a server is called, and calls nobody.
    bool no_connect;
    bool no_new_privileges;
    struct paths readable, writable, hidden;
    // A process whose network, or all of whose namespaces, are entered; 0: none.
    pid_t join_network, join;
    // -1: as who called.
    long user, group;
    // Takes the program's process id once it runs.
    const char *pid_file;
    bool ask;
    char **command;
};

// Says why, and ends with 125.
__attribute__((noreturn)) void fail(const char *what, const char *object);
void add(struct paths *paths, const char *path);

// namespaces.c
void enter_namespaces(const struct options *options);
void enter_own_mounts(void);
void make_view(const struct options *options);
void mount_proc(const char *place);

// restrictions.c
void drop_inheritable_capabilities(void);
void restrict_files(const struct options *options);
void filter_calls(bool only_unix, bool alone, bool connects);

// processes.c
int children_of(pid_t parent, pid_t *children, int room);
void close_others(int kept);

// questions.c
int answer(void);
