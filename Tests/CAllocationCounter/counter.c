/* The allocator's entry points, each counted and then passed on to glibc.  Definitions in the
 * executable come before those of shared libraries, so every caller in the process meets these. */
#include "CAllocationCounter.h"
#include <stdlib.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1 /* The sanitizers interpose the allocator themselves. */
#endif
#endif

#if defined(__GLIBC__) && !defined(SANITIZED)
#include <errno.h>
#include <stddef.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *pointer, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

/* One counter per thread: tests that run beside this one are not counted, and nothing is shared. */
static _Thread_local uint64_t allocations;

int gracewalk_allocations_are_counted(void) { return 1; }

uint64_t gracewalk_allocations(void) { return allocations; }

void *malloc(size_t size)
{
	allocations += 1;
	return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	allocations += 1;
	return __libc_calloc(count, size);
}

void *realloc(void *pointer, size_t size)
{
	allocations += 1;
	return __libc_realloc(pointer, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	allocations += 1;
	return __libc_memalign(alignment, size);
}

int posix_memalign(void **result, size_t alignment, size_t size)
{
	void *pointer;

	if (alignment % sizeof(void *) != 0 || alignment == 0 || (alignment & (alignment - 1)) != 0)
		return EINVAL;
	allocations += 1;
	pointer = __libc_memalign(alignment, size);
	if (pointer == NULL)
		return ENOMEM;
	*result = pointer;
	return 0;
}

#else

int gracewalk_allocations_are_counted(void) { return 0; }

uint64_t gracewalk_allocations(void) { return 0; }

#endif
