// violates race: the writer changes the old copy while readers may still use it
#define WITHOUT_SECOND_DRAIN
#include "left-right.c"
