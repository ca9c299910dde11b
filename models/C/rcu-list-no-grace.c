// violates use-after-free or race: an element is freed although a reader may still be at it
#define WITHOUT_GRACE_PERIOD
#include "rcu-list.c"
