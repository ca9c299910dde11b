// violates leak: a table is installed by a store, which may replace the other CPU's
// under tso: violates leak
// under arm: violates leak
#define INSTALLS_BY_STORE
#include "table-fault.c"
