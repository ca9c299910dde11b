// violates use-after-free or race: an element is freed although a reader may still be at it
// under tso: violates use-after-free or race
// under arm: violates use-after-free or race
#define WITHOUT_GRACE_PERIOD
#include "rcu-list.c"
