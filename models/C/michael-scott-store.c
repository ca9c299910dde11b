// violates assertion: a node is linked by a store, which may replace another's
// under tso: violates assertion
// under arm: violates assertion
#define LINKS_BY_STORE
#include "michael-scott.c"
