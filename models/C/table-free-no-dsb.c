// violates no-reuse-while-cached: the TLBI comes before the DSB that makes walks see the new entry
#define WITHOUT_FIRST_DSB
#include "table-free.c"
