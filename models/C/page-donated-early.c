// violates donated-page-unreachable: the page is given away while its entry is valid
#define BEFORE_UNMAP
#include "page-donated.c"
