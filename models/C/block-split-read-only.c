// violates directories-stay-writable: the entry that leads to the table has no write bit
#define READ_ONLY
#include "block-split.c"
