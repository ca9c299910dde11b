// violates race: waiting does not acquire what the last holder released
#define WAIT_RELAXED
#include "ticket-lock.c"
