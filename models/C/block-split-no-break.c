// violates break-before-make: the table takes the block's place at once
#define WITHOUT_BREAK
#include "block-split.c"
