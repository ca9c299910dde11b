// violates assertion: the owner takes the last item although a thief may have it
#define WITHOUT_CONTEST
#include "chase-lev.c"
