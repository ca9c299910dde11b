// violates race: the publication orders nothing
#define PUBLISH_RELAXED
#include "message.c"
