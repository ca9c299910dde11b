// violates no-reuse-while-cached: the TLBI is for leaves only, and the walk cache keeps the table
#define LAST_LEVEL
#include "table-free.c"
