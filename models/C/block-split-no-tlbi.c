// violates break-before-make: the block may still be cached when the table takes its place
#define WITHOUT_TLBI
#include "block-split.c"
