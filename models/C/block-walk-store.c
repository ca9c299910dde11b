// violates no-conflicting-tlb-entries: a plain store makes a table of the block that is cached
#define BY_STORE
#include "block-walk.c"
