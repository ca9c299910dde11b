// violates assertion: the owner looks at the other end before it claims an item
#define LOOKS_BEFORE_CLAIMING
#include "chase-lev.c"
