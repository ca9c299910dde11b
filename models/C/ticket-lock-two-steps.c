// violates race or livelock: a ticket is taken by a load and a store, so two threads may have one
#define TAKE_IN_TWO_STEPS
#include "ticket-lock.c"
