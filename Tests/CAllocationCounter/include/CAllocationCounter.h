/* Counts heap allocations, so that a test can assert that there are none. */
#ifndef GRACEWALK_ALLOCATION_COUNTER_H
#define GRACEWALK_ALLOCATION_COUNTER_H

#include <stdint.h>

/* Nonzero where the process's allocator can be interposed: on Linux with glibc. */
int gracewalk_allocations_are_counted(void);

/* Allocations by this thread since it began; always 0 where they are not counted. */
uint64_t gracewalk_allocations(void);

#endif
