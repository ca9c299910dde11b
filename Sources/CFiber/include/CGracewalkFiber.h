/* Stack switching, walking a stack, and a pointer per thread.  One assembly file per architecture;
 * see Fibers for the Swift type that owns stacks and switches between them. */
#ifndef GRACEWALK_CGRACEWALKFIBER_H
#define GRACEWALK_CGRACEWALKFIBER_H

#include <stdint.h>

/* Saves the callee-saved registers on the current stack, stores the stack pointer to *save,
 * and continues the context saved at `load`.  Returns when another switch comes back. */
void gracewalk_switch(void **save, void *load);

/* Builds a first frame on a fresh stack, so that switching to the returned stack pointer calls
 * entry(argument).  `top` is one past the highest byte and is aligned to 16 bytes.  `entry`
 * must never return. */
void *gracewalk_prepare(void *top, void (*entry)(void *), void *argument);

/* A pointer per thread, initially NULL.  A fiber uses that of the thread it runs on. */
void *gracewalk_current(void);
void gracewalk_set_current(void *value);

/* A hash of the return addresses on the stack up to the frame that `base` points into, excluding
 * that frame and the two innermost; 0 if the stack cannot be walked.  Within a process, equal call
 * paths have equal hashes. */
uint64_t gracewalk_call_path(const void *base);

#endif
