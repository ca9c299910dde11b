// violates race: the writer does not wait for readers that arrived at the other counter
#define WITHOUT_FIRST_DRAIN
#include "left-right.c"
