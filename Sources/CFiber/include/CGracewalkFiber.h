/* Stack switching, walking a stack, and a pointer per thread.  One assembly file per architecture;
 * see Fibers for the Swift type that owns stacks and decides who runs. */
#ifndef GRACEWALK_CGRACEWALKFIBER_H
#define GRACEWALK_CGRACEWALKFIBER_H

#include <stdint.h>

/* Saves the callee-saved registers on the current stack, stores the stack pointer to *save,
 * and continues whatever was saved at `load`.  Returns when somebody switches back. */
void gracewalk_switch(void **save, void *load);

/* Builds a first frame on a fresh stack, so that switching to the returned stack pointer calls
 * entry(argument).  `top` is one past the highest byte and is aligned to 16 bytes.  `entry`
 * must never return. */
void *gracewalk_prepare(void *top, void (*entry)(void *), void *argument);

/* A pointer of the calling thread's own, NULL at first.  Fibers have that of their thread. */
void *gracewalk_current(void);
void gracewalk_set_current(void *value);

/* A hash of the return addresses on the stack up to the frame that `base` points into, without those
 * in that frame's function and in the two innermost; 0 if the stack cannot be walked.  Equal for
 * equal call paths, within a process. */
uint64_t gracewalk_call_path(const void *base);

#endif
