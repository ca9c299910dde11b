// violates race: an element is published before what is in it
// under tso: violates race
// under arm: violates race
#define PUBLISHES_RELAXED
#include "rcu-list.c"
