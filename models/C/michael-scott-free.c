// violates use-after-free or race: a node is freed when it leaves the queue, though others may still be at it
#define FREES_AT_ONCE
#include "michael-scott.c"
