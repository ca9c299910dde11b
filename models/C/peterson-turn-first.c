// violates race: a thread gives way before it says that it wants to enter
#define TURN_FIRST
#include "peterson.c"
