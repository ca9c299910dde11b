// violates no-reuse-while-cached: the host does not wait until the TLBI has taken effect
#define WITHOUT_DSB
#include "unmap-tlbi.c"
