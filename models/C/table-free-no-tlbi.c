// violates no-reuse-while-cached: the table is freed without a TLBI
#define WITHOUT_TLBI
#include "table-free.c"
