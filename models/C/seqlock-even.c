// violates assertion: the writer does not make the sequence odd while it writes
#define WITHOUT_ODD_SEQUENCE
#include "seqlock.c"
