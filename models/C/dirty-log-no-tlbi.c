// violates no-guest-write-without-dirty-record: the guest writes by what its MMU has cached
#define WITHOUT_TLBI
#include "dirty-log.c"
