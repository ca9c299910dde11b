// violates no-entry-left-locked: nobody makes the entry valid again
#define WITHOUT_MAKE
#include "block-split.c"
