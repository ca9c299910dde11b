// violates use-after-free or race: the sender frees what the receiver may still read
#define FREE_TOO_EARLY
#include "message.c"
