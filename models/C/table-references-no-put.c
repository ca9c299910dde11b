// violates references-match-entries: the CPU that is too late keeps its reference
#define WITHOUT_PUT
#include "table-references.c"
