// violates entries-are-well-formed: an entry of the last level says that it leads to a table
#define MALFORMED
#include "table-free.c"
