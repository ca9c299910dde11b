// holds: the table is installed by a plain store, which may be visible before its zeros
// under tso: holds
// under arm: violates assertion
#define INSTALLS_BY_PLAIN_STORE
#include "table-zeroed.c"
