/* The call path on a fiber's stack.  Both ABIs keep a chain of frames: each holds the address of
 * the caller's frame, followed by the return address. */
#include "CGracewalkFiber.h"

uint64_t gracewalk_call_path(const void *base)
{
	const uintptr_t *frame = __builtin_frame_address(0);
	uint64_t hash = 0xcbf29ce484222325;
	int depth;

	for (depth = 0;; depth++) {
		const uintptr_t *caller = (const uintptr_t *)frame[0];

		if (caller >= (const uintptr_t *)base)
			return hash | 1;
		/* Code without frame pointers breaks the chain; then paths are not distinguished. */
		if (caller <= frame || (uintptr_t)caller % sizeof *caller != 0)
			return 0;
		/* Optimisers duplicate code, so our own innermost frames are not part of the path.
		 * The address has 48 bits; the bits above may be a signature. */
		if (depth >= 2) {
			hash = (hash ^ (frame[1] & 0xffffffffffff)) * 0x100000001b3;
			hash ^= hash >> 29;
		}
		frame = caller;
	}
}
