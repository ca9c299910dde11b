// violates assertion: without a tag, a top that was away and is back looks unchanged
#define WITHOUT_TAG
#include "treiber.c"
