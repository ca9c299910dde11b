// violates race: a thread gives way before it says that it wants to enter
// under tso: violates race
// under arm: violates race
#define TURN_FIRST
#include "peterson.c"
