// violates assertion: the owner looks at the other end before it claims an item
// under tso: violates assertion
// under arm: violates assertion
#define LOOKS_BEFORE_CLAIMING
#include "chase-lev.c"
