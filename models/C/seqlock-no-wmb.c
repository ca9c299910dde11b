// holds: the writer does without smp_wmb(), and so its data may be visible while it seems idle
// under tso: holds
// under arm: violates assertion
#define WITHOUT_WMB
#include "seqlock-barriers.c"
