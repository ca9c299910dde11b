// violates no-reuse-while-cached: the VMID goes to another VM with what MMUs have cached
#define WITHOUT_TLBI
#include "vmid-reuse.c"
