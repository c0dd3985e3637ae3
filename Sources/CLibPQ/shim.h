// The one place that names libpq's header.
#include <libpq-fe.h>
