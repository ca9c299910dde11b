// violates assertion: the writer does not make the sequence odd while it writes
// under tso: violates assertion
// under arm: violates assertion
#define WITHOUT_ODD_SEQUENCE
#include "seqlock.c"
