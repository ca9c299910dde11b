/* The first frame of a fiber: the layout that gracewalk_switch pops, with the entry function and
 * its argument in callee-saved registers and the start shim as return address. */
#include "CGracewalkFiber.h"
#include <stdint.h>
#include <string.h>

void gracewalk_start(void);

#if defined(__x86_64__)
/* r15 r14 r13 r12 rbx rbp return-address, then two empty words: at the shim's first instruction
 * the stack pointer is 16-byte aligned, so its call has the alignment that the ABI requires. */
enum { WORDS = 9, ENTRY = 3, ARGUMENT = 4, RETURN = 6 };
#elif defined(__aarch64__)
/* x19..x28, x29, x30, then d8..d15. */
enum { WORDS = 20, ENTRY = 0, ARGUMENT = 1, RETURN = 11 };
#else
#error "Gracewalk switches stacks on x86-64 and arm64 only"
#endif

void *gracewalk_prepare(void *top, void (*entry)(void *), void *argument)
{
	uintptr_t *frame = (uintptr_t *)top - WORDS;

	memset(frame, 0, WORDS * sizeof *frame);
	frame[ENTRY] = (uintptr_t)entry;
	frame[ARGUMENT] = (uintptr_t)argument;
	frame[RETURN] = (uintptr_t)gracewalk_start;
	return frame;
}
