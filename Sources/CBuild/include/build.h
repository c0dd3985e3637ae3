// What the one who builds says of the sources: the one place in which a build differs from another of the same version.
#ifndef MUSTER_BUILD_H
#define MUSTER_BUILD_H

/// The commit as git's short hash, with ".modified" behind it where the checkout was not that commit; empty where nobody said.
extern const char *const muster_commit;

#endif
