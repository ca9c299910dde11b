// violates grace-period-safety: the reader is in no read-side section
#define WITHOUT_SECTION
#include "rcu-pointer.c"
