// violates operations-linearise: two CPUs map the same address, and both are told that they did
#define BY_STORE
#include "map-history.c"
