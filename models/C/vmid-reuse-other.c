// violates no-reuse-while-cached: the TLBI names another VMID
#define OTHER_VMID
#include "vmid-reuse.c"
