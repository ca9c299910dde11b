// violates no-table-linked-twice: two entries lead to the new table
#define LINKED_TWICE
#include "block-split.c"
