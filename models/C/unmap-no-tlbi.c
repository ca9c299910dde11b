// violates no-reuse-while-cached: the host does not ask MMUs to forget the translation
#define WITHOUT_TLBI
#include "unmap-tlbi.c"
