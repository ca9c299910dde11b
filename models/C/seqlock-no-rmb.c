// holds: the reader does without smp_rmb(), and so may read the data outside of its two looks
// under tso: holds
// under arm: violates assertion
#define WITHOUT_RMB
#include "seqlock-barriers.c"
