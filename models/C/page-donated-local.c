// violates no-stale-use-after-dsb: the TLBI is for the MMU of the CPU that makes it
#define LOCAL
#include "page-donated.c"
