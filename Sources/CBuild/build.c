// See include/build.h.
#include "build.h"

#ifndef MUSTER_COMMIT
#define MUSTER_COMMIT ""
#endif

const char *const muster_commit = MUSTER_COMMIT;
