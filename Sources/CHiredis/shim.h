// The one place that names hiredis' header. pkg-config's flags for it are refused by SwiftPM, hence the plain path.
#include <hiredis/hiredis.h>
