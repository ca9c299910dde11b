// violates grace-period-safety: the reader is in no read-side section
// under tso: violates grace-period-safety
// under arm: violates grace-period-safety
#define WITHOUT_SECTION
#include "rcu-pointer.c"
