// holds: the reader knows the address, so its loads do not depend on the pointer
// under tso: holds
// under arm: violates assertion
#define READ_BY_NUMBER
#include "publication.c"
