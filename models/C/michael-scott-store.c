// violates assertion: a node is linked by a store, which may replace another's
#define LINKS_BY_STORE
#include "michael-scott.c"
