// violates race: an element is published before what is in it
#define PUBLISHES_RELAXED
#include "rcu-list.c"
