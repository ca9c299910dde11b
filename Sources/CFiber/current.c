/* The object that records misuse on this thread; Swift cannot import thread-local variables. */
#include "CGracewalkFiber.h"

static _Thread_local void *current;

void *gracewalk_current(void) { return current; }

void gracewalk_set_current(void *value) { current = value; }
