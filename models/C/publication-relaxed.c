// holds: the link is a relaxed store, which may be visible before what it leads to
// under tso: holds
// under arm: violates assertion
#define LINK_RELAXED
#include "publication.c"
