// violates assertion or race: the entry is locked by a store, so two mappers may both install a table
#define LOCKS_BY_STORE
#include "page-table.c"
