// holds: without a fence, a thread looks before the other sees what it has said
// under tso: violates assertion
// under arm: violates assertion
#define WITHOUT_FENCE
#include "dekker.c"
